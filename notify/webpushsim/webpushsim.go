// Package webpushsim is a push service for tests: it plays those of browsers by
// the words of RFC 8030, 8188, 8291 and 8292, strictly, and opens what it is
// given with the phone's keys. It shares no code with the sender.
//
// A phone is either made by [Service.Subscribe], with keys in memory, or is a
// real Firefox that speaks to [Service.WebSocket] as it does to Mozilla's service.
package webpushsim

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Message is one that the service accepted.
type Message struct {
	Phone   string // name of the phone
	TTL     int
	Urgency string
	Topic   string
	Plain   string // as the phone opens it; "" for a phone whose keys are not here
	Size    int    // of the body
	Body    []byte
	Token   string // the sender's
	Proto   string // HTTP/2.0
}

// Answer is what the service says instead of its own.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
}

// Service is one push service. Its fields are set before the first request.
type Service struct {
	// Base is the address under which the service is reached: "https://127.0.0.1:1".
	Base string
	Now  func() time.Time // nil: the computer's clock
	// Most is how many messages a phone may get before 429; 0: any number.
	Most int

	mu     sync.Mutex
	phones map[string]*phone
	got    []Message
	says   map[string]Answer
	faults []string
	sock   *socket
}

type phone struct {
	name, key string // the application server's key that the phone subscribed to
	private   *ecdh.PrivateKey
	auth      []byte
	gone      bool
	heard     int
}

// Subscribe makes a phone that takes messages of the server with this public key
// (base64url), and returns its subscription as JSON.
func (s *Service) Subscribe(name, serverKey string) string {
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	p := &phone{name: name, key: serverKey, private: private, auth: make([]byte, 16)}
	_, _ = rand.Read(p.auth)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(p)
	out, _ := json.Marshal(map[string]any{
		"endpoint": s.Base + "/push/" + name, "expirationTime": nil,
		"keys": map[string]string{"p256dh": base64.RawURLEncoding.EncodeToString(private.PublicKey().Bytes()), "auth": base64.RawURLEncoding.EncodeToString(p.auth)},
	})
	return string(out)
}

func (s *Service) add(p *phone) {
	if s.phones == nil {
		s.phones = map[string]*phone{}
	}
	s.phones[p.name] = p
}

// Forget lets a phone be gone, as when the app is removed.
func (s *Service) Forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.phones[name]; p != nil {
		p.gone = true
	}
}

// Say lets the service answer messages to a phone so, until a zero Answer.
func (s *Service) Say(name string, a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.says == nil {
		s.says = map[string]Answer{}
	}
	s.says[name] = a
}

// Take returns what came since the last call.
func (s *Service) Take() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.got
	s.got = nil
	return out
}

// Faults returns what senders did against the rules.
func (s *Service) Faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.faults...)
}

// refusal is a message against the rules.
type refusal struct {
	status int
	why    string
}

func (r *refusal) Error() string { return r.why }

func refuse(status int, why string) error { return &refusal{status, why} }

// ServeHTTP takes messages on /push/<phone>.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, "/push/")
	if !ok {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	says := s.says[name]
	s.mu.Unlock()
	if says.Status != 0 {
		for k, v := range says.Header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(says.Status)
		_, _ = io.WriteString(w, says.Body)
		return
	}
	m, err := s.take(r, name)
	var no *refusal
	if errors.As(err, &no) {
		s.mu.Lock()
		if no.status != http.StatusGone && no.status != http.StatusTooManyRequests {
			s.faults = append(s.faults, no.why)
		}
		s.mu.Unlock()
		if no.status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "60")
		}
		http.Error(w, no.why, no.status)
		return
	}
	s.mu.Lock()
	s.got = append(s.got, m)
	sock := s.sock
	s.mu.Unlock()
	if sock != nil {
		sock.deliver(m)
	}
	w.Header().Set("Location", s.Base+"/message/"+strconv.Itoa(len(m.Body)))
	w.WriteHeader(http.StatusCreated)
}

var topics = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// take holds a message to the rules and opens it.
func (s *Service) take(r *http.Request, name string) (Message, error) {
	s.mu.Lock()
	p := s.phones[name]
	s.mu.Unlock()
	h := r.Header
	m := Message{Phone: name, Urgency: h.Get("Urgency"), Topic: h.Get("Topic"), Proto: r.Proto}
	switch {
	case r.Method != http.MethodPost:
		return m, refuse(http.StatusMethodNotAllowed, "not POST")
	case p == nil:
		return m, refuse(http.StatusNotFound, "no such subscription")
	case p.gone:
		return m, refuse(http.StatusGone, "gone")
	}
	var err error
	if m.TTL, err = strconv.Atoi(h.Get("TTL")); err != nil || m.TTL < 0 || m.TTL > 2419200 {
		return m, refuse(http.StatusBadRequest, "TTL missing or not a number of seconds") // RFC 8030 §5.2
	}
	switch m.Urgency {
	case "very-low", "low", "normal", "high":
	default:
		return m, refuse(http.StatusBadRequest, "Urgency unknown") // RFC 8030 §5.3
	}
	if topic, has := h["Topic"]; has && (len(topic) != 1 || !topics.MatchString(topic[0])) {
		return m, refuse(http.StatusBadRequest, "Topic not base64url of at most 32") // RFC 8030 §5.4
	}
	if h.Get("Content-Encoding") != "aes128gcm" || h.Get("Content-Type") != "application/octet-stream" {
		return m, refuse(http.StatusBadRequest, "not aes128gcm")
	}
	if m.Body, err = io.ReadAll(io.LimitReader(r.Body, 4097)); err != nil {
		return m, refuse(http.StatusBadRequest, "body cut")
	}
	if m.Size = len(m.Body); m.Size > 4096 {
		return m, refuse(http.StatusRequestEntityTooLarge, "body over 4096 bytes") // RFC 8030 §7.2
	}
	if m.Token, err = s.authorized(h.Get("Authorization"), p.key); err != nil {
		return m, err
	}
	s.mu.Lock()
	p.heard++
	over := s.Most > 0 && p.heard > s.Most
	s.mu.Unlock()
	if over {
		return m, refuse(http.StatusTooManyRequests, "too many")
	}
	if p.private != nil {
		plain, err := Open(p.private, p.auth, m.Body)
		if err != nil {
			return m, refuse(http.StatusBadRequest, "cannot be opened: "+err.Error())
		}
		m.Plain = string(plain)
	}
	return m, nil
}

