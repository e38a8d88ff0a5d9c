package webpush

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"langso/commune"
	"langso/notify"
	"langso/notify/webpushsim"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) add(d time.Duration) { c.mu.Lock(); c.at = c.at.Add(d); c.mu.Unlock() }

// town is a sender and a push service over TLS and HTTP/2.
type town struct {
	*Sender
	service *webpushsim.Service
	clock   *clock
}

func newTown(t testing.TB) *town {
	t.Helper()
	c := &clock{at: time.Now()}
	service := &webpushsim.Service{Now: c.now}
	web := httptest.NewUnstartedServer(service)
	web.EnableHTTP2 = true
	web.StartTLS()
	t.Cleanup(web.Close)
	service.Base = web.URL
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	s := New(Settings{Roots: roots, Loopback: true, Now: c.now, Subject: func() string { return "https://xa.example.vn" }})
	if err := s.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.road.CloseIdleConnections() })
	return &town{s, service, c}
}

func (w *town) wake(t testing.TB, address string, d notify.Delivery) error {
	t.Helper()
	d.Address = address
	return w.Send(t.Context(), d)
}

func TestHowEachClassTravels(t *testing.T) {
	w := newTown(t)
	phone := w.service.Subscribe("lan", w.PublicKey())
	native := strings.Replace(phone, "{", `{"silent":true,`, 1)
	for who, c := range map[string]struct {
		to   string
		d    notify.Delivery
		want webpushsim.Message
	}{
		"a storm":                       {phone, notify.Delivery{Class: commune.Emergency, Urgent: true, Tag: "n0tice000000001", Spread: 12 * time.Second}, webpushsim.Message{TTL: 172800, Urgency: "high", Plain: `{"t":"s","j":12,"g":"n0tice000000001","u":true}`}},
		"a storm that is over at three": {phone, notify.Delivery{Class: commune.Emergency, Urgent: true, Life: 90 * time.Minute}, webpushsim.Message{TTL: 5400, Urgency: "high", Plain: `{"t":"s","j":0,"u":true}`}},
		"papers are missing":            {phone, notify.Delivery{Class: commune.Needed, Urgent: true, Life: 1000 * 24 * time.Hour}, webpushsim.Message{TTL: 2419200, Urgency: "high", Plain: `{"t":"s","j":0,"u":true}`}},
		"news of the village":           {phone, notify.Delivery{Class: commune.Information}, webpushsim.Message{TTL: 604800, Urgency: "normal", Topic: "s", Plain: `{"t":"s","j":0}`}},
		"a record for a native app":     {native, notify.Delivery{Class: commune.DataOnly}, webpushsim.Message{TTL: 86400, Urgency: "low", Topic: "s", Plain: `{"t":"s","j":0}`}},
		"it is over in a moment":        {phone, notify.Delivery{Class: commune.Information, Life: 300 * time.Millisecond}, webpushsim.Message{TTL: 0, Urgency: "normal", Topic: "s", Plain: `{"t":"s","j":0}`}},
	} {
		t.Run(who, func(t *testing.T) {
			if err := w.wake(t, c.to, c.d); err != nil {
				t.Fatal(err)
			}
			got := w.service.Take()
			if len(got) != 1 {
				t.Fatalf("%d messages", len(got))
			}
			m := got[0]
			if m.Size != BodySize || m.Size > 300 {
				t.Errorf("body of %d bytes, want %d: sizes tell what is in them", m.Size, BodySize)
			}
			if m.Proto != "HTTP/2.0" {
				t.Errorf("over %s", m.Proto)
			}
			if m.TTL != c.want.TTL || m.Urgency != c.want.Urgency || m.Topic != c.want.Topic || m.Plain != c.want.Plain {
				t.Errorf("sent %+v", m)
			}
		})
	}
	if err := w.wake(t, phone, notify.Delivery{Class: commune.DataOnly}); err != nil || len(w.service.Take()) != 0 {
		t.Error("a browser was made to show that nothing is to be seen")
	}
	if f := w.service.Faults(); len(f) != 0 {
		t.Errorf("against the rules: %v", f)
	}
}

