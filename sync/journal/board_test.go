package journal_test

import (
	"context"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/sync/journal"
	"langso/sync/sum"
)

// idle asks what a phone asks mostly.
func idle(t testing.TB, j *journal.Journal, cursor int64, circles ...string) journal.Quiet {
	t.Helper()
	q, err := j.Idle(context.Background(), circles, cursor, []string{"people"})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// total is the sum of circles as their records come to it.
func total(t testing.TB, r *journal.Reader, circles ...string) (s sum.Sum) {
	t.Helper()
	for _, c := range circles {
		members, err := r.Members(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			s = s.Plus(sum.Place{Circle: c, Coll: m.Coll, ID: m.ID, Seq: m.Seq}.Sum())
		}
	}
	return s
}

// TestNobodyIsIdleOfOldNews: what is remembered of the circles is never older than
// the tables, whoever wrote: this program, raw SQL, another program on the same file.
func TestNobodyIsIdleOfOldNews(t *testing.T) {
	app, here := open(t)
	there := again(t, app) // a second program
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1'), ('h2', 'v2')`)
	absorb(t, app, here)
	at := idle(t, here, 0, "village:v1").Seq
	if q := idle(t, here, at, "village:v1"); !q.Idle || q.Ahead || q.Last != 0 {
		t.Fatalf("nothing is new, and %+v", q)
	}
	for _, one := range []struct {
		name string
		do   func()
		v1   bool // something is new in v1
	}{
		{"another program gives a number in v1", func() {
			run(t, app, `UPDATE houses SET color = 'red' WHERE id = 'h1'`)
			absorb(t, app, there)
		}, true},
		{"another program gives one in v2", func() {
			run(t, app, `UPDATE houses SET color = 'red' WHERE id = 'h2'`)
			absorb(t, app, there)
		}, false},
		{"a record leaves v1", func() {
			run(t, app, `UPDATE houses SET village = 'v2' WHERE id = 'h1'`)
			absorb(t, app, there)
		}, true},
		{"and is deleted elsewhere", func() {
			run(t, app, `DELETE FROM houses WHERE id = 'h1'`)
			absorb(t, app, here)
		}, false}, // v1 has said so before
		{"somebody moves into v1", func() {
			run(t, app, `INSERT INTO houses (id, village) VALUES ('h3', 'v1')`)
			absorb(t, app, there)
			run(t, app, `INSERT INTO people (id, house, name, updated) VALUES ('p1', 'h3', 'Lan', '')`)
			absorb(t, app, here)
		}, true},
		{"a new history", func() {
			if err := there.Raise(at + 1000); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		one.do()
		for _, j := range []*journal.Journal{here, there} {
			q := idle(t, j, at, "village:v1", "village:nobody")
			r := read(t, j)
			if want := total(t, r, "village:v1"); q.Sum != want || q.Head != r.Head {
				t.Errorf("%s: the sum is %v at %+v, want %v at %+v", one.name, q.Sum, q.Head, want, r.Head)
			}
			if last, err := r.Last([]string{"people"}); err != nil || q.Last != last {
				t.Errorf("%s: people changed at %d, and it says %d, %v", one.name, last, q.Last, err)
			}
			if one.v1 && (q.Idle || !q.Ahead) || !one.v1 && !q.Idle {
				t.Errorf("%s: %+v for who is complete at %d", one.name, q, at)
			}
			r.Close()
			recount(t, app, j, "village:v1", "village:v2")
		}
		at = idle(t, here, 0, "village:v1").Seq
	}
	// What has no number yet is new to everybody.
	run(t, app, `UPDATE houses SET color = 'blue' WHERE id = 'h2'`)
	if q := idle(t, here, at, "village:v1"); q.Idle {
		t.Errorf("something is touched, and %+v", q)
	}
}

// TestAReaderThatBeganBefore reads its own state, whatever was learnt meanwhile.
func TestAReaderThatBeganBefore(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1'), ('h2', 'v2')`)
	old := read(t, j)
	want := total(t, old, "village:v1", "village:v2")
	run(t, app, `UPDATE houses SET color = 'red' WHERE id = 'h1'`)
	absorb(t, app, j)
	if q := idle(t, j, old.Seq, "village:v1"); !q.Ahead || q.Sum == want {
		t.Fatalf("%+v", q)
	}
	if got, err := old.Sum(context.Background(), []string{"village:v1", "village:v2"}); err != nil || got != want {
		t.Errorf("the sum is %v, %v, want %v", got, err, want)
	}
	for after, want := range map[int64]int{0: 2, old.Seq: 0} {
		if all, err := old.Entries(context.Background(), []string{"village:v1", "village:v2"}, after); err != nil || len(all) != want {
			t.Errorf("above %d are %v, %v, want %d", after, all, err, want)
		}
	}
	old.Close()
	now := read(t, j)
	if all, err := now.Entries(context.Background(), []string{"village:v1", "village:v2"}, old.Seq); err != nil || len(all) != 1 || all[0].ID != "h1" {
		t.Errorf("then %v, %v", all, err)
	}
}

// TestADatabaseThatWasPutBack under the running program, with the same name of its
// history: what was remembered of a future that never was is forgotten.
func TestADatabaseThatWasPutBack(t *testing.T) {
	for _, road := range []string{"an idle phone asks", "a reader asks"} {
		app, j := open(t)
		run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1')`)
		absorb(t, app, j)
		for _, table := range []string{"meta", "collections", "records", "entries", "circles"} {
			run(t, app, `CREATE TABLE was_`+table+` AS SELECT * FROM journal_`+table)
		}
		run(t, app, `INSERT INTO houses (id, village) VALUES ('h2', 'v1'), ('h3', 'v1')`)
		absorb(t, app, j)
		if q := idle(t, j, 1, "village:v1"); !q.Ahead || q.Seq != 3 {
			t.Fatalf("%+v", q)
		}
		err := app.RunInTransaction(func(tx core.App) error {
			run(t, tx, `DELETE FROM houses WHERE id != 'h1'`)
			run(t, tx, `DELETE FROM journal_touched`)
			for _, table := range []string{"meta", "collections", "records", "entries", "circles"} {
				run(t, tx, `DELETE FROM journal_`+table)
				run(t, tx, `INSERT INTO journal_`+table+` SELECT * FROM was_`+table)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if road == "a reader asks" {
			read(t, j).Close()
		} else {
			idle(t, j, 1, "village:v1")
		}
		run(t, app, `INSERT INTO houses (id, village) VALUES ('h4', 'v1'), ('h5', 'v2'), ('h6', 'v2')`)
		absorb(t, app, j)
		recount(t, app, j, "village:v1", "village:v2")
		if q := idle(t, j, 1, "village:v1"); !q.Ahead {
			t.Errorf("%s: h4 came to v1, and %+v", road, q)
		}
	}
}

// TestARecordIsReadAgainWhenItChanges, whoever changed it and whatever of it.
func TestARecordIsReadAgainWhenItChanges(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village, color) VALUES ('h1', 'v1', 'red'), ('h2', 'v1', 'red')`)
	look := func() (color string, seq int64, circles int) {
		t.Helper()
		r := read(t, j)
		defer r.Close()
		entries, err := r.Entries(context.Background(), []string{"village:v1", "village:v2"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.ID != "h1" || e.Left {
				continue
			}
			recs, err := r.RecordsAt("houses", []string{"h1", "h2"}, []int64{e.Seq, e.Seq})
			if err != nil || len(recs) != 2 {
				t.Fatal(recs, err)
			}
			return string(recs["h1"].Whole()["color"]), recs["h1"].Seq, len(recs["h1"].Circles)
		}
		return "", 0, 0
	}
	was := int64(0)
	for _, one := range []struct{ do, color string }{
		{`UPDATE houses SET color = 'blue' WHERE id = 'h1'`, `"blue"`},
		{`UPDATE houses SET village = 'v2' WHERE id = 'h1'`, `"blue"`},
		{`UPDATE houses SET color = 'green' WHERE id = 'h1'`, `"green"`},
		{`DELETE FROM houses WHERE id = 'h1'`, ``},
		{`INSERT INTO houses (id, village, color) VALUES ('h1', 'v1', 'white')`, `"white"`},
	} {
		look()
		run(t, app, one.do)
		color, seq, circles := look()
		if color != one.color || color != "" && (seq <= was || circles != 1) {
			t.Errorf("%s: %s at %d (after %d) in %d circles", one.do, color, seq, was, circles)
		}
		was = max(was, seq)
	}
	// Nobody changes it: a field is hidden, in the dashboard.
	houses, err := app.FindCollectionByNameOrId("houses")
	if err != nil {
		t.Fatal(err)
	}
	houses.Fields.GetByName("color").SetHidden(true)
	if err := app.Save(houses); err != nil {
		t.Fatal(err)
	}
	if color, _, _ := look(); color != "" {
		t.Errorf("a field that is hidden is told: %s", color)
	}
}

// TestWhatLiesOutsideAFile is remembered until something moves in the circle.
func TestWhatLiesOutsideAFile(t *testing.T) {
	app, j := open(t)
	there := again(t, app)
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1'), ('h2', 'v1')`)
	run(t, app, `INSERT INTO people (id, house, name, updated) VALUES ('p1', 'h1', 'Lan', ''), ('p2', 'h2', 'Tú', '')`)
	absorb(t, app, j)
	at := idle(t, j, 0).Seq
	for _, one := range []struct {
		do   string
		want int
	}{
		{`SELECT 1`, 2},
		{`UPDATE houses SET color = 'red' WHERE id = 'h1'`, 2},
		{`UPDATE people SET name = 'Mai' WHERE id = 'p1'`, 1}, // it stands above the file's number now
		{`INSERT INTO people (id, house, name, updated) VALUES ('p3', 'h1', 'Bảy', '')`, 1},
		{`DELETE FROM people WHERE id = 'p2'`, 0},
	} {
		run(t, app, one.do)
		absorb(t, app, there)
		for range 2 {
			r := read(t, j)
			all, err := r.EntriesExcept(context.Background(), "village:v1", at, []string{"houses"})
			if err != nil || len(all) != one.want {
				t.Errorf("%s: %v, %v, want %d", one.do, all, err, one.want)
			}
			if houses, err := r.EntriesExcept(context.Background(), "village:v1", at, []string{"people"}); err != nil || len(houses) == 0 || houses[0].Coll != "houses" {
				t.Errorf("%s: %v, %v", one.do, houses, err)
			}
			r.Close()
		}
	}
}
