package attach

import (
	"reflect"
	"slices"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/sync/journal"
)

// TestTablesAreTheCommunes: what the commune's migrations add to the tables of
// sync must be added here, or a program that attaches sync breaks.
func TestTablesAreTheCommunes(t *testing.T) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir(), DBConnect: journal.Connect})
	for _, err := range []error{app.Bootstrap(), app.RunSystemMigrations(), makeTables(app, "users", true), makeTables(app, "users", true)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = app.ResetBootstrapState() })
	theirs := apptest.New(t)
	names := func(app core.App) (names []string) {
		t.Helper()
		if err := app.NonconcurrentDB().NewQuery(`SELECT name FROM sqlite_master WHERE type = 'table' AND (name LIKE 'journal\_%' ESCAPE '\' OR name LIKE 'sync\_%' ESCAPE '\'
			OR name LIKE 'file%' OR name IN ('phones', 'parked_edits', 'settlements')) ORDER BY name`).Column(&names); err != nil {
			t.Fatal(err)
		}
		return names
	}
	if a, b := names(app), names(theirs); !slices.Equal(a, b) {
		t.Errorf("here are %v, in the commune %v", a, b)
	}
	for _, name := range names(theirs) {
		a, b := columns(t, app.NonconcurrentDB(), name), columns(t, theirs.NonconcurrentDB(), name)
		delete(b, "created") // for the administrator's lists
		delete(b, "updated")
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s has here %v, in the commune %v", name, a, b)
		}
	}
}

// columns are the columns of a table: name to type, need and default.
func columns(t *testing.T, db dbx.Builder, table string) map[string]string {
	t.Helper()
	var rows []struct{ Name, Is string }
	if err := db.NewQuery(`SELECT name, type || ' ' || "notnull" || ' ' || coalesce(dflt_value, '') || ' ' || pk AS "is" FROM pragma_table_info('` + table + `')`).All(&rows); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, r := range rows {
		out[r.Name] = r.Is
	}
	return out
}
