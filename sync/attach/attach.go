// Package attach gives any PocketBase app offline sync, with the app's own auth
// collection and nothing of a commune: three calls, no other package of ours.
//
// A person signs in with PocketBase as ever; their phone then makes a key and
// has it bound to that account, once. From then on the phone signs its requests
// itself, so it may be away for months, and what it did offline arrives. Who
// shares a record is said by circles (package commune), as in the commune; the
// app's API rules stay what they are and bind its API alone.
//
// docs/USE_IN_YOUR_APP.md is a whole program.
package attach

import (
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/exchange"
	"langso/sync/journal"
)

// Connect is for pocketbase.Config.DBConnect: it opens the database so that what
// is acknowledged survives a power cut and no road of writing is missed.
func Connect(path string) (*dbx.DB, error) { return journal.Connect(path) }

// Options say what is shared.
type Options struct {
	// Collections that phones share. Those that the app has are declared as they
	// are; see package commune for circles and policies.
	Collections []commune.Collection
	// Auth is the auth collection of the people; "" means "users".
	Auth string
	// Standing gives a person more circles than "user:<id>", which everybody
	// stands in.
	Standing commune.Standing
	// Actions are named operations that a phone may ask for.
	Actions []commune.Action
	// Now is the server's clock; nil: the computer's.
	Now func() time.Time
}

// User is the circle of the people whose ids stand in field: one, or several.
func User(field string) commune.Rule { return commune.In("user", field) }

// Sync is sync hung on an app.
type Sync struct {
	app     core.App
	options Options
	domains []commune.Domain
	journal *journal.Journal
	engine  *exchange.Engine
}

// To hangs sync on the app: call it before Start. While the app serves there are
// POST /api/sync/phone, which binds a phone's key to the account of a PocketBase
// token, and POST /api/sync, the phone's road (docs/PROTOCOL.md).
func To(app core.App, o Options) *Sync {
	if o.Auth == "" {
		o.Auth = "users"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Sync{app: app, options: o}
	s.domains = []commune.Domain{{Name: "app", Title: "app", Collections: append(settling(), o.Collections...), Actions: o.Actions,
		Standing: commune.Standing{Of: s.standing, From: o.Standing.From}}}
	s.journal = journal.New(app, shared(s.domains[0].Collections))
	s.engine = exchange.New(app, s.journal, s.domains, func([]byte) string { return "" }, o.Now)
	s.bindSchema()
	s.bindRecords()
	app.OnServe().BindFunc(func(se *core.ServeEvent) error {
		if err := s.Open(); err != nil {
			return err
		}
		se.Router.POST("/api/sync/phone", s.bindPhone).Bind(apis.RequireAuth(o.Auth))
		se.Router.POST("/api/sync", s.sync).Bind(apis.SkipSuccessActivityLog()).
			Unbind(apis.DefaultBodyLimitMiddlewareId, apis.DefaultLoadAuthTokenMiddlewareId)
		return se.Next()
	})
	app.Cron().MustAdd("sync: forget what went", "40 20 * * *", func() {
		if err := s.journal.Prune(o.Now(), 0); err != nil {
			app.Logger().Error("forgetting what went failed", "error", err)
		}
	})
	return s
}

// Open makes the tables that sync needs, where they are missing, and the journal
// ready. Serving does it; a command that writes records calls it first.
func (s *Sync) Open() error {
	if err := makeTables(s.app); err != nil {
		return fmt.Errorf("make the tables of sync: %w", err)
	}
	return s.journal.Open()
}

func (s *Sync) standing(app core.App, person string) ([]commune.Term, error) {
	terms := []commune.Term{{Circle: commune.Named("user", person)}, {Circle: commune.Commune}}
	if s.options.Standing.Of == nil {
		return terms, nil
	}
	more, err := s.options.Standing.Of(app, person)
	return append(terms, more...), err
}

// settling are the collections of what waits for a person.
func settling() []commune.Collection {
	return []commune.Collection{
		{Name: "parked_edits", Title: "Parked edits", Read: commune.Circles{commune.Stated("circles")}},
		{Name: "settlements", Title: "Settlements", Read: commune.Circles{User("person")}},
	}
}

// shared is what the journal must know of the declarations.
func shared(collections []commune.Collection) []journal.Collection {
	var out []journal.Collection
	for _, c := range collections {
		one := journal.Collection{Name: c.Name, Rules: c.Read.String(), Circles: func(r journal.Row) (names []string) {
			for _, circle := range c.Read.Of(r) {
				names = append(names, string(circle))
			}
			return names
		}}
		for field, r := range c.Routes {
			one.Routes = append(one.Routes, journal.Route{Field: field, Via: r.Via, Of: r.Of, From: r.From, Shown: r.Shown})
		}
		out = append(out, one)
	}
	return out
}
