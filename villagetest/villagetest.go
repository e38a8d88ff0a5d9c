// Package villagetest is a whole commune in a test: the real server with its
// real router, in a folder of its own, and real phones that reach it through a
// network in memory which may lose, repeat and cut what it carries.
package villagetest

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/commune"
	"langso/hooks"
	"langso/phone"
)

// Server is one commune being served in memory.
type Server struct {
	*hooks.Commune
	Clock   *Clock
	handler atomic.Pointer[http.Handler]
	options hooks.Options
	dir     string
	stopped bool
}

// Clock is a wall clock that tests move.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

// Add moves the clock.
func (c *Clock) Add(d time.Duration) { c.mu.Lock(); c.at = c.at.Add(d); c.mu.Unlock() }

// Today is the day on which test communes wake up.
var Today = time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)

// New serves an empty commune of these domains until the test ends. change may
// alter the options.
func New(tb testing.TB, domains []commune.Domain, change ...func(*hooks.Options)) *Server {
	tb.Helper()
	return At(tb, apptest.Dir(tb), domains, change...)
}

// At is New on a data folder that is there already.
func At(tb testing.TB, dir string, domains []commune.Domain, change ...func(*hooks.Options)) *Server {
	tb.Helper()
	s := &Server{Clock: &Clock{at: Today}, dir: dir}
	s.options = hooks.Options{Domains: domains, Now: s.Clock.Now, Name: "Xã thử"}
	for _, f := range change {
		f(&s.options)
	}
	s.start(tb)
	tb.Cleanup(s.Stop)
	return s
}

func (s *Server) start(tb testing.TB) {
	tb.Helper()
	s.stopped = false
	app := apptest.Boot(tb, s.dir)
	if s.options.SignIn != nil {
		s.options.SignIn.App = app
	}
	if s.options.Outbox != nil {
		s.options.Outbox.App = app
	}
	s.Commune = hooks.Bind(app, s.options)
	s.BindDashboard()
	router, err := apis.NewRouter(app)
	if err != nil {
		tb.Fatal(err)
	}
	se := &core.ServeEvent{App: app, Router: router, Server: &http.Server{}}
	err = app.OnServe().Trigger(se, func(se *core.ServeEvent) error {
		mux, err := se.Router.BuildMux()
		if err != nil {
			return err
		}
		s.handler.Store(&mux)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// Stop ends the server as on a quiet evening. It may be called again.
func (s *Server) Stop() {
	if s.stopped {
		return
	}
	s.stopped = true
	_ = apptest.End(s.App)
}

// Restart stops the server and starts it again on the same folder, as after a
// crash or an update.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.Stop()
	s.start(tb)
}

// Handler is the server's HTTP handler of now.
func (s *Server) Handler() http.Handler { return *s.handler.Load() }

// Dir is the server's data folder.
func (s *Server) Dir() string { return s.dir }

// Do sends a request to the server in memory.
func (s *Server) Do(method, path, body string, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, bytes.NewReader([]byte(body)))
	r.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

// Put saves a record as the server itself would, and returns its id. Fields that
// are ids of other records are given as they are.
func (s *Server) Put(tb testing.TB, coll, id string, fields map[string]any) string {
	tb.Helper()
	c, err := s.App.FindCachedCollectionByNameOrId(coll)
	if err != nil {
		tb.Fatal(err)
	}
	r := core.NewRecord(c)
	if id != "" {
		r.Id = id
	}
	for k, v := range fields {
		r.Set(k, v)
	}
	if err := s.App.Save(r); err != nil {
		tb.Fatalf("put %s/%s: %v", coll, id, err)
	}
	return r.Id
}

// Invitation returns the token of a counter's QR for a person, good for one
// sign-in within 10 minutes.
func (s *Server) Invitation(tb testing.TB, person string) string {
	tb.Helper()
	token := rand.Text()
	hash := sha256.Sum256([]byte(token))
	_, err := s.App.NonconcurrentDB().NewQuery(`INSERT INTO invitations (hash, person, by, expires) VALUES ({:hash}, {:person}, '', {:expires})`).
		Bind(dbx.Params{"hash": hash[:], "person": person, "expires": s.Clock.Now().Add(10 * time.Minute).Unix()}).Execute()
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// Phone makes a phone of a person that is signed in already, without SMS. Its
// requests go through the network.
func (s *Server) Phone(tb testing.TB, person string, n *Network) *phone.Phone {
	tb.Helper()
	return s.PhoneAt(tb, filepath.Join(tb.TempDir(), "phone"), person, n)
}

// PhoneAt is Phone in a folder of the caller's.
func (s *Server) PhoneAt(tb testing.TB, dir, person string, n *Network) *phone.Phone {
	tb.Helper()
	if n == nil {
		n = &Network{}
	}
	n.server = s
	p, err := phone.Open(dir, "http://commune.test", phone.WithTransport(n), phone.WithClock(s.Clock.Now))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = p.Close() })
	if id, _, err := p.Self(); err != nil || id != "" {
		return p
	}
	key, err := p.PublicKey()
	if err != nil {
		tb.Fatal(err)
	}
	id := s.Put(tb, "phones", "", map[string]any{"person": person, "label": "Máy thử", "public_key": key})
	if err := p.Adopt(id, person); err != nil {
		tb.Fatal(err)
	}
	return p
}
