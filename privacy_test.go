package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"langso/commune"
	"langso/hooks"
	"langso/notify"
	"langso/notify/fcm"
	"langso/notify/sms"
	"langso/notify/webpush"
	"langso/notify/webpushsim"
	"langso/villagetest"
)

// sentinel stands in every text of every record: no byte that leaves for a
// push service or a text gateway may hold it.
const sentinel = "bimat"

// wiretap is somebody else's service; it keeps every byte that comes.
type wiretap struct {
	mu    sync.Mutex
	heard []string
	sizes map[string]int // of the bodies, by whether they are shown

	browsers *webpushsim.Service // opens what is sealed
}

func (w *wiretap) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	raw, err := httputil.DumpRequest(r, true)
	if err != nil {
		rw.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, string(raw))
	_, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	kind := r.URL.Path
	if bytes.Contains(body, []byte(`"notification"`)) {
		kind += " shown"
	}
	if was, ok := w.sizes[kind]; ok && was != len(body) {
		w.sizes[kind+fmt.Sprint(" ", len(body))] = len(body)
	}
	if w.sizes == nil {
		w.sizes = map[string]int{}
	}
	if _, ok := w.sizes[kind]; !ok {
		w.sizes[kind] = len(body)
	}
	if strings.HasPrefix(r.URL.Path, "/push/") {
		w.browsers.ServeHTTP(rw, r)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(rw, `{"name":"projects/langso/messages/1"}`)
}

// textRoad carries the outbox's texts by the gateway of the settings.
type textRoad struct{ gateway sms.Gateway }

func (textRoad) Name() string { return "sms" }
func (t textRoad) Send(ctx context.Context, d notify.Delivery) error {
	return t.gateway.Send(ctx, d.Address, d.Text)
}

