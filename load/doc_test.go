package load

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/health"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
)

// TestTheDocumentNamesEveryColumn: docs/IMPORT.md has a section for every
// collection, in the order of loading, that names every column a file may have.
func TestTheDocumentNamesEveryColumn(t *testing.T) {
	raw, err := os.ReadFile("../docs/IMPORT.md")
	if err != nil {
		t.Fatal(err)
	}
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ResetBootstrapState() })
	if err := app.RunAllMigrations(); err != nil {
		t.Fatal(err)
	}
	domains := []commune.Domain{people.Domain, health.Domain, publicservice.Domain, market.Domain, broadcast.Domain}
	sections := regexp.MustCompile(`(?m)^### `).Split(string(raw), -1)[1:]
	if len(sections) != len(kinds) {
		t.Fatalf("%d sections, %d collections", len(sections), len(kinds))
	}
	for i, k := range kinds {
		if !strings.HasPrefix(sections[i], k.name) {
			t.Errorf("section %d is not of %s", i+1, k.name)
		}
		lay, err := newLayout(app, domains, k)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range lay.columns {
			named := regexp.MustCompile(`(^|[\s*])` + regexp.QuoteMeta(c.name) + `($|[\s*,.])`).MatchString(sections[i])
			open := c.form != closed && c.form != stamp
			if open && !named {
				t.Errorf("%s: column %s is not described", k.name, c.name)
			}
		}
	}
}
