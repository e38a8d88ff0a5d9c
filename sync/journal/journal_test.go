package journal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/sync/journal"
)

// open makes an app with two collections of its own: houses, and people who
// live in them; a person's village follows the house's.
func open(t testing.TB) (core.App, *journal.Journal) {
	t.Helper()
	app := apptest.New(t)
	houses := core.NewBaseCollection("houses")
	houses.Fields.Add(&core.TextField{Name: "village"}, &core.TextField{Name: "color"})
	people := core.NewBaseCollection("people")
	people.Fields.Add(&core.TextField{Name: "house"}, &core.TextField{Name: "village"}, &core.TextField{Name: "name"},
		&core.NumberField{Name: "age"}, &core.BoolField{Name: "home"}, &core.TextField{Name: "secret", Hidden: true},
		&core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true})
	for _, c := range []*core.Collection{houses, people} {
		if err := app.Save(c); err != nil {
			t.Fatal(err)
		}
	}
	return app, again(t, app)
}

// again opens the journal of the app, as at a start.
func again(t testing.TB, app core.App) *journal.Journal {
	t.Helper()
	j := journal.New(app, []journal.Collection{
		{Name: "houses", Rules: "village(village)", Circles: in("village")},
		{Name: "people", Rules: "village(village)", Circles: in("village"),
			Routes: []journal.Route{{Field: "village", Via: "house", Of: "houses", From: "village"}}},
	})
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	return j
}

func in(field string) func(journal.Row) []string {
	return func(r journal.Row) []string {
		if v := r.GetString(field); v != "" {
			return []string{"village:" + v}
		}
		return nil
	}
}

