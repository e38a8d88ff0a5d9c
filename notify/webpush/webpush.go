// Package webpush wakes phones through the push services of browsers (RFC
// 8030) and, by the same words, through UnifiedPush distributors.
//
// A wake-up is sealed so that only the phone can open it (RFC 8291), and yet says
// nothing: "sync", over how long to spread, and a hash by which the phone knows
// two that are about the same. All have one size. The server names itself by a
// key of its own (RFC 8292); phones subscribe to that key, so nobody else can
// wake them.
//
// An address comes from a phone, so it is a stranger's word for whom the server
// is to call. It is believed only as an https endpoint on a public name, and the
// address behind the name is looked at again at the moment of dialling: a name
// server that changes its mind does not lead the server into its own network.
// What a service answers is sorted by its status alone into the outbox's kinds
// of error, for that service only: each host is a lane of its own.
package webpush

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"langso/commune"
	"langso/notify"
)

const (
	patience = 15 * time.Second
	// One connection of HTTP/2 carries a hundred wake-ups; Go would dial one for
	// each that waits before it learns so.
	connections = 5
	// quotaRest is the rest after a 429 that does not say how long.
	quotaRest = time.Minute
	// longest is how long push services keep a message.
	longest = 28 * 24 * time.Hour
	// perMinute is what one service is given. None publishes what it takes; this is a
	// ninth of what FCM grants a project, and all of a commune's browsers in ten seconds.
	perMinute = 60_000
)

// Settings say how to reach push services. The zero value will do.
type Settings struct {
	// Subject is whom a service may write to about our wake-ups: the commune's https
	// address or an e-mail address. nil or "": nobody, which Apple's service refuses.
	Subject func() string
	// PerMinute is the most wake-ups a minute to one push service (each maker of
	// browsers has one); 0: 60,000, less than 0: as many as there are.
	PerMinute int
	// Roots are the authorities whose certificates are believed; nil: the system's.
	Roots *x509.CertPool
	// Loopback lets endpoints lie on this computer, on any port and without TLS.
	// It is for tests; no setting of the program leads here.
	Loopback bool
	// Now is the clock of tokens; nil: the computer's.
	Now func() time.Time
}

// FromEnv makes the sender of the settings LANGSO_PUSH_CONTACT (without it
// publicURL, when it is https, is the contact) and LANGSO_WEBPUSH_PER_MINUTE.
// A number that cannot be read, or is none, is as none given.
func FromEnv(publicURL func() string) *Sender {
	most, err := strconv.Atoi(strings.TrimSpace(os.Getenv("LANGSO_WEBPUSH_PER_MINUTE")))
	if err != nil || most < 0 {
		most = 0
	}
	return New(Settings{PerMinute: most, Subject: func() string {
		if text := strings.TrimSpace(os.Getenv("LANGSO_PUSH_CONTACT")); text != "" || publicURL == nil {
			return text
		}
		return publicURL()
	}})
}

// Sender is the road "webpush". It implements notify.Sender.
type Sender struct {
	settings Settings
	loopback bool
	tls      *tls.Config
	road     *http.Client

	mu    sync.RWMutex
	vapid *vapid
	doubt doubt
}

// New makes a sender. It is off until it has its key, see [Sender.Open].
func New(set Settings) *Sender {
	if set.Now == nil {
		set.Now = time.Now
	}
	s := &Sender{settings: set, loopback: set.Loopback, tls: &tls.Config{RootCAs: set.Roots, MinVersion: tls.VersionTLS12}}
	s.road = s.client()
	return s
}

// Open reads the server's key from the folder, making one at the first start.
func (s *Sender) Open(dir string) error {
	key, err := loadKey(dir)
	if err != nil {
		return err
	}
	v, err := newVAPID(key, s.settings.Subject)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vapid = v
	return nil
}

func (s *Sender) named() *vapid {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.vapid
}

// PublicKey is what phones subscribe to (applicationServerKey): base64url of 65
// bytes; "" before [Sender.Open].
func (s *Sender) PublicKey() string {
	if v := s.named(); v != nil {
		return v.public
	}
	return ""
}

// Name is "webpush".
func (*Sender) Name() string { return "webpush" }

// PerMinute is the most wake-ups a minute to one push service; 0: no limit.
func (s *Sender) PerMinute() int {
	if s.settings.PerMinute == 0 {
		return perMinute
	}
	return max(0, s.settings.PerMinute)
}

// Off says why the road is off; "" when it is on.
func (s *Sender) Off() string {
	if s.named() == nil {
		return "the server's key of web push is not read yet"
	}
	return ""
}

