package signin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"langso/sync/phones"
	"langso/sync/wire"
)

var runs = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-\d+z`)

func number(s string) int { n, _ := strconv.Atoi(s); return n }

func request(path, body string) *http.Request {
	return httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
}

func TestWhoIsLetThrough(t *testing.T) {
	v := newVillage(t)
	lan, other, blocked := newHandset(t), newHandset(t), newHandset(t)
	v.signIn(lan, "0912345678")
	v.signIn(other, "0900000001")
	v.person("chan", "+84911111111", "1990")
	v.signIn(blocked, "0911111111")
	r := v.record("phones", blocked.id)
	r.Set("blocked", true)
	if err := v.app.Save(r); err != nil {
		t.Fatal(err)
	}
	const path, body = "/api/sync", `{"v":1}`
	for who, c := range map[string]struct {
		make func() *http.Request
		code string
		wipe bool
	}{
		"the phone itself": {func() *http.Request {
			r := request(path, body)
			lan.sign(r, []byte(body))
			return r
		}, "", false},
		"with a query": {func() *http.Request {
			r := request(path+"?x=1", body)
			lan.sign(r, []byte(body))
			return r
		}, "", false},
		"nobody": {func() *http.Request { return request(path, body) }, "unknown_phone", false},
		"PocketBase's token": {func() *http.Request {
			r := request(path, body)
			r.Header.Set("Authorization", "Bearer x.y.z")
			return r
		}, "unknown_phone", false},
		"a phone that is not": {func() *http.Request {
			r := request(path, body)
			(&handset{key: lan.key, id: id("nobody")}).sign(r, []byte(body))
			return r
		}, "unknown_phone", false},
		"another key under this id": {func() *http.Request {
			r := request(path, body)
			(&handset{key: other.key, id: lan.id}).sign(r, []byte(body))
			return r
		}, "signature", false},
		"another body": {func() *http.Request {
			r := request(path, body)
			lan.sign(r, []byte(`{"v":2}`))
			return r
		}, "signature", false},
		"another path": {func() *http.Request {
			r := request("/api/phones/sign-out", body)
			lan.sign(r, []byte(body))
			r.URL.Path = path
			return r
		}, "signature", false},
		"another method": {func() *http.Request {
			r := request(path, body)
			lan.sign(r, []byte(body))
			r.Method = http.MethodGet
			return r
		}, "signature", false},
		"a cut signature": {func() *http.Request {
			r := request(path, body)
			lan.sign(r, []byte(body))
			r.Header.Set("Authorization", r.Header.Get("Authorization")[:60])
			return r
		}, "signature", false},
		"a blocked phone": {func() *http.Request {
			r := request(path, body)
			blocked.sign(r, []byte(body))
			return r
		}, "phone_blocked", true},
		// Only the blocked phone itself is told to wipe.
		"a stranger who asks after a blocked phone": {func() *http.Request {
			r := request(path, body)
			(&handset{key: other.key, id: blocked.id}).sign(r, []byte(body))
			return r
		}, "signature", false},
		"SQL": {func() *http.Request {
			r := request(path, body)
			(&handset{key: lan.key, id: "' OR '1'='1"}).sign(r, []byte(body))
			return r
		}, "unknown_phone", false},
	} {
		t.Run(who, func(t *testing.T) {
			p, err := (phones.Book{App: v.app, People: "persons"}).Signed(c.make(), []byte(body))
			if c.code == "" {
				if err != nil || p.ID != lan.id || p.Person != id("lan") {
					t.Errorf("got %+v, %v", p, err)
				}
				return
			}
			var f *wire.AskError
			if (p != nil) != c.wipe || !errors.As(err, &f) || f.Code != c.code || f.Wipe != c.wipe || f.Say == "" {
				t.Errorf("got %+v, %+v, want %s", p, err, c.code)
			}
		})
	}
}

// TestP256 is the key of a browser that knows no Ed25519.
func TestP256(t *testing.T) {
	v := newVillage(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	a := v.post("/api/phones/sign-in", map[string]string{"number": "0912345678", "code": v.code("0912345678"),
		"key": "p256:" + base64.RawURLEncoding.EncodeToString(point)}, nil)
	if a.Phone == "" {
		t.Fatalf("answered %s", a.raw)
	}
	req := request("/api/sync", "{}")
	sum := sha256.Sum256(wire.SigningBytes(req.Method, req.URL.Path, []byte("{}")))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	req.Header.Set("Authorization", wire.Authorization(a.Phone, sig))
	if _, err := (phones.Book{App: v.app, People: "persons"}).Signed(req, []byte("{}")); err != nil {
		t.Error(err)
	}
}

func TestWriteErrorHidesTheServersTrouble(t *testing.T) {
	w := httptest.NewRecorder()
	if err := phones.WriteError(w, errors.New("no such table: phones +84912345678")); err != nil {
		t.Fatal(err)
	}
	if w.Code != 503 || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "phones") || !strings.Contains(w.Body.String(), `"busy"`) {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	if err := phones.WriteError(w, phones.ErrBlocked); err != nil {
		t.Fatal(err)
	}
	if w.Code != 403 || !strings.Contains(w.Body.String(), `"wipe":true`) || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

// BenchmarkAuthenticate is a part of every exchange.
func BenchmarkAuthenticate(b *testing.B) {
	v := newVillage(b)
	h := newHandset(b)
	v.signIn(h, "0912345678")
	body := []byte(`{"v":1,"cursor":120}`)
	r := request("/api/sync", string(body))
	h.sign(r, body)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (phones.Book{App: v.app, People: "persons"}).Signed(r, body); err != nil {
			b.Fatal(err)
		}
	}
}