func TestWhatTheServiceSays(t *testing.T) {
	w := newTown(t)
	phone := w.service.Subscribe("lan", w.PublicKey())
	for who, c := range map[string]struct {
		status int
		header map[string]string
		want   string
		after  time.Duration
	}{
		"accepted":                  {201, nil, "ok", 0},
		"accepted, receipt later":   {202, nil, "ok", 0},
		"the subscription is gone":  {410, nil, "dead", 0},
		"nobody knows it":           {404, nil, "dead", 0},
		"too big":                   {413, nil, "refused", 0},
		"not understood":            {400, nil, "refused", 0},
		"elsewhere":                 {307, map[string]string{"Location": "https://127.0.0.1/"}, "refused", 0},
		"too many, says when":       {429, map[string]string{"Retry-After": "120"}, "later", 2 * time.Minute},
		"too many, does not say":    {429, nil, "later", time.Minute},
		"busy, says when":           {503, map[string]string{"Retry-After": "30"}, "later", 30 * time.Second},
		"busy":                      {503, nil, "later", 0},
		"broken":                    {500, nil, "later", 0},
		"another server's address":  {403, nil, "suspect", 0},
		"token not taken this time": {401, nil, "suspect", 0},
	} {
		t.Run(who, func(t *testing.T) {
			w.service.Say("lan", webpushsim.Answer{Status: c.status, Header: c.header, Body: "no: " + phone})
			defer w.service.Say("lan", webpushsim.Answer{})
			err := w.wake(t, phone, notify.Delivery{Class: commune.Information})
			got, after := kind(err)
			if got != c.want || after != c.after {
				t.Errorf("got %s after %v (%v), want %s after %v", got, after, err, c.want, c.after)
			}
			if err != nil && strings.Contains(err.Error(), "/push/") {
				t.Errorf("the error tells the address: %v", err)
			}
		})
	}
	w.service.Forget("lan")
	if got, _ := kind(w.wake(t, phone, notify.Delivery{})); got != "dead" {
		t.Errorf("a phone that is gone is %s", got)
	}
}

func kind(err error) (string, time.Duration) {
	var gone *notify.Dead
	var suspect *notify.Suspect
	var later *notify.Later
	var config *notify.Config
	switch {
	case err == nil:
		return "ok", 0
	case errors.As(err, &gone):
		return "dead", 0
	case errors.As(err, &suspect):
		return "suspect", 0
	case errors.As(err, &later):
		return "later", later.After
	case errors.As(err, &config):
		return "config", 0
	}
	return "refused", 0
}

// TestOneStrangeAddressSilencesNobody: a phone that registers an address made for
// another server's key is refused by its service as if our key were wrong.
func TestOneStrangeAddressSilencesNobody(t *testing.T) {
	w := newTown(t)
	good := w.service.Subscribe("lan", w.PublicKey())
	var strange []string
	for _, name := range strings.Split("a b c d e f g h i j k l", " ") {
		strange = append(strange, w.service.Subscribe(name, vectorKey))
	}
	for range 20 {
		if got, _ := kind(w.wake(t, strange[0], notify.Delivery{})); got != "suspect" {
			t.Fatalf("one strange address is %s", got)
		}
	}
	if err := w.wake(t, good, notify.Delivery{}); err != nil {
		t.Fatal(err)
	}
	for i, s := range strange[:mostRefused] {
		want := "suspect"
		if i == mostRefused-1 {
			want = "config" // ten different ones and none that is taken: it is us
		}
		if got, _ := kind(w.wake(t, s, notify.Delivery{})); got != want {
			t.Errorf("strange address %d is %s, want %s", i, got, want)
		}
	}
	if got, _ := kind(w.wake(t, strange[0], notify.Delivery{})); got != "suspect" {
		t.Errorf("the first after it is %s: it decides for all others", got)
	}
}

