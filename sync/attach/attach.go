// Package attach gives any PocketBase app offline sync, with the app's own auth
// collection and nothing of a commune: three calls, no other package of ours.
//
// A person signs in with PocketBase as ever; their phone then makes a key and
// has it bound to that account, once. From then on the phone signs its requests
// itself, so it may be away for months, and what it did offline arrives. Who
// shares a record is said by circles (package commune), as in the commune; the
// app's API rules stay what they are and bind its API alone.
//
// What sync is made of is in package sync/server; here is only what an app needs
// that has no commune: its tables and its way in. docs/USE_IN_YOUR_APP.md is a
// whole program.
package attach

import (
	"fmt"
	"log"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/dictionary"
	"langso/sync/files"
	"langso/sync/journal"
	"langso/sync/server"
	"langso/sync/wire"
)

func init() { wire.AddDictionaries(dictionary.Versions) } // native phones have it

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
	// Notices gets what the collections raise, in the transaction of the write that
	// raised it; an error undoes the write. Without it no collection may raise any.
	Notices func(tx core.App, notices []commune.Notice) error
	// Words are this app's own sentences for codes that sync says by itself, such as
	// "phone_blocked"; see docs/PROTOCOL.md §4.4 and §6 for the codes. Sync's own name
	// nobody and are Vietnamese.
	Words map[string]string
	// Now is the server's clock; nil: the computer's.
	Now func() time.Time
}

// User is the circle of the people whose ids stand in field: one, or several.
func User(field string) commune.Rule { return commune.In("user", field) }

// To hangs sync on the app: call it before Start. While the app serves there are
// POST /api/sync/phone, which binds a phone's key to the account of a PocketBase
// token, and the roads of docs/PROTOCOL.md: the exchange, snapshot files, the
// courier, hints, and files where a collection names some. The settings
// LANGSO_FILES_…, LANGSO_HINTS_… and LANGSO_METRICS_TOKEN of docs/OPERATIONS.md
// hold here too.
func To(app core.App, o Options) *server.Server {
	if o.Auth == "" {
		o.Auth = "users"
	}
	bound := server.Options{
		Domains: []commune.Domain{{Name: "app", Title: "app", Collections: append(settling(), o.Collections...), Actions: o.Actions,
			Standing: commune.Standing{Of: o.standing, From: o.Standing.From}}},
		People: o.Auth, Now: o.Now, Files: files.FromEnv(), Words: o.Words,
	}
	if o.Notices != nil {
		bound.Raised = func(tx core.App, _ *commune.Collection, _ *commune.Case, notices []commune.Notice) error {
			if len(notices) == 0 {
				return nil
			}
			return o.Notices(tx, notices)
		}
	}
	var s *server.Server
	bound.Prepare = func() error {
		if err := makeTables(app, o.Auth, s.KeepsFiles()); err != nil {
			return fmt.Errorf("make the tables of sync: %w", err)
		}
		return nil
	}
	s = server.New(app, bound)
	app.OnServe().BindFunc(func(se *core.ServeEvent) error {
		bindSignIn(se, s, o.Auth)
		for _, wrong := range missing(app, o.Collections) {
			log.Println("sync:", wrong) // while the app is being made it may yet come
		}
		return se.Next()
	})
	return s
}

func (o Options) standing(app core.App, person string) ([]commune.Term, error) {
	terms := []commune.Term{{Circle: commune.Named("user", person)}, {Circle: commune.Commune}}
	if o.Standing.Of == nil {
		return terms, nil
	}
	more, err := o.Standing.Of(app, person)
	return append(terms, more...), err
}

// settling are the collections of what waits for a person.
func settling() []commune.Collection {
	return []commune.Collection{
		{Name: "parked_edits", Title: "Parked edits", Read: commune.Circles{commune.Stated("circles")}},
		{Name: "settlements", Title: "Settlements", Read: commune.Circles{User("person")}},
	}
}

// missing tells what the declarations speak of and the app does not have: else a
// misspelt name would only mean that nobody gets anything.
func missing(app core.App, collections []commune.Collection) (out []string) {
	for _, c := range collections {
		coll, err := app.FindCachedCollectionByNameOrId(c.Name)
		if err != nil {
			out = append(out, fmt.Sprintf("there is no collection %q", c.Name))
			continue
		}
		names := append(append(c.Read.Uses(), c.Write.Uses()...), c.Files...)
		for field := range c.Fields {
			names = append(names, field)
		}
		for field, r := range c.Routes {
			names = append(names, field, r.Via)
		}
		for _, field := range names {
			if coll.Fields.GetByName(field) == nil {
				out = append(out, fmt.Sprintf("collection %q has no field %q", c.Name, field))
			}
		}
	}
	return out
}
