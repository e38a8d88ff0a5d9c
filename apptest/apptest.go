// Package apptest gives tests a commune without people: a PocketBase app in a
// folder of its own, with every collection of the program and no record.
//
// The migrations run once a process; each test gets a copy of what they made.
package apptest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	_ "langso/pb_migrations" // the collections
	"langso/sync/journal"
)

// empty is a migrated data folder's files by name.
var empty = sync.OnceValues(func() (files map[string][]byte, err error) {
	dir, err := os.MkdirTemp("", "langso-empty")
	if err != nil {
		return nil, err
	}
	// What cannot be removed is only rubbish in the temporary folder.
	defer func() { _ = os.RemoveAll(dir) }()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: journal.Connect})
	// When a migration deletes PocketBase's collection of users, its files go in the
	// background, which reads the settings while later migrations write them: a race
	// of a new folder's first second. This folder has no files.
	app.OnModelAfterDeleteSuccess().Unbind("__pbFilesManagerDelete__")
	if err := app.Bootstrap(); err != nil {
		return nil, err
	}
	// PocketBase's own goroutines end before the migrations begin: its log, which
	// it writes every three seconds if there is any, reads the settings without
	// their lock, while a migration saves them.
	if err := rest(app); err != nil {
		return nil, err
	}
	if err := app.RunAllMigrations(); err != nil {
		return nil, err
	}
	if err := End(app); err != nil {
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

// Dir returns a new data folder with all collections and no record.
func Dir(tb testing.TB) string {
	tb.Helper()
	files, err := empty()
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	for name, raw := range files {
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// Boot opens the app in a data folder. Whoever calls it ends it with [End].
func Boot(tb testing.TB, dir string) core.App {
	tb.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: journal.Connect, DataMaxOpenConns: 8, DataMaxIdleConns: 8})
	if err := app.Bootstrap(); err != nil {
		tb.Fatal(err)
	}
	return app
}

// New returns an app without people until the test ends.
func New(tb testing.TB) core.App {
	tb.Helper()
	app := Boot(tb, Dir(tb))
	tb.Cleanup(func() {
		if err := End(app); err != nil {
			tb.Error(err)
		}
	})
	return app
}

// End ends an app as a server does that is told to stop: first what runs beside,
// then the databases. An app whose databases are merely closed leaves a goroutine
// that looks for them every three seconds, and a watcher of files, of which Linux
// gives a user 128.
func End(app core.App) error {
	return app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(e *core.TerminateEvent) error { return e.App.ResetBootstrapState() })
}

// rest ends what PocketBase runs beside an app, and leaves the databases open.
func rest(app core.App) error {
	return app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(*core.TerminateEvent) error { return nil })
}

// Put saves a record with this id, by whatever checks the app has.
func Put(tb testing.TB, app core.App, collection, id string, fields map[string]any) *core.Record {
	tb.Helper()
	c, err := app.FindCollectionByNameOrId(collection)
	if err != nil {
		tb.Fatal(err)
	}
	r := core.NewRecord(c)
	r.Id = id
	r.Load(fields)
	if err := app.Save(r); err != nil {
		tb.Fatalf("save %s %s: %v", collection, id, err)
	}
	return r
}