func TestTokenIsKeptForItsOriginAndRenewed(t *testing.T) {
	w := newTown(t)
	phones := []string{w.service.Subscribe("lan", w.PublicKey()), w.service.Subscribe("mai", w.PublicKey())}
	token := func(i int) string {
		t.Helper()
		if err := w.wake(t, phones[i], notify.Delivery{}); err != nil {
			t.Fatal(err)
		}
		return w.service.Take()[0].Token
	}
	first := token(0)
	w.clock.add(tokenLife/2 - time.Minute)
	if token(1) != first {
		t.Error("a token for each phone: services want few")
	}
	w.clock.add(2 * time.Minute)
	if token(0) == first {
		t.Error("the token is not renewed at half of its life")
	}
	w.clock.add(-48 * time.Hour) // the computer's clock was put right
	if err := w.wake(t, phones[0], notify.Delivery{}); err != nil {
		t.Errorf("after the clock was put back: %v", err)
	}
}

func TestKeyIsMadeOnceAndKept(t *testing.T) {
	dir := t.TempDir()
	key := func() string {
		t.Helper()
		s := New(Settings{})
		if s.Off() == "" {
			t.Error("on without a key")
		}
		if got, _ := kind(s.Send(context.Background(), notify.Delivery{})); got != "config" {
			t.Error("sends without a key")
		}
		if err := s.Open(dir); err != nil {
			t.Fatal(err)
		}
		if s.Off() != "" {
			t.Error(s.Off())
		}
		return s.PublicKey()
	}
	first := key()
	if b, err := base64.RawURLEncoding.DecodeString(first); err != nil || len(b) != 65 || b[0] != 4 {
		t.Errorf("public key %q", first)
	}
	if key() != first {
		t.Error("another key after a restart: every phone would have to subscribe again")
	}
	info, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file %v (%v)", info, err)
	}
	if err := os.WriteFile(filepath.Join(dir, keyFile), make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	if New(Settings{}).Open(dir) == nil {
		t.Error("a key of zeros is taken")
	}
}

func subscription(endpoint, p256dh, auth string) string {
	text, _ := json.Marshal(map[string]any{"endpoint": endpoint, "keys": map[string]string{"p256dh": p256dh, "auth": auth}})
	return string(text)
}

func TestEndpointsThatAreBelieved(t *testing.T) {
	s := New(Settings{})
	for who, c := range map[string]struct {
		endpoint string
		good     bool
	}{
		"Chrome":                  {"https://fcm.googleapis.com/fcm/send/abc:APA91b", true},
		"Firefox":                 {"https://updates.push.services.mozilla.com/wpush/v2/gAAA", true},
		"Safari":                  {"https://web.push.apple.com/QGu", true},
		"UnifiedPush on own host": {"https://ntfy.xa-phuc-hoa.vn/upAbC?up=1", true},
		"the port spelt out":      {"https://push.example.net:443/x", true},
		"plain http":              {"http://push.example.net/x", false},
		"another port":            {"https://push.example.net:8443/x", false},
		"an empty port":           {"https://push.example.net:/x", false},
		"localhost":               {"https://localhost/x", false},
		"this computer":           {"https://127.0.0.1/x", false},
		"a public address":        {"https://8.8.8.8/x", false},
		"IPv6":                    {"https://[::1]/x", false},
		"IPv4 in IPv6":            {"https://[::ffff:169.254.169.254]/x", false},
		"metadata":                {"https://169.254.169.254/latest", false},
		"metadata by name":        {"https://metadata.google.internal/x", false},
		"short notation":          {"https://127.1/x", false},
		"a number":                {"https://2130706433/x", false},
		"hexadecimal":             {"https://0x7f.0.0.0x1/x", false},
		"octal":                   {"https://0177.0.0.01/x", false},
		"one label":               {"https://router/x", false},
		"mDNS":                    {"https://may-in.local/x", false},
		"a dot at the end":        {"https://printer.lan./x", false},
		"a user":                  {"https://a@push.example.net/x", false},
		"a user that misleads":    {"https://fcm.googleapis.com@evil.example/x", false},
		"a fragment":              {"https://push.example.net/x#y", false},
		"a backslash":             {`https://push.example.net\@evil.example/x`, false},
		"a line break":            {"https://push.example.net/x\r\nHost: y", false},
		"letters not of ASCII":    {"https://pսsh.example.net/x", false},
		"a file":                  {"file:///etc/passwd", false},
		"nothing":                 {"", false},
		"too long":                {"https://push.example.net/" + strings.Repeat("x", endpointMost), false},
	} {
		t.Run(who, func(t *testing.T) {
			_, err := s.Canonical(subscription(c.endpoint, vectorUA, vectorAuth))
			var bad *BadAddress
			if c.good != (err == nil) || err != nil && (!errors.As(err, &bad) || bad.Code != "push_endpoint" || bad.Say == "") {
				t.Errorf("%s: %v", c.endpoint, err)
			}
		})
	}
}

