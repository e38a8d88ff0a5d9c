package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"langso/browsertest"
	"langso/hooks"
	"langso/notify/sms"
	"langso/signin"
	"langso/villagetest"
)

// messages is the villager's SMS inbox: what the log gateway printed.
type messages struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (m *messages) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.buf.Write(b)
}

func (m *messages) code() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := regexp.MustCompile(`\b\d{6}\b`).FindAllString(m.buf.String(), -1)
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// plug is the cable between the browser and the server: pulled, every
// connection fails as it does without a network.
type plug struct {
	net.Listener
	out atomic.Bool
	mu  sync.Mutex
	on  map[net.Conn]bool
	jam atomic.Pointer[jam]
}

// jam is a road on which nothing moves: exchanges wait, and who waits is counted.
type jam struct {
	path    string
	free    atomic.Int32 // so many more pass
	waiting atomic.Int32
	over    chan struct{}
}

// hold keeps every request for the path that begins from now on, after so many,
// waiting until the test calls release, or ends.
func (p *plug) hold(t *testing.T, path string, free int32) (j *jam, release func()) {
	t.Helper()
	j = &jam{path: path, over: make(chan struct{})}
	j.free.Store(free)
	p.jam.Store(j)
	release = sync.OnceFunc(func() { p.jam.Store(nil); close(j.over) })
	t.Cleanup(release)
	return j, release
}

// pass waits while the road is jammed.
func (p *plug) pass(r *http.Request) {
	if j := p.jam.Load(); j != nil && strings.HasPrefix(r.URL.Path, j.path) && j.free.Add(-1) < 0 {
		j.waiting.Add(1)
		select {
		case <-j.over:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
}

func (p *plug) Accept() (net.Conn, error) {
	for {
		c, err := p.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if p.out.Load() {
			_ = c.Close()
			continue
		}
		p.mu.Lock()
		p.on[c] = true
		p.mu.Unlock()
		return c, nil
	}
}

func (p *plug) pull(out bool) {
	p.out.Store(out)
	p.mu.Lock()
	defer p.mu.Unlock()
	if out {
		for c := range p.on {
			_ = c.Close()
		}
		p.on = map[net.Conn]bool{}
	}
}

// TestABrowserMeetsTheRealServer: the phone app in a browser against the real
// server: sign in by SMS, pull the cable, write in three domains, reload, plug
// in again, see the verdicts, and find the records on the server; then the officer
// takes the dossier a step at the desk, and the villager reads the notice.
func TestABrowserMeetsTheRealServer(t *testing.T) { inBrowsers(t, meetTheRealServer) }

// opener opens a window of one browser or another.
type opener func(t *testing.T, url string, width, height int) browsertest.Window

// inBrowsers plays in Chromium and in Firefox, side by side.
func inBrowsers(t *testing.T, play func(*testing.T, opener)) {
	for name, open := range map[string]opener{
		"Chromium": func(t *testing.T, url string, width, height int) browsertest.Window {
			return browsertest.Open(t, url, width, height)
		},
		"Firefox": func(t *testing.T, url string, width, height int) browsertest.Window {
			return browsertest.OpenFirefox(t, url, width, height, nil)
		},
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); play(t, open) })
	}
}

