package load_test

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/health"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/load"
)

var domains = []commune.Domain{people.Domain, health.Domain, publicservice.Domain, market.Domain, broadcast.Domain}

// newApp is an empty, migrated commune.
func newApp(tb testing.TB) core.App { return apptest.New(tb) }

// touch makes the triggers of the journal: whatever is written is marked.
func touch(tb testing.TB, app core.App) {
	tb.Helper()
	for _, name := range load.Collections() {
		for event, row := range map[string]string{"INSERT": "NEW", "UPDATE": "OLD"} {
			_, err := app.NonconcurrentDB().NewQuery("CREATE TRIGGER touch_" + name + event + " AFTER " + event + " ON {{" + name + "}} BEGIN " +
				"INSERT INTO journal_touched (coll, rid) VALUES ('" + name + "', " + row + ".id) ON CONFLICT DO NOTHING; END").Execute()
			if err != nil {
				tb.Fatal(err)
			}
		}
	}
}

func count(tb testing.TB, app core.App, table string) (n int) {
	tb.Helper()
	if err := app.DB().Select("count(*)").From(table).Row(&n); err != nil {
		tb.Fatal(err)
	}
	return n
}