func TestKeysThatAreBelieved(t *testing.T) {
	s := New(Settings{})
	const endpoint = "https://push.example.net/x"
	padded := base64.StdEncoding.EncodeToString(raw(t, vectorUA))
	want, err := s.Canonical(subscription(endpoint, vectorUA, vectorAuth))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Canonical(strings.Replace(subscription(endpoint, padded, vectorAuth+"=="), "{", `{"expirationTime":null, `, 1)); err != nil || got != want {
		t.Errorf("another alphabet gives %s (%v)", got, err)
	}
	if again, err := s.Canonical(want); err != nil || again != want {
		t.Errorf("what is kept is not what is read: %s (%v)", again, err)
	}
	off := raw(t, vectorUA)
	off[64] ^= 1
	for who, c := range map[string][2]string{
		"no point of the curve": {base64.RawURLEncoding.EncodeToString(off), vectorAuth},
		"compressed":            {base64.RawURLEncoding.EncodeToString(append([]byte{2}, off[1:33]...)), vectorAuth},
		"no key":                {"", vectorAuth},
		"no secret":             {vectorUA, ""},
		"a short secret":        {vectorUA, "AAAA"},
		"not base64":            {vectorUA, "????????????????????????"},
	} {
		t.Run(who, func(t *testing.T) {
			_, err := s.Canonical(subscription(endpoint, c[0], c[1]))
			var bad *BadAddress
			if !errors.As(err, &bad) || bad.Code != "push_key" {
				t.Errorf("got %v", err)
			}
		})
	}
	for who, text := range map[string]string{"no JSON": "fcm-token", "two": want + want, "a list": "[]", "too long": `{"x":"` + strings.Repeat("y", addressMost) + `"}`} {
		if _, err := s.Canonical(text); err == nil {
			t.Errorf("%s is taken", who)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "2404:6800:4005::5f": true, "::ffff:8.8.8.8": true, "64:ff9b::808:808": true, "2002:808:808::1": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.20.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.100.100.200": false,
		"0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false, "192.0.2.1": false,
		"::1": false, "::": false, "fe80::1": false, "fe80::1%eth0": false, "fd00:ec2::254": false, "fec0::1": false, "ff02::1": false, "::127.0.0.1": false,
		"::ffff:127.0.0.1": false, "64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false, "2002:7f00:1::": false, "2001:0:1::1": false, "2001:db8::1": false,
	} {
		if public(netip.MustParseAddr(text)) != want {
			t.Errorf("%s public: %v", text, !want)
		}
	}
}

// TestNameThatTurnsInward: what counts is the address that is dialled, whatever
// the name said when the phone registered.
func TestNameThatTurnsInward(t *testing.T) {
	w := newTown(t)
	strict := New(Settings{})
	if err := strict.control("tcp4", "127.0.0.1:443", nil); !errors.Is(err, errPrivate) {
		t.Errorf("this computer: %v", err)
	}
	if err := strict.control("tcp6", "[fd00::1]:443", nil); !errors.Is(err, errPrivate) {
		t.Errorf("a local network: %v", err)
	}
	if err := strict.control("tcp4", "8.8.8.8:22", nil); !errors.Is(err, errPrivate) {
		t.Errorf("another port: %v", err)
	}
	if err := strict.control("tcp4", "8.8.8.8:443", nil); err != nil {
		t.Errorf("the public network: %v", err)
	}
	// The whole road: the address was taken by a sender with other rules.
	phone := w.service.Subscribe("lan", w.PublicKey())
	inward := New(Settings{Roots: w.settings.Roots})
	a, err := w.Parse(phone)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := inward.road.Get(a.Endpoint)
	if err == nil {
		_ = resp.Body.Close()
	}
	if !errors.Is(err, errPrivate) {
		t.Errorf("dialled inward: %v", err)
	}
}

func TestLanesAreHosts(t *testing.T) {
	s := New(Settings{})
	a, b := s.Lane(subscription("https://fcm.googleapis.com/1", "", "")), s.Lane(subscription("https://fcm.googleapis.com/2", "", ""))
	if a != "fcm.googleapis.com" || a != b || s.Lane("nonsense") != "" {
		t.Errorf("lanes %q %q", a, b)
	}
}

func TestContact(t *testing.T) {
	for text, want := range map[string]string{
		"https://xa.example.vn": "https://xa.example.vn", "mailto:a@xa.example.vn": "mailto:a@xa.example.vn", "a@xa.example.vn": "mailto:a@xa.example.vn",
		"": "", "http://localhost:8090": "", "  ": "",
	} {
		if got := contact(func() string { return text }); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	s := New(Settings{})
	f.Add(subscription("https://push.example.net/x", vectorUA, vectorAuth))
	f.Add(`{"endpoint":"https://[::1%25eth0]:443/","keys":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		one, err := s.Canonical(text)
		s.Lane(text)
		if err != nil {
			return
		}
		if two, err := s.Canonical(one); err != nil || two != one {
			t.Errorf("%q becomes %q, then %q (%v)", text, one, two, err)
		}
	})
}

// BenchmarkSeal is what one wake-up costs this computer: keys, encryption, the
// token of its origin.
func BenchmarkSeal(b *testing.B) {
	s := New(Settings{Subject: func() string { return "https://xa.example.vn" }})
	if err := s.Open(b.TempDir()); err != nil {
		b.Fatal(err)
	}
	a, err := s.Parse(subscription("https://push.example.net/x", vectorUA, vectorAuth))
	if err != nil {
		b.Fatal(err)
	}
	d := notify.Delivery{Class: commune.Needed, Urgent: true, Tag: "n0tice000000001"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.request(b.Context(), a, d, "https://push.example.net", s.named()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(BodySize, "body-bytes/op")
}

// BenchmarkSealAndSign is the same with a token of its own each time.
func BenchmarkSealAndSign(b *testing.B) {
	s := New(Settings{Subject: func() string { return "https://xa.example.vn" }})
	if err := s.Open(b.TempDir()); err != nil {
		b.Fatal(err)
	}
	address := subscription("https://push.example.net/x", vectorUA, vectorAuth)
	d := notify.Delivery{Class: commune.Needed, Urgent: true, Tag: "n0tice000000001"}
	b.ReportAllocs()
	for b.Loop() {
		a, err := s.Parse(address)
		if err != nil {
			b.Fatal(err)
		}
		s.named().forget("https://push.example.net")
		if _, err := s.request(b.Context(), a, d, "https://push.example.net", s.named()); err != nil {
			b.Fatal(err)
		}
	}
}
