package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/chromedp"
	"github.com/pocketbase/dbx"

	"langso/browsertest"
	"langso/hooks"
	"langso/notify/sms"
	"langso/signin"
	"langso/sync/snapshot"
	"langso/villagetest"
)

// cutter is a road of 100 kB a second on which no snapshot file of more than so many bytes arrives whole.
type cutter struct {
	server http.Handler

	mu          sync.Mutex
	after       int
	files, sent int // requests for snapshot files, and bytes of them that were sent
	asked       []string
	arrived     bool // one came to its end
}

func (c *cutter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/api/snapshots/") {
		c.server.ServeHTTP(w, r)
		return
	}
	rec := httptest.NewRecorder()
	c.server.ServeHTTP(rec, r)
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	body := rec.Body.Bytes()
	c.mu.Lock()
	part := body[:min(len(body), c.after)]
	cut := len(part) < len(body)
	c.files++
	c.sent += len(part)
	c.asked = append(c.asked, r.URL.RawQuery)
	c.arrived = c.arrived || !cut
	c.mu.Unlock()
	w.WriteHeader(rec.Code)
	pace := time.NewTicker(10 * time.Millisecond) // a cut takes along what just arrived, and all would arrive at once
	defer pace.Stop()
	for ; len(part) > 0; part = part[min(len(part), 1000):] {
		_, _ = w.Write(part[:min(len(part), 1000)])
		_ = http.NewResponseController(w).Flush()
		<-pace.C
	}
	if cut {
		<-pace.C
		panic(http.ErrAbortHandler)
	}
}

const goods = 6000

// greatMarket is a commune whose snapshot file has some 70 kB, and Lan, who comes to it by a road.
func greatMarket(t *testing.T, after int) (road *cutter, inbox *messages, url string, size int) {
	t.Helper()
	inbox = &messages{}
	s := villagetest.New(t, domains, func(o *hooks.Options) {
		o.SignIn = &signin.Service{SMS: &sms.Log{Out: inbox}}
		o.Files = os.DirFS("pb_public")
		o.Now = time.Now
	})
	s.Put(t, "villages", id("v"), map[string]any{"name": "Thôn Phúc Đình"})
	s.Put(t, "households", id("h"), map[string]any{"name": "Hộ", "village": id("v")})
	s.Put(t, "persons", id("lan"), map[string]any{"name": "Nguyễn Thị Lan", "born": "1990", "household": id("h"), "status": "active", "phone_number": "0912345678"})
	s.Put(t, "stalls", id("g"), map[string]any{"name": "Vườn bà Bích", "village": id("v")})
	_, err := s.App.NonconcurrentDB().NewQuery(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {:n})
		INSERT INTO products (id, stall, name, price, grade) SELECT printf('product%08d', i), {:g}, 'Vải số ' || i, 1000 + i, hex(randomblob(10)) FROM c`).
		Bind(dbx.Params{"n": goods, "g": id("g")}).Execute()
	must(t, err)
	must(t, s.Absorb())
	_, err = s.Snapshots.Refresh(t.Context()) // or the server has by itself
	must(t, err)
	file, err := os.Stat(s.Snapshots.Path())
	must(t, err)
	if file.Size() < 60_000 {
		t.Fatalf("the file has %d bytes", file.Size())
	}
	road = &cutter{server: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Handler().ServeHTTP(w, r) }), after: after}
	web := httptest.NewUnstartedServer(road)
	web.Config.ErrorLog = nil
	web.Start()
	t.Cleanup(web.Close)
	return road, inbox, strings.Replace(web.URL, "127.0.0.1", "localhost", 1), int(file.Size())
}

// arrives signs in and does not wait for anything to come.
func arrives(t *testing.T, w browsertest.Window, inbox *messages) {
	t.Helper()
	w.Load("")
	w.Fill("number", "0912345678")
	w.Press("Gửi mã")
	w.Sees("Nhập mã")
	browsertest.Await(t, func() bool { return inbox.code() != "" })
	w.Fill("code", inbox.code())
	w.Press("Vào")
}

// hasMarket tells in a page whether all goods are on the phone.
var hasMarket = fmt.Sprintf(`new Promise((yes, no) => { const r = indexedDB.open('langso'); r.onerror = no; r.onsuccess = () => { const db = r.result, n = db.transaction('records').objectStore('records').count();
	n.onsuccess = () => { db.close(); yes(n.result > %d) } } })`, goods)

// TestABrowserBeginsOverARoadThatBreaks: the commune has a great market, and no
// connection carries more than 20 kB of its file. The app is closed and opened at each
// cut, and has the market in the end, for little more than the file's bytes.
func TestABrowserBeginsOverARoadThatBreaks(t *testing.T) {
	inBrowsers(t, func(t *testing.T, open opener) {
		road, inbox, url, size := greatMarket(t, 20_000)
		w := open(t, url, 360, 800)
		arrives(t, w, inbox)
		for before := 0; ; {
			browsertest.Await(t, func() bool { road.mu.Lock(); defer road.mu.Unlock(); return road.files > before })
			road.mu.Lock()
			before = road.files
			arrived, asked := road.arrived, road.asked
			road.mu.Unlock()
			if arrived {
				break
			}
			if before > 30 || before > 1 && asked[before-1] == "" {
				t.Fatalf("it does not get on: %q", asked)
			}
			w.Until(`/Chưa có mạng|Đã đồng bộ/.test(document.body.innerText)`)
			w.Load("")
		}
		w.Until(hasMarket)
		w.Sees("Đã đồng bộ")
		w.Until(`indexedDB.databases().then(all => !all.some(d => d.name === 'langso-snapshot'))`)
		road.mu.Lock()
		defer road.mu.Unlock()
		t.Logf("%d bytes in %d connections for a file of %d: %q", road.sent, road.files, size, road.asked)
		if most := size + (road.files-1)*snapshot.Piece; road.sent > most {
			t.Errorf("%d bytes, more than %d: a cut costs more than a piece", road.sent, most)
		}
	})
}

// TestTheWorkerBegins: nothing came to the new phone before the app was closed; a wake-up
// lets the worker, which may not load modules later, get the file and all that follows.
func TestTheWorkerBegins(t *testing.T) {
	t.Parallel()
	road, inbox, url, _ := greatMarket(t, 0)
	p := browsertest.Open(t, url, 360, 800)
	arrives(t, p, inbox)
	p.Sees("Chưa có mạng")
	p.Until(`navigator.serviceWorker.ready.then(r => r.active.scriptURL.endsWith('/worker.js'))`)
	registration := registrationOf(t, p)
	p.Run(chromedp.Navigate("about:blank"), chromedp.Navigate(url+"/icon.svg"))
	road.mu.Lock()
	road.after = 1 << 20
	road.mu.Unlock()
	_, err := chromedp.Call(p.Ctx, serviceworker.DeliverPushMessage, serviceworker.DeliverPushMessageParams{Origin: url, RegistrationID: registration(), Data: `{"t":"s","j":0}`})
	must(t, err)
	p.Until(hasMarket)
	road.mu.Lock()
	defer road.mu.Unlock()
	if !road.arrived {
		t.Error("the market came by another road than the file")
	}
}