// TestNothingPersonalLeaves fills every text of every shared record with one word,
// raises notices of every class, kind and circle with it, lets the whole ladder
// run, and reads all that left: by push and by text, headers included.
func TestNothingPersonalLeaves(t *testing.T) {
	tap := &wiretap{}
	outside := httptest.NewServer(tap)
	defer outside.Close()
	tap.browsers = &webpushsim.Service{Base: outside.URL}
	browsers := webpush.New(webpush.Settings{Loopback: true, Subject: func() string { return "https://xa.example" }})
	s := villagetest.New(t, domains, func(o *hooks.Options) {
		o.WebPush = browsers
		o.Outbox = &notify.Outbox{Now: o.Now, Senders: []notify.Sender{
			fcm.New(fcm.Settings{Endpoint: outside.URL}), browsers,
			textRoad{&sms.HTTP{URL: outside.URL + "/sms"}},
		}}
	})
	fill(t, s)
	_, err := s.App.NonconcurrentDB().NewQuery(`INSERT INTO phones (id, person, label, public_key, transport, address, address_state, app)
		SELECT {:id}, person, label, 'k2', 'webpush', {:address}, 'ok', app FROM phones WHERE address = 'address-1'`).
		Bind(dbx.Params{"id": sentinel + "web0000000", "address": tap.browsers.Subscribe("web", browsers.PublicKey())}).Execute()
	if err != nil {
		t.Fatal(err)
	}
	now := s.Clock.Now()
	for _, to := range []commune.Circle{commune.Commune, "person:" + sentinel + "lan0000000", "household:" + sentinel + "ho00000000", "village:" + sentinel + "dong000000"} {
		for class := commune.Emergency; class <= commune.DataOnly; class++ {
			for _, expires := range []time.Time{{}, now.Add(5 * time.Hour), now.Add(29 * time.Hour)} {
				n := commune.Notice{To: to, Key: sentinel + fmt.Sprint(class, expires.Unix()), Kind: "health_" + sentinel, Title: sentinel, Body: strings.Repeat(sentinel+" ", int(class)*10),
					Link: "#/suc-khoe/" + sentinel, Class: class, Expires: expires}
				if err := notify.Raise(s.App, n, now); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := notify.Nudge(s.App, to, now); err != nil {
			t.Fatal(err)
		}
	}
	for range 30 * 4 {
		s.Clock.Add(15 * time.Minute)
		if err := s.Outbox.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tap.mu.Lock()
	defer tap.mu.Unlock()
	pushes, texts := 0, map[string]bool{}
	for _, raw := range tap.heard {
		if strings.Contains(strings.ToLower(raw), sentinel) {
			t.Fatalf("this left:\n%s", raw)
		}
		if strings.HasPrefix(raw, "POST /sms") {
			_, body, _ := strings.Cut(raw, "\r\n\r\n")
			texts[body] = true
		} else {
			pushes++
		}
	}
	sealed := tap.browsers.Take()
	for _, m := range sealed {
		_, claims, _ := strings.Cut(m.Token, ".")
		claims, _, _ = strings.Cut(claims, ".")
		token, err := base64.RawURLEncoding.DecodeString(claims)
		if err != nil || m.Plain == "" {
			t.Fatalf("nobody can open %+v (%v)", m, err)
		}
		if strings.Contains(strings.ToLower(m.Plain+string(token)), sentinel) {
			t.Fatalf("this left sealed: %s %s", m.Plain, token)
		}
	}
	if pushes-len(sealed) < 5 || len(sealed) < 5 || len(texts) != 2 { // how many are gathered into one depends on chance
		t.Errorf("%d pushes, %d sealed and %d kinds of texts left: the test heard too little, or texts of a class differ", pushes, len(sealed), len(texts))
	}
	if f := tap.browsers.Faults(); len(f) != 0 {
		t.Errorf("against the rules: %v", f)
	}
	// FCM's shown and silent, the sealed, and a sentence for each class that is texted.
	delete(tap.sizes, "/sms")
	for kind := range tap.sizes {
		if strings.HasPrefix(kind, "/sms ") {
			delete(tap.sizes, kind)
		}
	}
	if len(tap.sizes) != 3 {
		t.Errorf("sizes tell notices apart: %v", tap.sizes)
	}
}

// fill puts a villager, and a record with the sentinel in every text column into
// every shared collection, past all checks.
func fill(t *testing.T, s *villagetest.Server) {
	t.Helper()
	run := func(sql string, bind dbx.Params) {
		t.Helper()
		if _, err := s.App.NonconcurrentDB().NewQuery(sql).Bind(bind).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range domains {
		for _, c := range d.Collections {
			coll, err := s.App.FindCachedCollectionByNameOrId(c.Name)
			if err != nil {
				t.Fatal(err)
			}
			names, values := []string{"id"}, []string{"{:id}"}
			for _, f := range coll.Fields {
				if f.Type() == "text" && f.GetName() != "id" {
					names, values = append(names, "[["+f.GetName()+"]]"), append(values, "{:word}")
				}
			}
			run("INSERT INTO {{"+c.Name+"}} ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")",
				dbx.Params{"id": sentinel + "any0000000", "word": sentinel + c.Name})
		}
	}
	v := dbx.Params{"v": sentinel + "dong000000", "h": sentinel + "ho00000000", "p": sentinel + "lan0000000", "w": sentinel}
	run(`INSERT INTO villages (id, name) VALUES ({:v}, {:w})`, v)
	run(`INSERT INTO households (id, name, village, address) VALUES ({:h}, {:w}, {:v}, {:w})`, v)
	run(`INSERT INTO persons (id, name, household, village, status, phone_number) VALUES ({:p}, {:w}, {:h}, {:v}, 'active', '+84912345678')`, v)
	run(`INSERT INTO notice_choices (id, person, sms) VALUES ({:p}, {:p}, TRUE)`, v)
	v["id"] = sentinel + "may0000000"
	run(`INSERT INTO phones (id, person, label, public_key, transport, address, address_state, app) VALUES ({:id}, {:p}, {:w}, {:w}, 'fcm', 'address-1', 'ok', {:w})`, v)
}
