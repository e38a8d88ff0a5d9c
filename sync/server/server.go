// Package server is the server's half of the phone's road: it hangs the engine
// of sync on an app of PocketBase. Package phone is the other half.
//
//	a record is written, by whomever → fields filled, checks, notices, in one transaction    (records.go)
//	a collection is edited           → the journal's triggers made anew, in that transaction (schema.go)
//	the app serves                   → POST /api/sync and the roads beside it                (road.go, courier.go, routes.go)
//	the clock                        → absorbing, snapshot files, forgetting, hints          (jobs.go)
//
// What is shared is declared in the language of package commune; whose phones come
// is known to package sync/phones. It knows no domain and no way to sign in: the
// commune (package hooks) adds its people, notices and pages, any other app comes
// through package sync/attach.
//
// The tables that it needs are made by whoever uses it, in Prepare.
package server

import (
	"context"
	"crypto/ed25519"
	"crypto/hpke"
	"fmt"
	"path/filepath"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/metrics"
	"langso/sync/exchange"
	"langso/sync/files"
	"langso/sync/hints"
	"langso/sync/journal"
	"langso/sync/phones"
	"langso/sync/snapshot"
)

// Options say what is shared, and what comes beside sync.
type Options struct {
	Domains []commune.Domain
	// People is the collection that phones belong to: a phone whose person is not
	// in it (any more) is unknown. Its field "name", where it has one, is what they
	// are called.
	People string
	Now    func() time.Time // the server's clock; nil: the computer's
	// Admin is who decides in the dashboard, in the words that phones show; "" is
	// "Quản trị".
	Admin string
	// Words are the app's own sentences for codes that sync says by itself
	// (docs/PROTOCOL.md §4.4 and §6); those that are absent name nobody.
	Words phones.Words

	// Files are the limits and the place of photos and scans; zero: the defaults.
	// Without a collection that has file fields there is no road for them.
	Files files.Settings

	// Prepare makes the tables that are needed, before the journal is opened.
	Prepare func() error
	// About is told by GET /api/langso beside what sync itself says.
	About func() map[string]any
	// Raised is told of every write of a shared record, in its transaction, with
	// the notices that the record's declaration raises. nil: nobody carries notices.
	Raised func(tx core.App, decl *commune.Collection, one *commune.Case, notices []commune.Notice) error
	// Run runs while the app serves, until ctx ends.
	Run func(ctx context.Context)
	// Figures are shown beside those of sync, where figures are shown.
	Figures func() ([]metrics.Gauge, error)
}

// Server is sync, hung on an app.
type Server struct {
	Options
	App     core.App
	Journal *journal.Journal
	Engine  *exchange.Engine
	Hints   *hints.Hub  // phones whose app is open
	Phones  phones.Book // who asks
	// Snapshots are the files that new phones begin with; nil before Open.
	Snapshots *snapshot.Store

	store    *files.Store // nil when no collection has file fields
	key      ed25519.PrivateKey
	seal     hpke.PrivateKey
	carriers carriers
	seen     seen
	compared compared
	marked   mark // as it was last written
}

// New hangs sync on the app's events. It starts nothing.
func New(app core.App, o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Admin == "" {
		o.Admin = "Quản trị"
	}
	s := &Server{Options: o, App: app, Phones: phones.Book{App: app, People: o.People, Words: o.Words}}
	s.Journal = journal.New(app, Shared(o.Domains))
	s.Journal.Measure(metrics.Absorbed)
	s.Engine = exchange.New(app, s.Journal, o.Domains, s.sign, o.Now)
	s.Engine.Call(s.called)
	s.Engine.Words = o.Words.Of
	s.bindHints()
	s.bindSchema()
	s.bindRecords()
	s.bindSettling()
	s.bindFiles() // after the records: its part of their writing lies within their transaction
	s.bindRoutes()
	s.bindJobs()
	return s
}

// Open brings the tables to the present and makes the journal ready. Serving does
// it; commands that touch records call it first.
func (s *Server) Open() error {
	if s.Prepare != nil {
		if err := s.Prepare(); err != nil {
			return err
		}
	}
	var err error
	if s.key, err = serverKey(s.App.DataDir()); err != nil {
		return err
	}
	if s.seal, err = sealKey(s.App.DataDir()); err != nil {
		return err
	}
	if err := s.Journal.Open(); err != nil {
		return err
	}
	if err := s.noticeRollback(); err != nil {
		return err
	}
	if s.Snapshots == nil {
		if s.Snapshots, err = snapshot.Open(filepath.Join(s.App.DataDir(), "snapshots"), s.Journal, s.Engine.Files()); err != nil {
			return err
		}
		s.Engine.Offer = s.Snapshots.Offer
	}
	return s.undeliverable()
}

// undeliverable refuses declarations whose notices nobody would carry.
func (s *Server) undeliverable() error {
	for _, d := range s.Domains {
		for _, c := range d.Collections {
			if c.Raise != nil && s.Raised == nil {
				return fmt.Errorf("%s raises notices, and nothing here carries them", c.Name)
			}
		}
	}
	return nil
}

// Settle opens the server and absorbs everything that was written, as at the end
// of an import.
func (s *Server) Settle() error {
	if err := s.Open(); err != nil {
		return err
	}
	return s.Absorb()
}

// Absorb gives numbers to everything that was written.
func (s *Server) Absorb() error { return s.Journal.Absorb(s.App, 0) }

// called is the name of a person, "" for one that has none.
func (s *Server) called(app core.App, person string) string {
	r, err := app.FindRecordById(s.People, person)
	if err != nil {
		return ""
	}
	return r.GetString("name")
}

// Shared is what the journal must know of the domains: circles and routes as
// values. The journal knows no domain.
func Shared(domains []commune.Domain) []journal.Collection {
	var out []journal.Collection
	for _, d := range domains {
		for _, c := range d.Collections {
			shared := journal.Collection{Name: c.Name, Rules: c.Read.String(), Circles: func(r journal.Row) []string {
				circles := c.Read.Of(r)
				names := make([]string, len(circles))
				for i, circle := range circles {
					names[i] = string(circle)
				}
				return names
			}}
			for field, r := range c.Routes {
				shared.Routes = append(shared.Routes, journal.Route{Field: field, Via: r.Via, Of: r.Of, From: r.From, Shown: r.Shown})
			}
			out = append(out, shared)
		}
	}
	return out
}
