package signin

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/sync/wire"
)

// gateway keeps what it was given, and fails when told to.
type gateway struct {
	name string // "log" sends before the answer, others after

	mu   sync.Mutex
	err  error
	sent [][2]string // number, text
}

func (g *gateway) Name() string { return g.name }

func (g *gateway) Send(_ context.Context, number, text string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sent = append(g.sent, [2]string{number, text})
	return g.err
}

func (g *gateway) texts() [][2]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([][2]string(nil), g.sent...)
}

// village is a commune with its way in.
type village struct {
	t       testing.TB
	app     core.App
	service *Service
	sms     *gateway
	router  http.Handler

	mu  sync.Mutex
	now time.Time
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

func newVillage(t testing.TB) *village {
	t.Helper()
	app := apptest.Boot(t, apptest.Dir(t))
	v := &village{t: t, app: app, sms: &gateway{name: "log"}, now: time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)}
	v.service = &Service{App: app, SMS: v.sms, Now: v.clock, PublicURL: "https://xa.example/",
		MayInvite: func(_ core.App, person string) bool { return person == id("canbo") }}
	router, err := apis.NewRouter(app)
	if err != nil {
		t.Fatal(err)
	}
	Bind(&core.ServeEvent{App: app, Router: router}, v.service)
	if v.router, err = router.BuildMux(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := apptest.End(app); err != nil {
			t.Error(err)
		}
	})
	v.add("villages", "dong", map[string]any{"name": "Thôn Đông"})
	v.add("households", "ho1", map[string]any{"name": "Lan", "village": id("dong")})
	v.person("lan", "+84912345678", "1984-05-21")
	v.person("canbo", "+84900000001", "1990")
	return v
}

func id(name string) string { return (name + "000000000000000")[:15] }

func (v *village) clock() time.Time { v.mu.Lock(); defer v.mu.Unlock(); return v.now }

func (v *village) wait(d time.Duration) { v.mu.Lock(); v.now = v.now.Add(d); v.mu.Unlock() }

func (v *village) add(collection, name string, fields map[string]any) *core.Record {
	v.t.Helper()
	return apptest.Put(v.t, v.app, collection, id(name), fields)
}

func (v *village) person(name, number, born string) {
	v.t.Helper()
	v.add("persons", name, map[string]any{"name": "Bà " + name, "household": id("ho1"), "phone_number": number, "born": born})
}

func (v *village) record(collection, id string) *core.Record {
	v.t.Helper()
	r, err := v.app.FindRecordById(collection, id)
	if err != nil {
		v.t.Fatalf("find %s %s: %v", collection, id, err)
	}
	return r
}

func (v *village) count(sql string) int {
	v.t.Helper()
	var n int
	if err := v.app.DB().NewQuery(sql).Row(&n); err != nil {
		v.t.Fatal(err)
	}
	return n
}

// handset is a phone in a test: a key, and an id once it is signed in.
type handset struct {
	key ed25519.PrivateKey
	id  string
}

func newHandset(t testing.TB) *handset {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &handset{key: key}
}

func (h *handset) public() string { return wire.Ed25519Key(h.key.Public().(ed25519.PublicKey)) }

func (h *handset) sign(r *http.Request, body []byte) {
	sig := ed25519.Sign(h.key, wire.SigningBytes(r.Method, r.URL.Path, body))
	r.Header.Set("Authorization", wire.Authorization(h.id, sig))
}

// answer is what came back, whatever it was.
type answer struct {
	Status int
	Code   string
	Say    string
	Wipe   bool
	Sent   bool
	Wait   int
	Phone  string
	Person struct{ ID, Name string }
	Choose []holder
	Link   string
	SVG    string
	raw    string
}

func (v *village) post(path string, body any, by *handset) answer {
	v.t.Helper()
	raw, isText := body.(string)
	if !isText {
		b, err := json.Marshal(body)
		if err != nil {
			v.t.Fatal(err)
		}
		raw = string(b)
	}
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader([]byte(raw)))
	if by != nil {
		by.sign(r, []byte(raw))
	}
	w := httptest.NewRecorder()
	v.router.ServeHTTP(w, r)
	a := answer{Status: w.Code, raw: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		v.t.Fatalf("%s answered %q: %v", path, w.Body.String(), err)
	}
	if a.Status >= 400 && (a.Code == "" || a.Say == "") {
		v.t.Errorf("%s refused without a code and a sentence: %s", path, a.raw)
	}
	return a
}

// code asks for a code and reads it from the message.
func (v *village) code(number string) string {
	v.t.Helper()
	if a := v.post("/api/phones/code", map[string]string{"number": number}, nil); a.Status != 200 {
		v.t.Fatalf("no code: %s", a.raw)
	}
	all := v.sms.texts()
	return sixDigits.FindString(all[len(all)-1][1])
}

// signIn brings a phone in as the only holder of a number.
func (v *village) signIn(h *handset, number string) answer {
	v.t.Helper()
	a := v.post("/api/phones/sign-in", map[string]string{"number": number, "code": v.code(number), "key": h.public(), "label": "Máy thử"}, nil)
	h.id = a.Phone
	return a
}

// another returns a code that is not this one.
func another(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}
