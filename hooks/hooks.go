// Package hooks is what PocketBase calls us for, and nothing else: its order of
// events is bound here to the parts that know what to do.
//
//	a record is written, by whomever   → fields filled, checks, notices, in one transaction   (records.go)
//	a collection is edited             → the journal's triggers made anew, in that transaction (schema.go)
//	the server starts                  → the routes: POST /api/sync, sign-in, the phone app    (routes.go)
//	the clock                          → absorbing, the domains' jobs                          (jobs.go)
package hooks

import (
	"crypto/ed25519"
	"crypto/hpke"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/metrics"
	"langso/notify"
	"langso/notify/sms"
	"langso/notify/webpush"
	"langso/signin"
	"langso/sync/exchange"
	"langso/sync/files"
	"langso/sync/hints"
	"langso/sync/journal"
	"langso/sync/snapshot"
)

// Options are the parts that a commune is made of.
type Options struct {
	Domains []commune.Domain
	Files   fs.FS            // the phone app; nil serves none
	SignIn  *signin.Service  // nil: no way in over HTTP
	Outbox  *notify.Outbox   // wakes phones while the server serves; nil: notices are only synced
	Now     func() time.Time // the server's clock; nil: the computer's
	Name    string           // "Xã Phúc Hòa"
	WebPush *webpush.Sender  // the road to browsers; nil: none
	Texts   *sms.Inbound     // what comes back by SMS; nil: nothing

	FileSettings files.Settings // limits and place of photos and scans; zero: the defaults

	SQLConsole bool // whether the dashboard's SQL console answers
	Demo       bool // the demo commune is loaded
}

// Commune is a running commune: the app with everything bound to it.
type Commune struct {
	Options
	App     core.App
	Journal *journal.Journal
	Engine  *exchange.Engine
	Hints   *hints.Hub // phones whose app is open
	store   *files.Store
	// Snapshots are the files that new phones begin with; nil before Open.
	Snapshots *snapshot.Store
	key       ed25519.PrivateKey
	seal      hpke.PrivateKey
	carriers  carriers
	seen      seen
	marked    mark // as it was last written
}

// Bind makes the commune and hangs it on the app's events. It starts nothing.
func Bind(app core.App, o Options) *Commune {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Commune{Options: o, App: app}
	c.Journal = journal.New(app, Shared(o.Domains))
	c.Engine = exchange.New(app, c.Journal, o.Domains, c.sign, o.Now)
	if o.Outbox != nil {
		o.Outbox.Heard, o.Outbox.Settle = heard, func() error { return c.seen.flush(c.App) }
	}
	c.bindHints()
	c.bindSchema()
	c.bindRecords()
	c.bindSettling()
	c.bindFiles() // after the records: its part of their writing lies within their transaction
	c.bindRoutes()
	c.bindJobs()
	return c
}

// Open brings the database to the present and makes the journal ready. The
// server calls it when it starts; commands that touch records call it first.
func (c *Commune) Open() error {
	if err := c.App.RunAllMigrations(); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	var err error
	if c.key, err = serverKey(c.App.DataDir()); err != nil {
		return err
	}
	if c.WebPush != nil {
		if err := c.WebPush.Open(c.App.DataDir()); err != nil {
			return err
		}
	}
	if c.seal, err = sealKey(c.App.DataDir()); err != nil {
		return err
	}
	if err := c.Journal.Open(); err != nil {
		return err
	}
	if err := c.noticeRollback(); err != nil {
		return err
	}
	if c.Snapshots == nil {
		if c.Snapshots, err = snapshot.Open(filepath.Join(c.App.DataDir(), "snapshots"), c.Journal, c.Engine.Files()); err != nil {
			return err
		}
		c.Engine.Offer = c.Snapshots.Offer
	}
	return nil
}

// Settle opens the commune and absorbs everything that was written, as at the
// end of an import.
func (c *Commune) Settle() error {
	if err := c.Open(); err != nil {
		return err
	}
	return c.Absorb()
}

// Absorb gives numbers to everything that was written.
func (c *Commune) Absorb() error {
	begun := time.Now()
	defer func() { metrics.Absorbed(time.Since(begun)) }()
	return c.Journal.Absorb(c.App, 0)
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