func run(t testing.TB, app core.App, sql string, args ...any) {
	t.Helper()
	params := dbx.Params{}
	for i, a := range args {
		params[fmt.Sprint("p", i)] = a
	}
	if _, err := app.NonconcurrentDB().NewQuery(sql).Bind(params).Execute(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func absorb(t testing.TB, app core.App, j *journal.Journal) {
	t.Helper()
	if err := j.Absorb(app, 0); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, j *journal.Journal) *journal.Reader {
	t.Helper()
	r, err := j.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// since returns what a reader in a village is told after a number, as text.
func since(t testing.TB, j *journal.Journal, village string, after int64) []string {
	t.Helper()
	r, err := j.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	entries, err := r.Entries(context.Background(), []string{"village:" + village}, after)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, e := range entries {
		if e.Left {
			out = append(out, e.ID+" left")
			continue
		}
		recs, err := r.Records(e.Coll, []string{e.ID})
		if err != nil {
			t.Fatal(err)
		}
		set := recs[e.ID].Since(after)
		if e.Entered > after {
			set = recs[e.ID].Whole()
		}
		text, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.ID+" "+string(text))
	}
	return out
}

func seq(t testing.TB, j *journal.Journal) int64 {
	t.Helper()
	r, err := j.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return r.Seq
}

func TestEveryRoadOfAWriteIsSeen(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village, color) VALUES ('h1', 'v1', 'red'), ('h2', 'v2', 'blue')`)
	run(t, app, `INSERT INTO people (id, house, name, age, home, secret, updated) VALUES ('p1', 'h1', 'Lan', 30, 1, 'x', '')`)
	absorb(t, app, j)
	start := seq(t, j)
	tests := []struct {
		name string
		do   func()
		v1   []string
	}{
		{"raw SQL changes one field", func() { run(t, app, `UPDATE people SET age = 31 WHERE id = 'p1'`) }, []string{`p1 {"age":31}`}},
		{"a field becomes zero", func() { run(t, app, `UPDATE people SET age = 0 WHERE id = 'p1'`) }, []string{`p1 {"age":null}`}},
		{"an update that changes nothing", func() { run(t, app, `UPDATE people SET name = name, updated = 'later' WHERE id = 'p1'`) }, []string{}},
		{"1.0 for 1", func() { run(t, app, `UPDATE people SET home = 1.0 WHERE id = 'p1'`) }, []string{}},
		{"there and back again", func() {
			run(t, app, `UPDATE people SET name = 'Mai' WHERE id = 'p1'`)
			run(t, app, `UPDATE people SET name = 'Lan' WHERE id = 'p1'`)
		}, []string{}},
		{"a hidden field stays here", func() { run(t, app, `UPDATE people SET secret = 'y' WHERE id = 'p1'`) }, []string{}},
		{"app.Save", func() {
			r, err := app.FindRecordById("people", "p1")
			if err != nil {
				t.Fatal(err)
			}
			r.Set("age", 7)
			if err := app.Save(r); err != nil {
				t.Fatal(err)
			}
		}, []string{`p1 {"age":7}`}},
		{"a rolled back write", func() {
			_ = app.RunInTransaction(func(tx core.App) error {
				run(t, tx, `UPDATE people SET age = 99 WHERE id = 'p1'`)
				return fmt.Errorf("undo")
			})
		}, []string{}},
		{"REPLACE throws a row out", func() {
			run(t, app, `CREATE UNIQUE INDEX one_name ON people (name)`)
			run(t, app, `INSERT OR REPLACE INTO people (id, house, village, name, updated) VALUES ('p2', 'h1', 'v1', 'Lan', '')`)
		}, []string{"p1 left", `p2 {"house":"h1","name":"Lan"}`}},
		{"an id is changed", func() { run(t, app, `UPDATE people SET id = 'p3' WHERE id = 'p2'`) }, []string{"p2 left", `p3 {"house":"h1","name":"Lan"}`}},
		{"born and died between two looks", func() {
			run(t, app, `INSERT INTO people (id, house, name, updated) VALUES ('p4', 'h1', 'Tư', '')`)
			run(t, app, `DELETE FROM people WHERE id = 'p4'`)
		}, []string{}},
		{"the house moves to another village, by SQL", func() { run(t, app, `UPDATE houses SET village = 'v2' WHERE id = 'h1'`) }, []string{"h1 left", "p3 left"}},
		{"the person moves to a house in the village, by SQL", func() {
			run(t, app, `UPDATE houses SET village = 'v1' WHERE id = 'h2'`)
			run(t, app, `UPDATE people SET house = 'h2' WHERE id = 'p3'`)
		}, []string{`h2 {"color":"blue","village":"v1"}`, `p3 {"house":"h2","name":"Lan"}`}},
		{"DELETE without WHERE", func() { run(t, app, `DELETE FROM people`) }, []string{"p3 left"}},
	}
	for _, tt := range tests {
		tt.do()
		absorb(t, app, j)
		got := since(t, j, "v1", start)
		if !slices.Equal(got, tt.v1) {
			t.Errorf("%s: told %q, want %q", tt.name, got, tt.v1)
		}
		start = seq(t, j)
	}
}

func TestSchemaEditsInTheDashboard(t *testing.T) {
	app, j := open(t)
	// What hooks do around a collection's save.
	save := func(edit func(c *core.Collection)) {
		t.Helper()
		c, err := app.FindCollectionByNameOrId("people")
		if err != nil {
			t.Fatal(err)
		}
		edit(c)
		err = app.RunInTransaction(func(tx core.App) error {
			if err := tx.Save(c); err != nil {
				return err
			}
			return j.Prepare(tx)
		})
		if err != nil {
			t.Fatal(err)
		}
		j.Forget()
	}
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1')`)
	run(t, app, `INSERT INTO people (id, house, village, name, secret, updated) VALUES ('p1', 'h1', 'v1', 'Lan', 'x', '')`)
	start := seq(t, j)
	expect := func(what string, want ...string) {
		t.Helper()
		if got := since(t, j, "v1", start); !slices.Equal(got, want) {
			t.Errorf("%s: told %q, want %q", what, got, want)
		}
		start = seq(t, j)
	}
	save(func(c *core.Collection) { c.Fields.Add(&core.TextField{Name: "note"}) })
	expect("a field is added")
	run(t, app, `UPDATE people SET note = 'mới' WHERE id = 'p1'`)
	expect("the new field is filled", `p1 {"note":"mới"}`)
	save(func(c *core.Collection) { c.Fields.GetByName("note").SetName("remark") })
	expect("it is renamed: phones know the old name, so it comes whole", `p1 {"house":"h1","name":"Lan","remark":"mới"}`)
	run(t, app, `UPDATE people SET remark = 'khác' WHERE id = 'p1'`)
	expect("it is changed under the new name", `p1 {"remark":"khác"}`)
	save(func(c *core.Collection) { c.Fields.RemoveByName("remark") })
	expect("it is dropped: phones must forget it, so it comes whole", `p1 {"house":"h1","name":"Lan"}`)
	run(t, app, `UPDATE people SET age = 5 WHERE id = 'p1'`)
	expect("others still flow", `p1 {"age":5}`)
	save(func(c *core.Collection) { c.Fields.GetByName("secret").SetHidden(false) })
	expect("a hidden field is shown", `p1 {"secret":"x"}`)
	save(func(c *core.Collection) { c.Fields.GetByName("secret").SetHidden(true) })
	expect("and hidden again: phones must forget it, whatever it is called by then, so it comes whole", `p1 {"age":5,"house":"h1","name":"Lan"}`)
	err := app.RunInTransaction(func(tx core.App) error {
		c, err := tx.FindCollectionByNameOrId("people")
		if err != nil {
			return err
		}
		if err := tx.Delete(c); err != nil {
			return err
		}
		return j.Drop(tx, c.Id)
	})
	if err != nil {
		t.Fatal(err)
	}
	expect("the collection is deleted", "p1 left")
}

