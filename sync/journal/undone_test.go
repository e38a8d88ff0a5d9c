package journal_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/sync/journal"
)

// TestACircleThatWasUndone: a new village's number is not remembered from an edit
// that was undone, for the next new village gets it: its people would be shown to
// the other.
func TestACircleThatWasUndone(t *testing.T) {
	app, j := open(t)
	undo := errors.New("undo")
	err := app.RunInTransaction(func(tx core.App) error {
		run(t, tx, `INSERT INTO houses (id, village) VALUES ('h1', 'north')`)
		if err := j.Absorb(tx, 1); err != nil {
			return err
		}
		return undo
	})
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h2', 'south')`)
	absorb(t, app, j)
	if got := since(t, j, "north", 0); len(got) != 0 {
		t.Errorf("the north is told %v", got)
	}
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h3', 'north')`)
	absorb(t, app, j)
	if got, want := since(t, j, "north", 0), []string{`h3 {"village":"north"}`}; !slices.Equal(got, want) {
		t.Errorf("the north is told %v, want %v", got, want)
	}
	recount(t, app, j, "village:north", "village:south")
}

// TestOnceIsEnough: after one absorption nothing is touched, whatever routes
// touched on the way, with or without a transaction around it.
func TestOnceIsEnough(t *testing.T) {
	app, j := open(t)
	touched := func(what string) {
		t.Helper()
		if n := value(t, app, `SELECT count(*) FROM journal_touched`); n != "0" {
			t.Errorf("%s: %s are touched still", what, n)
		}
	}
	run(t, app, `INSERT INTO people (id, house, updated) VALUES ('p1', 'h1', ''), ('p2', 'h1', '')`)
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1')`)
	absorb(t, app, j)
	touched("a house and who lives in it")
	run(t, app, `UPDATE houses SET village = 'v2'`)
	absorb(t, app, j)
	touched("the house moves")
	err := app.RunInTransaction(func(tx core.App) error {
		run(t, tx, `UPDATE houses SET village = 'v1'`)
		run(t, tx, `INSERT INTO people (id, house, updated) SELECT 'q' || value, 'h1', '' FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 1200) SELECT value FROM n)`)
		return j.Absorb(tx, 1)
	})
	if err != nil {
		t.Fatal(err)
	}
	touched("many in one edit")
	if got := len(since(t, j, "v1", 0)); got != 1203 {
		t.Errorf("the village is told %d records", got)
	}
	run(t, app, `UPDATE people SET name = 'x'`)
	run(t, app, `DELETE FROM houses`)
	absorb(t, app, j)
	touched("an import, and the house is torn down")
	if got := len(since(t, j, "v1", 0)); got != 1203 || len(live(t, j, "village:v1")) != 0 {
		t.Errorf("the village is told %d records, %v live", got, live(t, j, "village:v1"))
	}
	recount(t, app, j, "village:v1", "village:v2")
}

func live(t testing.TB, j *journal.Journal, circle string) []journal.Member {
	t.Helper()
	r := read(t, j)
	defer r.Close()
	members, err := r.Members(t.Context(), circle)
	if err != nil {
		t.Fatal(err)
	}
	return members
}

