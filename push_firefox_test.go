package main

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/browsertest"
	"langso/commune"
	"langso/hooks"
	"langso/notify"
	"langso/notify/webpush"
	"langso/notify/webpushsim"
)

// pushTown is a push service that a real Firefox is connected to, and a sender
// of ours that knows it: over TLS and HTTP/2, as the real ones.
func pushTown(t *testing.T) (service *webpushsim.Service, socket string, road *webpush.Sender) {
	t.Helper()
	service = &webpushsim.Service{}
	web := httptest.NewUnstartedServer(service)
	web.EnableHTTP2 = true
	web.StartTLS()
	t.Cleanup(web.Close)
	service.Base = web.URL
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	mux := http.NewServeMux()
	mux.Handle("/ws", service.WebSocket())
	near := httptest.NewServer(mux)
	t.Cleanup(near.Close)
	road = webpush.New(webpush.Settings{Roots: roots, Loopback: true, Subject: func() string { return "https://xa.example.vn" }})
	return service, strings.Replace(near.URL, "http://", "ws://", 1) + "/ws", road
}

// TestAWakeUpInFirefox is the whole road of a wake-up with nothing played but the
// push service. Lan agrees in the app and Firefox subscribes; the outbox seals and
// sends; Firefox opens it and starts the worker of the closed app, which meets the
// server and shows what the inbox says. Twice the same is one place on the screen; what
// came while the phone was off is shown when it is on; without a network there is a word
// all the same; another server key is subscribed to when the app is opened; who agrees no
// longer is not woken.
func TestAWakeUpInFirefox(t *testing.T) {
	t.Parallel()
	service, socket, road := pushTown(t)
	s, inbox, cable, url := pushVillage(t, road, func(o *hooks.Options) {
		o.Outbox = &notify.Outbox{Senders: []notify.Sender{road}, Now: time.Now}
	})
	f := browsertest.OpenFirefox(t, url, 360, 800, browsertest.PushBy(socket))
	signInAsLan(t, f, inbox)
	phone := func() *core.Record {
		t.Helper()
		r, err := s.App.FindFirstRecordByData("phones", "person", id("lan"))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	toggle := func(want, transport string) {
		t.Helper()
		f.Load("#/tai-khoan")
		f.Until(`(b => b && !b.disabled && (b.click(), true))(document.querySelector('[name=bao-tin]'))`)
		f.Sees(want)
		if got := phone().GetString("transport"); got != transport {
			t.Fatalf("the server wakes this phone by %q", got)
		}
	}
	closed := func() { // no window of the app; its worker ends half a second later
		t.Helper()
		f.Go("about:blank")
		f.Go(url + "/icon.svg")
	}
	shown := func(want string) {
		t.Helper()
		f.Equals(fmt.Sprintf(`navigator.serviceWorker.getRegistration(%q).then(r => r.getNotifications()).then(ns => ns.map(n => n.title + '/' + n.body).sort().join('|'))`, url+"/"), want)
	}
	raise := func(name, title string) string {
		t.Helper()
		n := commune.Notice{To: commune.Named("person", id("lan")), Key: name, Kind: "dossier", Title: title, Body: "Mang bản sao.", Link: "#/tai-khoan", Class: commune.Emergency}
		if err := notify.Raise(s.App, n, time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := s.Absorb(); err != nil {
			t.Fatal(err)
		}
		return notify.ID(n.To, n.Key)
	}
	acks := 0
	heard := func(more int) {
		t.Helper()
		acks += more
		browsertest.Await(t, func() bool { return service.Acks()[100] == acks })
	}

	toggle("Đang bật. Có việc mới", "webpush")
	f.Shot("firefox-push-on")
	closed()
	first := raise("n1", "Hồ sơ cần bổ sung")
	shown("Hồ sơ cần bổ sung/Mang bản sao.")
	heard(1)
	if err := road.Send(t.Context(), notify.Delivery{Address: phone().GetString("address"), Class: commune.Emergency, Urgent: true, Tag: first}); err != nil {
		t.Fatal(err)
	}
	heard(1)
	shown("Hồ sơ cần bổ sung/Mang bản sao.")

	service.Take()
	service.Cut(true)
	raise("n2", "Có kết quả")
	browsertest.Await(t, func() bool { return len(service.Take()) == 1 }) // accepted, and kept
	service.Cut(false)
	shown("Có kết quả/Mang bản sao.|Hồ sơ cần bổ sung/Mang bản sao.")
	heard(1)

	cable.pull(true)
	third := raise("n3", "Bão số 9")
	shown("Có kết quả/Mang bản sao.|Hồ sơ cần bổ sung/Mang bản sao.|Làng Số/Xã có thông báo cần xem ngay. Chạm để mở.")
	heard(1)
	cable.pull(false)
	if err := road.Send(t.Context(), notify.Delivery{Address: phone().GetString("address"), Class: commune.Emergency, Urgent: true, Tag: third}); err != nil {
		t.Fatal(err)
	}
	shown("Bão số 9/Mang bản sao.|Có kết quả/Mang bản sao.|Hồ sơ cần bổ sung/Mang bản sao.") // in its place
	heard(1)

	old := phone().GetString("address")
	if err := os.Remove(filepath.Join(s.Dir(), "webpush.key")); err != nil {
		t.Fatal(err)
	}
	s.Restart(t)
	f.Load("#/")
	f.Sees("Chào")
	browsertest.Await(t, func() bool { return phone().GetString("address") != old })
	closed()
	raise("n4", "Khóa mới")
	shown("Bão số 9/Mang bản sao.|Có kết quả/Mang bản sao.|Hồ sơ cần bổ sung/Mang bản sao.|Khóa mới/Mang bản sao.")
	heard(1)

	toggle("Đang tắt. Thông báo vẫn có", "none")
	closed()
	service.Take()
	raise("n5", "Không ai nghe")
	if err := s.Outbox.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	if late := service.Take(); len(late) != 0 {
		t.Errorf("a phone that is not to be woken was: %v", late)
	}
	if got := service.Acks(); len(got) != 1 || got[100] != acks {
		t.Errorf("Firefox says %v of %d messages", got, acks)
	}
	if faults := service.Faults(); len(faults) != 0 {
		t.Errorf("against the rules: %v", faults)
	}
}