func meetTheRealServer(t *testing.T, open opener) {
	inbox := &messages{}
	s := villagetest.New(t, domains, func(o *hooks.Options) {
		o.SignIn = &signin.Service{SMS: &sms.Log{Out: inbox}}
		o.Files = os.DirFS("pb_public")
		o.Now = time.Now // the browser has a clock of its own
	})
	put := func(coll, name string, fields map[string]any) { t.Helper(); s.Put(t, coll, id(name), fields) }
	put("stations", "tram", map[string]any{"name": "Trạm"})
	put("villages", "v", map[string]any{"name": "Thôn Phúc Đình", "station": id("tram")})
	put("households", "h", map[string]any{"name": "Hộ", "village": id("v")})
	for name, number := range map[string]string{"lan": "0912345678", "mai": "0912345679", "bich": "0912345670"} {
		put("persons", name, map[string]any{"name": map[string]string{"lan": "Nguyễn Thị Lan", "mai": "Đỗ Thị Mai", "bich": "Vi Thị Bích"}[name],
			"born": "1990", "household": id("h"), "status": "active", "phone_number": number})
	}
	put("duties", "d1", map[string]any{"person": id("mai"), "role": "onestop"})
	put("stalls", "g", map[string]any{"name": "Vườn bà Bích", "owner": id("bich"), "village": id("v")})
	put("duties", "d2", map[string]any{"person": id("bich"), "role": "seller", "place": id("g")})
	put("products", "p", map[string]any{"stall": id("g"), "name": "Vải sớm", "unit": "kg", "category": "vai", "price": 45000, "stock": 10})
	put("procedures", "ks", map[string]any{"name": "Đăng ký khai sinh", "code": "1.001193", "active": true, "components": `[{"key":"to_khai","name":"Tờ khai","required":true}]`})

	web, cable := plugged(t, s)
	url := strings.Replace(web.URL, "127.0.0.1", "localhost", 1)

	enter := func(p browsertest.Window, number string) {
		t.Helper()
		p.Load("")
		p.Fill("number", number)
		before := inbox.code()
		p.Press("Gửi mã")
		p.Sees("Nhập mã")
		browsertest.Await(t, func() bool { return inbox.code() != before })
		p.Fill("code", inbox.code())
		p.Press("Vào")
		p.Sees("Chào", "Đã đồng bộ")
	}
	lan := open(t, url, 360, 800)
	enter(lan, "0912345678")
	// The service worker must hold the app before the cable is pulled.
	lan.Until(`navigator.serviceWorker.ready.then(() => caches.keys()).then(ks => ks.length > 0)`)

	cable.pull(true)
	lan.Load("")
	lan.Sees("Chào")
	lan.Visit("#/suc-khoe/" + id("lan") + "/ghi/measurement")
	lan.Fill("d_systolic", "80")
	lan.Fill("d_diastolic", "120")
	lan.Press("Lưu vào sổ")
	lan.Sees("Huyết áp 80/120", "chờ gửi")
	lan.Visit("#/ho-so/moi/" + id("ks"))
	lan.Fill("c_to_khai", "Cháu Bống")
	lan.Press("Nộp hồ sơ")
	lan.Sees("chờ gửi", "tự gửi khi có mạng")
	lan.Visit("#/cho/hang/" + id("p"))
	lan.Fill("quantity", "2")
	lan.Press("Đặt hàng")
	lan.Sees("chờ gửi", "90.000 đ")
	lan.Load("#/tai-khoan")
	lan.Sees("3 việc chờ gửi")
	lan.Shot("real-offline")
	if n, err := s.App.CountRecords("orders"); err != nil || n != 0 {
		t.Fatalf("the server has %d orders though the cable is out (%v)", n, err)
	}

	cable.pull(false)
	lan.Press("Đồng bộ ngay")
	lan.Sees("Số trên phải lớn hơn số dưới", "Không còn việc nào chờ gửi")
	lan.Shot("real-verdicts")
	order, err := s.App.FindFirstRecordByData("orders", "buyer", id("lan"))
	if err != nil || order.GetString("state") != "confirmed" || order.GetInt("total") != 90000 {
		t.Errorf("the order on the server is %v (%v)", order, err)
	}
	product, err := s.App.FindRecordById("products", id("p"))
	if err != nil || product.GetFloat("stock") != 8 {
		t.Errorf("the stock is %v (%v), want 8", product.GetFloat("stock"), err)
	}
	dossier, err := s.App.FindFirstRecordByData("dossiers", "person", id("lan"))
	if err != nil || dossier.GetInt("status") != 1 || dossier.GetString("receipt") == "" {
		t.Fatalf("the dossier on the server is %v (%v)", dossier, err)
	}
	if n, err := s.App.CountRecords("health_entries"); err != nil || n != 0 {
		t.Errorf("the impossible reading is in the book: %d (%v)", n, err)
	}
	lan.Press("Sửa và gửi lại")
	lan.Fill("d_systolic", "120")
	lan.Fill("d_diastolic", "80")
	lan.Press("Lưu vào sổ")
	lan.Sees("Huyết áp 120/80", "Đã đồng bộ")
	browsertest.Await(t, func() bool { n, err := s.App.CountRecords("health_entries"); return err == nil && n == 1 })

	mai := open(t, url, 1280, 800)
	enter(mai, "0912345679")
	mai.Visit("#/mot-cua")
	mai.Press("Đăng ký khai sinh")
	mai.Sees("Cháu Bống")
	mai.Shot("real-desk")
	mai.Press("Ghi bước này")
	browsertest.Await(t, func() bool {
		d, err := s.App.FindRecordById("dossiers", dossier.Id)
		return err == nil && d.GetInt("status") == 2 && d.GetString("code") != ""
	})
	mai.Visit("#/nguoi-dan/" + id("bich"))
	mai.Press("Mời vào ứng dụng bằng QR")
	mai.Until(`document.querySelector('img.qr')?.naturalWidth > 0`)
	mai.Shot("real-qr")
	lan.Visit("#/tai-khoan")
	lan.Press("Đồng bộ ngay")
	lan.Visit("#/thong-bao")
	lan.Sees("Đăng ký khai sinh")
	lan.Shot("real-notice")
}

// plugged serves a commune over a cable that can be pulled.
func plugged(t *testing.T, s *villagetest.Server) (*httptest.Server, *plug) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cable := &plug{Listener: listener, on: map[net.Conn]bool{}}
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cable.pass(r)
		s.Handler().ServeHTTP(w, r)
	}))
	_ = web.Listener.Close()
	web.Listener = cable
	web.Start()
	t.Cleanup(web.Close)
	return web, cable
}