func TestWhoChangedAField(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO people (id, name, age, updated) VALUES ('p1', 'Lan', 1, '')`)
	absorb(t, app, j)
	base := seq(t, j)
	run(t, app, `UPDATE people SET age = 2 WHERE id = 'p1'`)
	if err := j.Absorb(app, 7); err != nil { // phone 7
		t.Fatal(err)
	}
	tests := []struct {
		asker string
		field string
		base  int64
		phone int64
		want  bool
	}{
		{"another phone that had not seen it", "age", base, 8, true},
		{"the server that had not seen it", "age", base, 0, true},
		{"the phone that wrote it", "age", base, 7, false},
		{"a phone that had seen it", "age", base + 1, 8, false},
		{"another field", "name", base, 8, false},
		{"a field that never was", "home", 0, 8, false},
	}
	view, err := j.View(app)
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	st, err := view.State("people", "p1")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		if got := st.Apart(tt.field, tt.base, tt.phone); got != tt.want {
			t.Errorf("%s: apart = %v, want %v", tt.asker, got, tt.want)
		}
	}
}

// TestMoreThanABatch: an import touches more records than one transaction
// absorbs, and routes touch others meanwhile; none is left out.
func TestMoreThanABatch(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village) SELECT 'h' || value, 'v1' FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 700) SELECT value FROM n)`)
	run(t, app, `INSERT INTO people (id, house, name, updated) SELECT 'p' || value, 'h' || (value % 700 + 1), 'n' || value, '' FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 1500) SELECT value FROM n)`)
	absorb(t, app, j)
	if got := len(since(t, j, "v1", 0)); got != 2200 {
		t.Errorf("the village is told %d records, want 2200", got)
	}
	start := seq(t, j)
	run(t, app, `UPDATE houses SET village = 'v2' WHERE id = 'h700'`)
	absorb(t, app, j)
	if got := since(t, j, "v2", start); len(got) != 3 {
		t.Errorf("the other village is told %q, want the house and its two people", got)
	}
}