// TestAFieldAndAPersonGoTogether: before anybody looks a field is dropped, so that
// all go out whole, and a person is deleted: she is gone all the same.
func TestAFieldAndAPersonGoTogether(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village, color) VALUES ('h1', 'v1', 'red'), ('h2', 'v1', 'red'), ('h3', 'v2', 'red')`)
	run(t, app, `UPDATE houses SET village = 'v1' WHERE id = 'h3'`)
	absorb(t, app, j)
	run(t, app, `UPDATE houses SET village = 'v2' WHERE id = 'h3'`)
	start := seq(t, j)
	err := app.RunInTransaction(func(tx core.App) error {
		c, err := tx.FindCollectionByNameOrId("houses")
		if err != nil {
			return err
		}
		c.Fields.RemoveByName("color")
		if err := tx.Save(c); err != nil {
			return err
		}
		run(t, tx, `DELETE FROM houses WHERE id = 'h1'`)
		return j.Prepare(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := since(t, j, "v1", start), []string{"h1 left", `h2 {"village":"v1"}`}; !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	if got, want := since(t, j, "v2", start), []string{`h3 {"village":"v2"}`}; !slices.Equal(got, want) {
		t.Errorf("the other village is told %v, want %v", got, want)
	}
	recount(t, app, j, "village:v1", "village:v2")
}

// TestASchemaThatAnotherChanged: the journal of a second program on the same
// files sees a field go and a field be hidden, though nobody tells it.
func TestASchemaThatAnotherChanged(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village, color) VALUES ('h1', 'v1', 'red')`)
	other := again(t, app)
	for _, c := range []struct {
		what string
		edit func(c *core.Collection)
		want string
	}{
		{"nothing", func(*core.Collection) {}, `h1 {"color":"red","village":"v1"}`},
		{"hidden, which changes no table", func(c *core.Collection) { c.Fields.GetByName("color").SetHidden(true) }, `h1 {"village":"v1"}`},
		{"shown again", func(c *core.Collection) { c.Fields.GetByName("color").SetHidden(false) }, `h1 {"color":"red","village":"v1"}`},
		{"renamed", func(c *core.Collection) { c.Fields.GetByName("color").SetName("paint") }, `h1 {"paint":"red","village":"v1"}`},
		{"dropped", func(c *core.Collection) { c.Fields.RemoveByName("paint") }, `h1 {"village":"v1"}`},
	} {
		c2, err := app.FindCollectionByNameOrId("houses")
		if err != nil {
			t.Fatal(err)
		}
		c.edit(c2)
		err = app.RunInTransaction(func(tx core.App) error {
			if err := tx.Save(c2); err != nil {
				return err
			}
			return j.Prepare(tx)
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range []*journal.Journal{other, j} {
			if got := since(t, who, "v1", 0); !slices.Equal(got, []string{c.want}) {
				t.Errorf("%s: told %v, want %s", c.what, got, c.want)
			}
		}
	}
}

// TestTheWriterIsFreeBetween: an import is absorbed in parts, and whoever waits to
// write gets in between them.
func TestTheWriterIsFreeBetween(t *testing.T) {
	app, j := open(t)
	var left []string
	j.Watch(func([]string, int64) { left = append(left, value(t, app, `SELECT count(*) FROM journal_touched`)) })
	run(t, app, `INSERT INTO houses (id, village) SELECT 'h' || value, 'v1' FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 1200) SELECT value FROM n)`)
	absorb(t, app, j)
	if want := []string{"700", "200", "0"}; !slices.Equal(left, want) {
		t.Errorf("after each part %v were left, want %v", left, want)
	}
}

// TestAFieldBeforeItsNumber: a migration adds a field, a phone asks before the
// journal has prepared for it: from then on the field is sent all the same.
func TestAFieldBeforeItsNumber(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1')`)
	c, err := app.FindCollectionByNameOrId("houses")
	if err != nil {
		t.Fatal(err)
	}
	c.Fields.Add(&core.TextField{Name: "note"})
	if err := app.Save(c); err != nil {
		t.Fatal(err)
	}
	run(t, app, `UPDATE houses SET note = 'mới'`)
	if got, want := since(t, j, "v1", 0), []string{`h1 {"village":"v1"}`}; !slices.Equal(got, want) {
		t.Errorf("before: %v, want %v", got, want)
	}
	if err := app.RunInTransaction(j.Prepare); err != nil {
		t.Fatal(err)
	}
	if got, want := since(t, j, "v1", 0), []string{`h1 {"note":"mới","village":"v1"}`}; !slices.Equal(got, want) {
		t.Errorf("after: %v, want %v", got, want)
	}
}

// TestFieldsInAnotherOrder: the administrator drags a field up in the dashboard.
// That is no reason to look at every record.
func TestFieldsInAnotherOrder(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO people (id, name, updated) VALUES ('p1', 'Lan', '')`)
	absorb(t, app, j)
	err := app.RunInTransaction(func(tx core.App) error {
		c, err := tx.FindCollectionByNameOrId("people")
		if err != nil {
			return err
		}
		for i, f := range slices.Backward(c.Fields) { // the id stays the first
			if i > 0 {
				c.Fields.RemoveById(f.GetId())
				c.Fields.Add(f)
			}
		}
		if err := tx.Save(c); err != nil {
			return err
		}
		return j.Prepare(tx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := value(t, app, `SELECT count(*) FROM journal_touched`); n != "0" {
		t.Errorf("%s records are looked at", n)
	}
	run(t, app, `UPDATE people SET age = 5`)
	start := seq(t, j)
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1')`)
	run(t, app, `UPDATE people SET house = 'h1', home = 1`)
	if got := since(t, j, "v1", start); len(got) != 2 || got[1] != `p1 {"age":5,"home":true,"house":"h1","name":"Lan"}` {
		t.Errorf("told %v", got)
	}
}
