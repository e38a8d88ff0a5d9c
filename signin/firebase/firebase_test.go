package firebase

import (
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

func TestWhoseNumberIsBelieved(t *testing.T) {
	g := newGoogle(t)
	v, err := New("xa-thu")
	if err != nil {
		t.Fatal(err)
	}
	g.away = true
	if _, err := v.Number(t.Context(), g.token(t, g.key, nil)); !errors.Is(err, ErrAway) {
		t.Errorf("without Google's keys: %v", err)
	}
	g.away = false
	if n, err := v.Number(t.Context(), g.token(t, g.key, nil)); err != nil || n != "+84912345678" {
		t.Fatalf("number %q (%v)", n, err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
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
		if n, err := v.Number(t.Context(), token); !errors.Is(err, ErrToken) || n != "" {
			t.Errorf("%s: %q (%v)", who, n, err)
		}
	}
	t.Setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:1")
	if _, err := New("xa-thu"); err == nil {
		t.Error("a setting that makes the SDK believe everything is let be")
	}
}