// Send hands over one wake-up, once.
func (s *Sender) Send(ctx context.Context, d notify.Delivery) error {
	v := s.named()
	if v == nil {
		return &notify.Config{Why: s.Off()}
	}
	a, err := s.Parse(d.Address)
	if err != nil { // it was looked at when it came: the rules have changed since
		return &notify.Dead{Why: "address against the rules"}
	}
	if d.Class == commune.DataOnly && !a.Silent {
		return nil // a browser would have to show something about nothing; it syncs when it is opened
	}
	origin := a.at.Scheme + "://" + a.at.Host
	req, err := s.request(ctx, a, d, origin, v)
	if err != nil {
		return err
	}
	resp, err := s.road.Do(req)
	switch {
	case errors.Is(err, errPrivate):
		return &notify.Suspect{Why: errPrivate.Error()}
	case err != nil:
		return &notify.Later{Why: "push service not reached", Unsure: true}
	}
	defer resp.Body.Close()
	// The words are dropped, for they may repeat the endpoint.
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		v.forget(origin)
		if !s.doubt.refused(origin, a.Endpoint) {
			return &notify.Suspect{Why: fmt.Sprintf("push service answered %d", resp.StatusCode)}
		}
	} else if resp.StatusCode < 300 {
		s.doubt.accepted(origin)
	}
	return s.classify(resp)
}

// doubt tells an address that was made for another server's key, which its service
// refuses as it would refuse ours, from a key of ours that no service knows: else
// one phone with a strange address would silence all others of its service.
type doubt struct {
	mu      sync.Mutex
	refusal map[string]map[string]bool // by origin: the endpoints refused since one was accepted
}

// mostRefused different endpoints without one that is accepted are our own fault.
const mostRefused = 10

func (d *doubt) refused(origin, endpoint string) (ours bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refusal == nil || len(d.refusal) > mostTokens {
		d.refusal = map[string]map[string]bool{}
	}
	if d.refusal[origin] == nil {
		d.refusal[origin] = map[string]bool{}
	}
	d.refusal[origin][endpoint] = true
	if len(d.refusal[origin]) < mostRefused {
		return false
	}
	delete(d.refusal, origin) // who is tried next is not judged by them
	return true
}

func (d *doubt) accepted(origin string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.refusal, origin)
}

func (s *Sender) request(ctx context.Context, a *Address, d notify.Delivery, origin string, v *vapid) (*http.Request, error) {
	plain, err := json.Marshal(wake{"s", int(d.Spread / time.Second), d.Tag, d.Urgent})
	if err != nil {
		return nil, fmt.Errorf("write wake-up: %w", err)
	}
	body, err := a.seal(plain, room)
	if err != nil {
		return nil, fmt.Errorf("seal wake-up: %w", err)
	}
	header, err := v.header(origin, s.settings.Now())
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, &notify.Dead{Why: "address against the rules"}
	}
	h := req.Header
	h.Set("Authorization", header)
	h.Set("Content-Encoding", "aes128gcm")
	h.Set("Content-Type", "application/octet-stream")
	h.Set("User-Agent", "langso")
	h.Set("TTL", strconv.Itoa(ttl(d)))
	h.Set("Urgency", rules[d.Class.Or(d.Urgent)].urgency)
	if !d.Urgent {
		// One that waits at the service gives way to the next. What is to be shown has none:
		// services let few through for one topic.
		h.Set("Topic", "s")
	}
	return req, nil
}

// wake is what a wake-up says; docs/PROTOCOL.md §3.
type wake struct {
	Type   string `json:"t"` // "s": sync
	Spread int    `json:"j"` // seconds: over how long phones spread their exchanges
	Tag    string `json:"g,omitempty"`
	Urgent bool   `json:"u,omitempty"`
}

// rules are how each class travels: RFC 8030 §5.3 on what a phone is woken for
// when its battery is low, §5.2 on how long it is kept.
var rules = map[commune.Class]struct {
	urgency string
	life    time.Duration
}{
	commune.Emergency:   {"high", 2 * 24 * time.Hour},
	commune.Needed:      {"high", longest},
	commune.Information: {"normal", 7 * 24 * time.Hour},
	commune.DataOnly:    {"low", 24 * time.Hour},
}

// ttl is how many seconds the service may try.
func ttl(d notify.Delivery) int {
	life := rules[d.Class.Or(d.Urgent)].life
	if d.Life > 0 {
		life = min(d.Life, longest)
	}
	return int(life / time.Second)
}

// classify sorts the service's answer (RFC 8030 §5, §7.3, RFC 8292 §4.2).
func (s *Sender) classify(resp *http.Response) error {
	why := fmt.Sprintf("push service answered %d", resp.StatusCode)
	after := notify.RetryAfter(resp.Header, s.settings.Now())
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusNotFound || code == http.StatusGone:
		return &notify.Dead{Why: why}
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return &notify.Config{Why: why}
	case code == http.StatusTooManyRequests:
		if after == 0 {
			after = quotaRest
		}
		return &notify.Later{After: after, Why: why}
	case code >= 500 || code == http.StatusRequestTimeout:
		return &notify.Later{After: after, Why: why}
	}
	return fmt.Errorf("wake phone: %s", why) // 400, 413, a redirect: this one will never do
}
