// Package communetest plays one domain in a freshly migrated commune, for the
// tests of domains: records are saved through the domain's Fill, Check and
// Raise, actions run in a transaction, the clock stands still until a test
// moves it. There is no sync: whether somebody may write is the engine's to say.
package communetest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	_ "langso/pb_migrations" // the collections
)

// Commune is a commune with one domain in it.
type Commune struct {
	App     core.App
	Now     time.Time
	Notices []commune.Notice // what was raised and committed, in order

	t      *testing.T
	domain commune.Domain
}

// New returns an empty commune on a morning in November 2026.
func New(t *testing.T, domain commune.Domain) *Commune {
	t.Helper()
	files, err := migrated()
	if err != nil {
		t.Fatalf("migrate commune: %v", err)
	}
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatalf("copy commune: %v", err)
		}
	}
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		t.Fatalf("bootstrap app: %v", err)
	}
	t.Cleanup(func() {
		_ = app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(e *core.TerminateEvent) error { return e.App.ResetBootstrapState() })
	})
	checkNames(t, app, domain)
	c := &Commune{App: app, Now: time.Date(2026, 11, 24, 6, 10, 0, 0, time.UTC), t: t, domain: domain}
	app.OnRecordCreate().BindFunc(c.save)
	app.OnRecordUpdate().BindFunc(c.save)
	app.OnRecordDelete().BindFunc(c.delete)
	return c
}

// checkNames fails the test when the declaration names a collection or a field
// that no migration makes.
func checkNames(t *testing.T, app core.App, domain commune.Domain) {
	t.Helper()
	for _, decl := range domain.Collections {
		col, err := app.FindCollectionByNameOrId(decl.Name)
		if err != nil {
			t.Fatalf("find collection %s: %v", decl.Name, err)
		}
		names := slices.Concat(decl.Read.Uses(), decl.Write.Uses(), decl.ServerFields,
			slices.Collect(maps.Keys(decl.Fields)), slices.Collect(maps.Keys(decl.Routes)))
		for _, r := range decl.Routes {
			names = append(names, r.Via)
		}
		if decl.Owner != "" {
			names = append(names, decl.Owner)
		}
		for _, name := range names {
			if col.Fields.GetByName(name) == nil {
				t.Fatalf("%s has no field %s", decl.Name, name)
			}
		}
	}
}

// migrated returns the files of a commune that has just been migrated; once a
// process, since it takes ten times as long as to copy them.
var migrated = sync.OnceValues(func() (files map[string][]byte, err error) {
	dir, err := os.MkdirTemp("", "commune")
	if err != nil {
		return nil, err
	}
	// What cannot be removed is only rubbish in the temporary folder.
	defer func() { _ = os.RemoveAll(dir) }()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		return nil, err
	}
	// What PocketBase runs beside (it reads the settings, without their lock, that a
	// migration saves) ends before the migrations begin.
	still := func(*core.TerminateEvent) error { return nil }
	if err := app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, still); err != nil {
		return nil, err
	}
	if err := errors.Join(app.RunAllMigrations(), app.ResetBootstrapState()); err != nil {
		return nil, err
	}
	files = map[string][]byte{}
	for _, name := range []string{"data.db", "auxiliary.db"} {
		if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return files, nil
})

// ID pads a readable name to an id: "lan" is lan000000000000.
func ID(name string) string { return (name + "000000000000000")[:15] }

// As is a person standing in their own circle, in the commune, in the market
// and in the circles given.
func As(person string, circles ...commune.Circle) commune.Author {
	own := []commune.Circle{commune.Named("person", ID(person)), commune.Commune, commune.Market}
	return commune.Author{Person: ID(person), Phone: ID("phone" + person), Circles: append(own, circles...)}
}

// Put saves a record as the server, named by a readable id; it must succeed.
func (c *Commune) Put(collection, name string, fields map[string]any) *core.Record {
	c.t.Helper()
	if err := c.Write(commune.Author{}, collection, name, fields); err != nil {
		c.t.Fatalf("put %s %s: %v", collection, name, err)
	}
	return c.Get(collection, name)
}

// Get returns a record that must be there.
func (c *Commune) Get(collection, name string) *core.Record {
	c.t.Helper()
	r, err := c.App.FindRecordById(collection, ID(name))
	if err != nil {
		c.t.Fatalf("get %s %s: %v", collection, name, err)
	}
	return r
}

// Write creates or changes a record as the author.
func (c *Commune) Write(who commune.Author, collection, name string, fields map[string]any) error {
	return c.inTransaction(func(app core.App) error {
		r, err := app.FindRecordById(collection, ID(name))
		if err != nil {
			col, err := app.FindCollectionByNameOrId(collection)
			if err != nil {
				return err
			}
			r = core.NewRecord(col)
			r.Id = ID(name)
		}
		r.Load(fields)
		return app.SaveWithContext(commune.WithAuthor(context.Background(), who, c.Now), r)
	})
}

