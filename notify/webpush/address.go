package webpush

import (
	"bytes"
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// Address is where a phone's push service takes wake-ups, and the keys that
// only this phone can open them with: what a browser calls a PushSubscription.
type Address struct {
	Endpoint string `json:"endpoint"`
	Keys     struct {
		P256DH string `json:"p256dh"` // base64url: 65 bytes, a point of P-256, uncompressed
		Auth   string `json:"auth"`   // base64url: 16 bytes
	} `json:"keys"`
	// Silent: the phone need not show something at each wake-up. Browsers must,
	// so wake-ups that nobody is to look at go only to phones that say this: native apps
	// behind a UnifiedPush distributor.
	Silent bool `json:"silent,omitempty"`

	at     *url.URL
	public *ecdh.PublicKey
	auth   []byte
}

// BadAddress is why an address is refused: a stable code and a sentence for
// the person.
type BadAddress struct{ Code, Say, why string }

func (e *BadAddress) Error() string { return e.Code + ": " + e.why }

const (
	sayEndpoint = "Địa chỉ nhận thông báo không hợp lệ, điện thoại vẫn đồng bộ bình thường."
	sayKey      = "Khóa nhận thông báo bị hỏng, hãy tắt rồi bật lại thông báo."
)

func badEndpoint(why string) error { return &BadAddress{"push_endpoint", sayEndpoint, why} }
func badKey(why string) error      { return &BadAddress{"push_key", sayKey, why} }

// Most bytes of an address as it comes, and of its endpoint: those of browsers
// have 150 to 400.
const (
	addressMost  = 4096
	endpointMost = 2048
)

// Parse reads the JSON of a PushSubscription and holds it to the rules of this
// package. Members that are not used, as expirationTime, are passed over.
func (s *Sender) Parse(text string) (*Address, error) {
	if len(text) > addressMost {
		return nil, badEndpoint("address too long")
	}
	d := json.NewDecoder(strings.NewReader(text))
	a := &Address{}
	if err := d.Decode(a); err != nil {
		return nil, badEndpoint("address is no subscription")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, badEndpoint("something follows the subscription")
	}
	var err error
	if a.at, err = s.endpoint(a.Endpoint); err != nil {
		return nil, err
	}
	raw, err := unbase64(a.Keys.P256DH)
	if err != nil || len(raw) != 65 {
		return nil, badKey("p256dh has not 65 bytes")
	}
	if a.public, err = ecdh.P256().NewPublicKey(raw); err != nil {
		return nil, badKey("p256dh is no point of P-256")
	}
	if a.auth, err = unbase64(a.Keys.Auth); err != nil || len(a.auth) != 16 {
		return nil, badKey("auth has not 16 bytes")
	}
	a.Keys.P256DH, a.Keys.Auth = base64.RawURLEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(a.auth)
	return a, nil
}

// Canonical returns the address as it is kept: the same for the same
// subscription, however the phone wrote it. An error is a *[BadAddress].
func (s *Sender) Canonical(text string) (string, error) {
	a, err := s.Parse(text)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(a); err != nil {
		return "", fmt.Errorf("write address: %w", err)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// unbase64 reads base64url, and the other alphabet and padding that some
// libraries write.
func unbase64(text string) ([]byte, error) {
	text = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
	return base64.RawURLEncoding.Strict().DecodeString(text)
}

// endpoint reads the address of a push resource. It is what a stranger tells the
// server to call, so it must be https on the usual port of a host with a public name:
// what that name stands for is looked at when it is dialled (see [public]).
func (s *Sender) endpoint(text string) (*url.URL, error) {
	if text == "" || len(text) > endpointMost {
		return nil, badEndpoint("endpoint empty or too long")
	}
	for _, r := range text {
		if r <= ' ' || r > '~' || r == '\\' {
			return nil, badEndpoint("endpoint has characters that no address has")
		}
	}
	at, err := url.Parse(text)
	if err != nil || at.Host == "" || at.Opaque != "" {
		return nil, badEndpoint("endpoint is no web address")
	}
	if at.User != nil || at.Fragment != "" || strings.HasSuffix(text, "#") {
		return nil, badEndpoint("endpoint names a user or a fragment")
	}
	if s.loopback {
		if ip, err := netip.ParseAddr(at.Hostname()); at.Hostname() == "localhost" || err == nil && ip.IsLoopback() {
			return at, nil
		}
	}
	if at.Scheme != "https" {
		return nil, badEndpoint("endpoint is not https")
	}
	if port := at.Port(); port != "" && port != "443" || strings.HasSuffix(at.Host, ":") {
		return nil, badEndpoint("endpoint names a port")
	}
	if !publicName(at.Hostname()) {
		return nil, badEndpoint("endpoint is not on a host of the public network")
	}
	return at, nil
}

// privateEnds are names that stand for hosts of a local network.
var privateEnds = []string{".localhost", ".local", ".internal", ".intranet", ".lan", ".home", ".corp", ".home.arpa", ".localdomain", ".onion", ".test", ".invalid"}

// publicName tells whether a host has a name of at least two labels whose last is
// a word: so no address in whatever notation ("127.1", "0x7f000001").
func publicName(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	dot := strings.LastIndexByte(host, '.')
	if dot < 1 || len(host) > 253 || net.ParseIP(host) != nil {
		return false
	}
	for _, label := range strings.Split(host, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	last := host[dot+1:]
	if last[0] < 'a' || last[0] > 'z' || len(last) < 2 {
		return false
	}
	for _, end := range privateEnds {
		if strings.HasSuffix(host, end) {
			return false
		}
	}
	return true
}

// Lane is the host of the address: each push service rests and fails alone.
func (s *Sender) Lane(address string) string {
	var a struct {
		Endpoint string `json:"endpoint"`
	}
	if json.Unmarshal([]byte(address), &a) != nil {
		return ""
	}
	at, err := url.Parse(a.Endpoint)
	if err != nil {
		return ""
	}
	return at.Host
}
