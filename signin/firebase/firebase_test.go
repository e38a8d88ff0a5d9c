package firebase

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// google serves the certificate of one key where the SDK looks for it, and signs.
type google struct {
	key  *rsa.PrivateKey
	away bool
}

func newGoogle(t *testing.T) *google {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	g := &google{key: key}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}, &x509.Certificate{}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if g.away {
			http.Error(w, "away", 500)
			return
		}
		w.Header().Set("Cache-Control", "max-age=3600")
		_ = json.NewEncoder(w).Encode(map[string]string{"k1": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))})
	}))
	t.Cleanup(web.Close)
	was := http.DefaultTransport
	http.DefaultTransport = &http.Transport{ // the SDK clones it; every name leads here
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, web.Listener.Addr().String())
		},
	}
	t.Cleanup(func() { http.DefaultTransport = was })
	return g
}

func (g *google) token(t *testing.T, key *rsa.PrivateKey, change map[string]any) string {
	t.Helper()
	now := time.Now().Unix()
	claims := map[string]any{"iss": "https://securetoken.google.com/xa-thu", "aud": "xa-thu", "sub": "u1", "iat": now - 10, "exp": now + 3600, "auth_time": now - 10,
		"phone_number": "+84912345678", "firebase": map[string]any{"sign_in_provider": "phone"}}
	maps.Copy(claims, change)
	part := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	text := part(map[string]string{"alg": "RS256", "kid": "k1", "typ": "JWT"}) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// otherwise writes a token so that it means the same: the last character of a
// signature of 256 bytes has bits to spare.
func otherwise(t *testing.T, token string) string {
	t.Helper()
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	other := token[:last] + string(letters[strings.IndexByte(letters, token[last])^1])
	a, err1 := base64.RawURLEncoding.DecodeString(token[strings.LastIndexByte(token, '.')+1:])
	b, err2 := base64.RawURLEncoding.DecodeString(other[strings.LastIndexByte(other, '.')+1:])
	if err1 != nil || err2 != nil || !bytes.Equal(a, b) || other == token {
		t.Fatal("it does not mean the same")
	}
	return other
}

func TestWhoseNumberIsBelieved(t *testing.T) {
	g := newGoogle(t)
	v, err := New("xa-thu")
	if err != nil {
		t.Fatal(err)
	}
	g.away = true
	if _, err := v.Prove(t.Context(), g.token(t, g.key, nil)); !errors.Is(err, ErrAway) {
		t.Errorf("without Google's keys: %v", err)
	}
	g.away = false
	one, err := v.Prove(t.Context(), g.token(t, g.key, nil))
	if err != nil || one.Number != "+84912345678" {
		t.Fatalf("number %q (%v)", one.Number, err)
	}
	// A newer token of the same sign-in, and the same one written otherwise, are no
	// new proof; another sign-in is.
	now := time.Now().Unix()
	sameSignIn := map[string]any{"auth_time": now - 60, "iat": now - 60}
	first, later := g.token(t, g.key, sameSignIn), g.token(t, g.key, map[string]any{"auth_time": now - 60, "iat": now - 1})
	var ids [][32]byte
	for _, token := range []string{first, later, otherwise(t, first)} {
		p, err := v.Prove(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.ID)
	}
	if ids[0] != ids[1] || ids[0] != ids[2] || ids[0] == one.ID {
		t.Error("one sign-in is good for several phones, or two are one")
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for who, token := range map[string]string{
		"signed by somebody else": g.token(t, other, nil),
		"of another project":      g.token(t, g.key, map[string]any{"aud": "other", "iss": "https://securetoken.google.com/other"}),
		"of another issuer":       g.token(t, g.key, map[string]any{"iss": "https://evil.example/xa-thu"}),
		"run out":                 g.token(t, g.key, map[string]any{"exp": now - 3600, "iat": now - 7200}),
		"signed in an hour ago":   g.token(t, g.key, map[string]any{"auth_time": now - 3600}),
		"signed in just too long": g.token(t, g.key, map[string]any{"auth_time": now - 310}),
		"signed in tomorrow":      g.token(t, g.key, map[string]any{"auth_time": now + 86400}),
		"by e-mail":               g.token(t, g.key, map[string]any{"phone_number": nil, "firebase": map[string]any{"sign_in_provider": "password"}}),
		"a number, but by e-mail": g.token(t, g.key, map[string]any{"firebase": map[string]any{"sign_in_provider": "password"}}),
		"a number that is none":   g.token(t, g.key, map[string]any{"phone_number": 84912345678}),
		"nonsense":                "a.b.c", "nothing": "",
	} {
		if p, err := v.Prove(t.Context(), token); !errors.Is(err, ErrToken) || p != (Proof{}) {
			t.Errorf("%s: %q (%v)", who, p.Number, err)
		}
	}
	t.Setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:1")
	if _, err := New("xa-thu"); err == nil {
		t.Error("a setting that makes the SDK believe everything is let be")
	}
}
