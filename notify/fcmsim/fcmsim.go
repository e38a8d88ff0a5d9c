// Package fcmsim is a Firebase Cloud Messaging of one's own: the HTTP v1 protocol
// over TLS and HTTP/2 on a loopback address, with the rules that decide what
// reaches a phone. It is for tests and benches of whatever sends, through
// Google's own SDK with another endpoint.
//
// What it knows of FCM, from Google's documentation: a project's quota a minute
// whose beginning nobody knows; 240 messages a minute and 5,000 an hour to one
// phone; of collapsible messages twenty at once, then one in three minutes, what is
// above waits; at most four collapse keys; at most a hundred messages kept for a
// phone that is away, then all are thrown away and the app is told so; a life of
// up to four weeks; no key of idempotency, so what is sent twice arrives twice.
// And what the field adds: 503 and 429 with Retry-After, connections that break
// after a message was accepted, and live addresses that are called UNREGISTERED.
//
// Another process reads what happened so far at GET /counts. A [Sim] is made by [Start] and told what to do wrong by its [Faults].
package fcmsim

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Options make a simulator. The zero Options are a project "langso" with Google's
// quotas that answers at once and never fails.
type Options struct {
	Project string // "langso" when empty
	Quota   int    // messages a minute of the project; 0: 600,000
	Seed    uint64 // of the faults
	Faults  Faults
	// Now is the simulator's clock; nil: the computer's.
	Now func() time.Time
	// Strangers: addresses that nobody registered are called UNREGISTERED. Else
	// each address is a phone from its first message on.
	Strangers bool
	// Open: requests need no authorization.
	Open bool
}

// Faults are what goes wrong, in parts of one.
type Faults struct {
	Unavailable float64       // 503 with RetryAfter
	Quota       float64       // 429 with RetryAfter
	Reset       float64       // the connection breaks after the message was accepted
	Gone        float64       // a live address is called UNREGISTERED
	Portal      float64       // 200 with a page of somebody else's
	RetryAfter  time.Duration // what a 503 or 429 asks for; 0: nothing is said
	Latency     time.Duration // before each answer
}

// Counts is what happened so far.
type Counts struct {
	Requests   int64 // to messages:send
	Accepted   int64 // answered 200, or accepted before the connection broke
	Throttled  int64 // collapsible messages above a phone's bucket
	Wiped      int64 // messages thrown away because a phone had a hundred
	Refused429 int64
	Refused4xx int64 // other client errors: they use the quota too
	Failed5xx  int64
	Tokens     int64 // access tokens handed out
	Conns      int64 // connections accepted
}

// Sim is a running simulator.
type Sim struct {
	// URL is the endpoint: https://127.0.0.1:<port>.
	URL string

	options Options
	server  *http.Server
	roots   *x509.CertPool
	cert    []byte
	key     *rsa.PrivateKey
	token   string

	requests, accepted, throttled, wiped, r429, r4xx, r5xx, tokens, conns atomic.Int64

	mu      sync.Mutex
	faults  Faults
	dice    *mrand.Rand
	phones  map[string]*Phone
	quota   float64
	quotaAt time.Time
	waiters map[chan struct{}]int64
}

// Await returns when n messages were accepted, or ctx ends.
func (s *Sim) Await(ctx context.Context, n int64) error {
	come := make(chan struct{})
	s.mu.Lock()
	if s.accepted.Load() >= n {
		close(come)
	} else {
		s.waiters[come] = n
	}
	s.mu.Unlock()
	select {
	case <-come:
		return nil
	case <-ctx.Done():
		s.mu.Lock()
		delete(s.waiters, come)
		s.mu.Unlock()
		return ctx.Err()
	}
}

// Start listens on a free loopback port until Close.
func Start(o Options) (*Sim, error) {
	if o.Project == "" {
		o.Project = "langso"
	}
	if o.Quota == 0 {
		o.Quota = 600_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Sim{options: o, faults: o.Faults, dice: mrand.New(mrand.NewPCG(o.Seed, 1)), phones: map[string]*Phone{}, waiters: map[chan struct{}]int64{}, token: rand.Text(), quota: float64(o.Quota), quotaAt: o.Now()}
	pair, err := s.certify()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s.URL = "https://" + l.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/projects/{project}/{verb}", s.send)
	mux.HandleFunc("POST /token", s.grant)
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(s.Counts()) })
	s.server = &http.Server{Handler: mux, TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, ErrorLog: quiet,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 100}, // as Google's
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				s.conns.Add(1)
			}
		}}
	go func() { _ = s.server.ServeTLS(l, "", "") }()
	return s, nil
}

// Close ends the simulator.
func (s *Sim) Close() error { return s.server.Close() }

// certify makes a certificate for the loopback address.
func (s *Sim) certify() (tls.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(240 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate: %w", err)
	}
	s.key, s.cert, s.roots = key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), x509.NewCertPool()
	s.roots.AppendCertsFromPEM(s.cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// Roots are the authorities that know the simulator's certificate.
func (s *Sim) Roots() *x509.CertPool { return s.roots }

// WriteRoots writes them to a file, for another process: SSL_CERT_FILE names it.
func (s *Sim) WriteRoots(file string) error { return os.WriteFile(file, s.cert, 0o600) }

// Credentials is a service-account file of the project, whose tokens the
// simulator hands out itself.
func (s *Sim) Credentials() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return nil, fmt.Errorf("write key: %w", err)
	}
	return json.Marshal(map[string]string{
		"type": "service_account", "project_id": s.options.Project, "client_email": "langso@fcmsim.invalid", "private_key_id": "k1",
		"token_uri": s.URL + "/token", "private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
}

// Set changes what goes wrong from now on.
func (s *Sim) Set(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Counts tells what happened so far.
func (s *Sim) Counts() Counts {
	return Counts{s.requests.Load(), s.accepted.Load(), s.throttled.Load(), s.wiped.Load(), s.r429.Load(), s.r4xx.Load(), s.r5xx.Load(), s.tokens.Load(), s.conns.Load()}
}