// TestPhonesEqualTables writes at random by all roads, absorbs at random
// moments, lets readers of random villages follow by deltas from cursors of any
// age, and compares what they hold with the tables.
func TestPhonesEqualTables(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			app, j := open(t)
			rnd := rand.New(rand.NewPCG(seed, 1))
			villages := []string{"v1", "v2", "v3"}
			type reader struct {
				cursor int64
				held   map[string]map[string]json.RawMessage
			}
			readers := map[string]*reader{}
			for _, v := range villages {
				readers[v] = &reader{held: map[string]map[string]json.RawMessage{}}
			}
			for step := range 300 {
				p, h, v := fmt.Sprint("p", rnd.IntN(8)), fmt.Sprint("h", rnd.IntN(4)), villages[rnd.IntN(3)]
				switch rnd.IntN(9) {
				case 0:
					run(t, app, `INSERT INTO people (id, house, name, updated) VALUES ({:p0}, {:p1}, {:p2}, '') ON CONFLICT (id) DO UPDATE SET name = excluded.name`, p, h, fmt.Sprint("n", step))
				case 1:
					run(t, app, `UPDATE people SET age = {:p1} WHERE id = {:p0}`, p, rnd.IntN(3))
				case 2:
					run(t, app, `UPDATE people SET home = NOT home, house = {:p1} WHERE id = {:p0}`, p, h)
				case 3:
					run(t, app, `DELETE FROM people WHERE id = {:p0}`, p)
				case 4:
					run(t, app, `INSERT OR REPLACE INTO houses (id, village, color) VALUES ({:p0}, {:p1}, {:p2})`, h, v, fmt.Sprint(rnd.IntN(3)))
				case 5:
					run(t, app, `UPDATE houses SET village = {:p1} WHERE id = {:p0}`, h, v)
				case 6:
					run(t, app, `UPDATE people SET village = {:p1} WHERE id = {:p0}`, p, v) // somebody writes the server's own field
				case 7:
					absorb(t, app, j)
				case 8:
					rd := readers[v]
					r := read(t, j)
					entries, err := r.Entries(context.Background(), []string{"village:" + v}, rd.cursor)
					if err != nil {
						t.Fatal(err)
					}
					for _, e := range entries {
						key := e.Coll + "/" + e.ID
						if e.Left {
							delete(rd.held, key)
							continue
						}
						recs, err := r.Records(e.Coll, []string{e.ID})
						if err != nil {
							t.Fatal(err)
						}
						set := recs[e.ID].Since(rd.cursor)
						if e.Entered > rd.cursor {
							rd.held[key], set = map[string]json.RawMessage{}, recs[e.ID].Whole()
						}
						if rd.held[key] == nil {
							t.Fatalf("step %d: a delta of %s, which the reader has not", step, key)
						}
						for f, val := range set {
							if string(val) == "null" {
								delete(rd.held[key], f)
								continue
							}
							rd.held[key][f] = val
						}
					}
					rd.cursor = r.Seq
					whole, err := r.Entries(context.Background(), []string{"village:" + v}, 0)
					if err != nil {
						t.Fatal(err)
					}
					live := 0
					for _, e := range whole {
						if e.Left {
							continue
						}
						live++
						recs, err := r.Records(e.Coll, []string{e.ID})
						if err != nil {
							t.Fatal(err)
						}
						want, _ := json.Marshal(recs[e.ID].Whole())
						got, _ := json.Marshal(rd.held[e.Coll+"/"+e.ID])
						if string(want) != string(got) {
							t.Fatalf("step %d: %s holds %s/%s as %s, the table %s", step, v, e.Coll, e.ID, got, want)
						}
					}
					if live != len(rd.held) {
						t.Fatalf("step %d: %s holds %d records, the journal %d", step, v, len(rd.held), live)
					}
					var inTables int
					err = app.DB().NewQuery(`SELECT (SELECT count(*) FROM houses WHERE village = {:v}) + (SELECT count(*) FROM people p JOIN houses h ON h.id = p.house WHERE h.village = {:v})`).
						Bind(dbx.Params{"v": v}).Row(&inTables)
					if err != nil {
						t.Fatal(err)
					}
					if live != inTables {
						t.Fatalf("step %d: the journal has %d records in %s, the tables %d", step, live, v, inTables)
					}
					r.Close()
				}
			}
		})
	}
}
