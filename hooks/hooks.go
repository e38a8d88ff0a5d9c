// Package hooks is a commune on PocketBase: sync (package sync/server), and on top
// of it what only a commune has.
//
//	a record is written     → its notices go to the outbox, near phones are nudged (notices.go)
//	a collection is edited  → circles alone say who reads and writes               (schema.go)
//	the server starts       → sign-in, texts that come back, the phone app         (routes.go)
//	an administrator looks  → the dashboard's gate and our pages                   (dashboard.go)
package hooks

import (
	"fmt"
	"io/fs"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/dictionary"
	"langso/notify"
	"langso/notify/sms"
	"langso/notify/webpush"
	"langso/signin"
	"langso/sync/files"
	"langso/sync/server"
	"langso/sync/wire"
)

func init() { wire.AddDictionaries(dictionary.Versions) }

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
	*server.Server
}

// Bind makes the commune and hangs it on the app's events. It starts nothing.
func Bind(app core.App, o Options) *Commune {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Commune{Options: o}
	bound := server.Options{
		Domains: o.Domains, People: "persons", Now: o.Now, Admin: "Quản trị xã", Words: words, Files: o.FileSettings,
		Prepare: c.prepare, About: c.about, Raised: c.raised, Figures: c.figures,
	}
	if o.Outbox != nil {
		bound.Run = o.Outbox.Run
	}
	c.Server = server.New(app, bound)
	if o.Outbox != nil {
		o.Outbox.Heard, o.Outbox.Settle = heard, c.NotePhones
		o.Outbox.Live = c.Hints.Listens // no silent wake-up for who hears already
	}
	c.bindOneTruth()
	c.bindRoutes()
	return c
}

// prepare brings the database to the present.
func (c *Commune) prepare() error {
	if err := c.App.RunAllMigrations(); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if c.WebPush != nil {
		return c.WebPush.Open(c.App.DataDir())
	}
	return nil
}
