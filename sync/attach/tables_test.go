package attach

import (
	"path/filepath"
	"reflect"
	"regexp"
	"testing"

	"github.com/pocketbase/dbx"

	"langso/apptest"
	"langso/sync/journal"
)

// TestTablesAreTheCommunes: what the commune's migrations add to the tables of
// sync must be added here, or a program that attaches sync breaks.
func TestTablesAreTheCommunes(t *testing.T) {
	here, err := journal.Connect(filepath.Join(t.TempDir(), "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = here.Close() })
	app := apptest.Boot(t, apptest.Dir(t))
	t.Cleanup(func() { _ = app.ResetBootstrapState() })
	own := map[string]bool{"attach_phones": true}
	known := map[string]bool{}
	for _, sql := range plain {
		if _, err := here.NewQuery(sql).Execute(); err != nil {
			t.Fatal(err)
		}
		name := regexp.MustCompile(`EXISTS (\w+)`).FindStringSubmatch(sql)[1]
		known[name] = true
		if own[name] {
			continue
		}
		if a, b := columns(t, here, name), columns(t, app.NonconcurrentDB(), name); !reflect.DeepEqual(a, b) {
			t.Errorf("%s has here %v, in the commune %v", name, a, b)
		}
	}
	var theirs []string
	if err := app.NonconcurrentDB().NewQuery(`SELECT name FROM sqlite_master WHERE type = 'table' AND (name LIKE 'journal\_%' ESCAPE '\' OR name LIKE 'sync\_%' ESCAPE '\')`).Column(&theirs); err != nil {
		t.Fatal(err)
	}
	for _, name := range theirs {
		if !known[name] {
			t.Errorf("the commune has a table %s, which is not made here", name)
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
