package webpush

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// keyFile is the name of the server's key beside the databases.
const keyFile = "webpush.key"

// loadKey reads the key that the server shows to push services, making one at
// the first start. Phones are subscribed to it: with another key none of them
// could be woken. It lies beside the databases, so a backup takes it along.
func loadKey(dir string) (*ecdsa.PrivateKey, error) {
	path := filepath.Join(dir, keyFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of web push: %w", err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		return nil, fmt.Errorf("read the key of web push: %s is not a key", path)
	}
	return key, nil
}

// makeKey writes a new key whole or not at all.
func makeKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of web push: %w", err)
	}
	raw, err := key.Bytes()
	if err != nil {
		return nil, fmt.Errorf("make the key of web push: %w", err)
	}
	if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
		return nil, fmt.Errorf("write the key of web push: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return nil, fmt.Errorf("write the key of web push: %w", err)
	}
	return key, nil
}

// tokenLife is how long a token is good: RFC 8292 §2 allows a day. One is made
// anew after half of it, so that none is late at the service, and some services
// dislike one for each message.
const tokenLife = 12 * time.Hour

// vapid makes and keeps the tokens by which the server names itself to push
// services (RFC 8292): one for each origin.
type vapid struct {
	key     *ecdsa.PrivateKey
	public  string // base64url of the uncompressed point
	subject func() string

	mu     sync.Mutex
	tokens map[string]token
}

type token struct {
	header string
	made   time.Time
}

func newVAPID(key *ecdsa.PrivateKey, subject func() string) (*vapid, error) {
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write the key of web push: %w", err)
	}
	return &vapid{key: key, public: base64.RawURLEncoding.EncodeToString(point), subject: subject, tokens: map[string]token{}}, nil
}

// mostTokens bounds the memory that strangers' endpoints can take.
const mostTokens = 500

// header is the Authorization for an origin ("https://push.example").
func (v *vapid) header(origin string, now time.Time) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if t, ok := v.tokens[origin]; ok && now.Sub(t.made).Abs() < tokenLife/2 {
		return t.header, nil
	}
	text, err := v.sign(origin, now)
	if err != nil {
		return "", err
	}
	if len(v.tokens) >= mostTokens {
		clear(v.tokens)
	}
	header := "vapid t=" + text + ", k=" + v.public
	v.tokens[origin] = token{header, now}
	return header, nil
}

// forget drops the origin's token: the service did not like it.
func (v *vapid) forget(origin string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.tokens, origin)
}

// sign makes a token: a JWT under ES256, whose signature is r‖s (RFC 7518 §3.4).
func (v *vapid) sign(origin string, now time.Time) (string, error) {
	claims := struct {
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Subject  string `json:"sub,omitempty"`
	}{origin, now.Add(tokenLife).Unix(), contact(v.subject)}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("write token: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, v.key, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

// contact is whom a push service may write to: an https or mailto address, ""
// for none. A plain e-mail address is understood.
func contact(subject func() string) string {
	if subject == nil {
		return ""
	}
	text := strings.TrimSpace(subject())
	switch {
	case strings.HasPrefix(text, "https://"), strings.HasPrefix(text, "mailto:"):
		return text
	case strings.Contains(text, "@") && !strings.Contains(text, ":"):
		return "mailto:" + text
	}
	return ""
}