var scheme = regexp.MustCompile(`^vapid t=([\w-]+\.[\w-]+\.[\w-]+), *k=([\w-]+)$`)

// authorized checks a sender's token (RFC 8292 §2–3, §4.2).
func (s *Service) authorized(header, key string) (string, error) {
	found := scheme.FindStringSubmatch(header)
	if found == nil {
		return "", refuse(http.StatusUnauthorized, "no vapid authorization")
	}
	if key != "" && found[2] != key {
		return "", refuse(http.StatusForbidden, "another server's key than the phone subscribed to")
	}
	now := time.Now()
	if s.Now != nil {
		now = s.Now()
	}
	claims, err := Verify(found[1], found[2])
	if err != nil {
		return "", refuse(http.StatusForbidden, err.Error())
	}
	switch {
	case claims.Audience != s.Base:
		return "", refuse(http.StatusForbidden, fmt.Sprintf("aud is %q, not %q", claims.Audience, s.Base))
	case claims.Expires <= now.Unix() || claims.Expires > now.Add(24*time.Hour).Unix():
		return "", refuse(http.StatusForbidden, "exp past, or over a day away")
	case !strings.HasPrefix(claims.Subject, "https://") && !strings.HasPrefix(claims.Subject, "mailto:"):
		return "", refuse(http.StatusForbidden, "sub is no https or mailto address")
	}
	return found[1], nil
}

// Claims are what a token says.
type Claims struct {
	Audience string `json:"aud"`
	Expires  int64  `json:"exp"`
	Subject  string `json:"sub"`
}

// Verify checks the signature of a token under a public key in base64url.
func Verify(token, key string) (Claims, error) {
	var c Claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, errors.New("token has not three parts")
	}
	var raw [3][]byte
	for i, p := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.DecodeString(p); err != nil {
			return c, errors.New("token is not base64url")
		}
	}
	var head struct {
		Algorithm string `json:"alg"`
	}
	if json.Unmarshal(raw[0], &head) != nil || head.Algorithm != "ES256" {
		return c, errors.New("token is not of ES256")
	}
	point, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil {
		return c, errors.New("key is not base64url")
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return c, errors.New("key is no point of P-256")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if len(raw[2]) != 64 || !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(raw[2][:32]), new(big.Int).SetBytes(raw[2][32:])) {
		return c, errors.New("token's signature is not of the key")
	}
	if err := json.Unmarshal(raw[1], &c); err != nil {
		return c, errors.New("token's claims are no JSON")
	}
	return c, nil
}

// Open opens the body of a message with a phone's keys (RFC 8291 §4, RFC 8188 §2).
func Open(private *ecdh.PrivateKey, auth, body []byte) ([]byte, error) {
	if len(body) < 21 || len(body) < 21+int(body[20]) {
		return nil, errors.New("no header")
	}
	salt, size, id, sealed := body[:16], binary.BigEndian.Uint32(body[16:20]), body[21:21+int(body[20])], body[21+int(body[20]):]
	if len(sealed) < 17 || uint32(len(sealed)) > size || size < 18 {
		return nil, errors.New("not one record")
	}
	theirs, err := ecdh.P256().NewPublicKey(id)
	if err != nil {
		return nil, err
	}
	shared, err := private.ECDH(theirs)
	if err != nil {
		return nil, err
	}
	extract := func(secret, salt []byte) []byte {
		out, err := hkdf.Extract(sha256.New, secret, salt)
		if err != nil {
			panic(err)
		}
		return out
	}
	expand := func(prk []byte, info string, n int) []byte {
		out, err := hkdf.Expand(sha256.New, prk, info, n)
		if err != nil {
			panic(err)
		}
		return out
	}
	ikm := expand(extract(shared, auth), "WebPush: info\x00"+string(private.PublicKey().Bytes())+string(id), 32)
	prk := extract(ikm, salt)
	block, err := aes.NewCipher(expand(prk, "Content-Encoding: aes128gcm\x00", 16))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, expand(prk, "Content-Encoding: nonce\x00", 12), sealed, nil)
	if err != nil {
		return nil, err
	}
	plain = []byte(strings.TrimRight(string(plain), "\x00"))
	if len(plain) == 0 || plain[len(plain)-1] != 2 {
		return nil, errors.New("no delimiter of a last record")
	}
	return plain[:len(plain)-1], nil
}