// Delete deletes a record as the author.
func (c *Commune) Delete(who commune.Author, collection, name string) error {
	return c.inTransaction(func(app core.App) error {
		r, err := app.FindRecordById(collection, ID(name))
		if err != nil {
			return err
		}
		return app.DeleteWithContext(commune.WithAuthor(context.Background(), who, c.Now), r)
	})
}

// Do runs an action with args, which become JSON, and returns what it told.
// Its receipts are signed as "signed:" and the text.
func (c *Commune) Do(who commune.Author, action string, args any) (map[string]any, error) {
	c.t.Helper()
	raw, err := json.Marshal(args)
	if err != nil {
		c.t.Fatalf("encode args: %v", err)
	}
	i := slices.IndexFunc(c.domain.Actions, func(a commune.Action) bool { return a.Name == action })
	if i < 0 {
		c.t.Fatalf("no action %s", action)
	}
	var told map[string]any
	err = c.inTransaction(func(app core.App) error {
		sign := func(text []byte) string { return "signed:" + strings.ReplaceAll(string(text), "\n", "|") }
		call := commune.NewCall(app, who, raw, c.Now, c.Now, sign)
		err := c.domain.Actions[i].Do(call)
		told = call.Result
		return err
	})
	return told, err
}

// Standing returns the circles in which a person stands now, sorted.
func (c *Commune) Standing(person string) []string {
	c.t.Helper()
	terms, err := c.domain.Standing.Of(c.App, ID(person))
	if err != nil {
		c.t.Fatalf("standing of %s: %v", person, err)
	}
	circles := map[string]bool{}
	for _, t := range terms {
		if t.Holds(c.Now) {
			circles[string(t.Circle)] = true
		}
	}
	return slices.Sorted(maps.Keys(circles))
}

// inTransaction keeps only the notices of what was committed.
func (c *Commune) inTransaction(do func(core.App) error) error {
	before := len(c.Notices)
	err := c.App.RunInTransaction(do)
	if err != nil {
		c.Notices = c.Notices[:before]
	}
	return err
}

func (c *Commune) declared(r *core.Record) (commune.Collection, bool) {
	_, col := commune.Find([]commune.Domain{c.domain}, r.Collection().Name)
	if col == nil {
		return commune.Collection{}, false
	}
	return *col, true
}

func (c *Commune) save(e *core.RecordEvent) error {
	col, ok := c.declared(e.Record)
	if !ok {
		return e.Next()
	}
	who, at := commune.AuthorOf(e.Context)
	one := &commune.Case{App: e.App, New: e.Record, Author: who, Now: c.Now, At: at}
	if !e.Record.IsNew() {
		one.Old = e.Record.Original()
	}
	follow(e.App, col, e.Record)
	for _, step := range []func(*commune.Case) error{col.Fill, col.Check} {
		if step == nil {
			continue
		}
		if err := step(one); err != nil {
			return err
		}
	}
	if err := e.Next(); err != nil {
		return err
	}
	if col.Raise == nil {
		return nil
	}
	notices, err := col.Raise(one)
	c.Notices = append(c.Notices, notices...)
	return err
}

func (c *Commune) delete(e *core.RecordEvent) error {
	if col, ok := c.declared(e.Record); ok && col.Check != nil {
		who, at := commune.AuthorOf(e.Context)
		if err := col.Check(&commune.Case{App: e.App, Old: e.Record, Author: who, Now: c.Now, At: at}); err != nil {
			return err
		}
	}
	return e.Next()
}

// follow fills the routes; twice, since one may follow another.
func follow(app core.App, col commune.Collection, r *core.Record) {
	for range 2 {
		for field, route := range col.Routes {
			if via, err := app.FindRecordById(route.Of, r.GetString(route.Via)); err == nil {
				r.Set(field, via.GetString(route.From))
			}
		}
	}
}

// Refused fails the test unless err is a refusal with this code and a sentence.
func Refused(t *testing.T, name string, err error, code string) {
	t.Helper()
	r := commune.Refused(err)
	if r == nil || commune.Parked(err) != nil || r.Code != code || r.Sentence == "" || strings.Contains(r.Sentence, "%!") {
		t.Errorf("%s: error %v, want refusal %s", name, err, code)
	}
}

// Parked fails the test unless err is a parking with this code and a sentence.
func Parked(t *testing.T, name string, err error, code string) {
	t.Helper()
	p := commune.Parked(err)
	if p == nil || p.Code != code || p.Sentence == "" || strings.Contains(p.Sentence, "%!") {
		t.Errorf("%s: error %v, want parking %s", name, err, code)
	}
}

// Judged fails the test unless err is the verdict wanted: "" for taken, a code
// for a refusal, "parked <code>" for a parking.
func Judged(t *testing.T, name string, err error, want string) {
	t.Helper()
	switch code, parked := strings.CutPrefix(want, "parked "); {
	case want == "" && err != nil:
		t.Errorf("%s: %v, want it taken", name, err)
	case parked:
		Parked(t, name, err, code)
	case want != "":
		Refused(t, name, err, want)
	}
}
