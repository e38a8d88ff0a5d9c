package journal_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/sync/journal"
	"langso/sync/sum"
)

// recount compares what the journal adds up for circles with the records in them.
func recount(t testing.TB, app core.App, j *journal.Journal, circles ...string) {
	t.Helper()
	r, err := j.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	totals, err := r.Totals(context.Background(), circles)
	if err != nil {
		t.Fatal(err)
	}
	var all sum.Sum
	for _, c := range circles {
		members, err := r.Members(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(members, func(a, b journal.Member) int {
			return cmp.Or(strings.Compare(a.Coll, b.Coll), strings.Compare(a.ID, b.ID))
		}) {
			t.Errorf("members of %s are out of order: %v", c, members)
		}
		want := journal.Total{N: len(members)}
		for _, m := range members {
			want.Sum = want.Sum.Plus(sum.Place{Circle: c, Coll: m.Coll, ID: m.ID, Seq: m.Seq}.Sum())
			recs, err := r.Records(m.Coll, []string{m.ID})
			if err != nil {
				t.Fatal(err)
			}
			if rec := recs[m.ID]; rec == nil || rec.Seq != m.Seq || rec.Circles[c] == 0 || rec.Circles[c] > m.Seq {
				t.Errorf("%s/%s is a member of %s at %d, and a record %+v", m.Coll, m.ID, c, m.Seq, rec)
			}
		}
		if totals[c] != want {
			t.Errorf("%s has %+v, its records come to %+v", c, totals[c], want)
		}
		all = all.Plus(want.Sum)
	}
	var twice int
	if err := app.DB().NewQuery(`SELECT count(*) FROM (SELECT 1 FROM journal_entries GROUP BY circle, coll, rid HAVING count(*) > 1)`).Row(&twice); err != nil || twice > 0 {
		t.Errorf("%d records have more than one entry in a circle, %v", twice, err)
	}
	var below int
	if err := app.DB().NewQuery(`SELECT count(*) FROM journal_circles c WHERE last < (SELECT coalesce(max(seq), 0) FROM journal_entries WHERE circle = c.no)`).Row(&below); err != nil || below > 0 {
		t.Errorf("%d circles hold an entry above their last number, %v", below, err)
	}
	if got, err := r.Sum(context.Background(), circles); err != nil || got != all {
		t.Errorf("all come to %v, %v, want %v", got, err, all)
	}
	q, err := j.Idle(context.Background(), circles, r.Seq, nil)
	if err != nil || !q.Idle || q.Sum != all || q.Head != r.Head {
		t.Errorf("idle: %+v, %v, want %v at %+v", q, err, all, r.Head)
	}
}

// TestSumsAreThoseOfTheRecords after every kind of move.
func TestSumsAreThoseOfTheRecords(t *testing.T) {
	app, j := open(t)
	villages := []string{"village:v1", "village:v2", "village:v3", "village:nobody"}
	for _, sql := range []string{
		`INSERT INTO houses (id, village) VALUES ('h1', 'v1'), ('h2', 'v2'), ('h3', 'v1')`,
		`INSERT INTO people (id, house, name, updated) VALUES ('p1', 'h1', 'Lan', ''), ('p2', 'h1', 'Tú', ''), ('p3', 'h2', 'Bảy', '')`,
		`UPDATE people SET name = 'Mai' WHERE id = 'p1'`,
		`UPDATE houses SET village = 'v3' WHERE id = 'h1'`,
		`UPDATE houses SET village = 'v1' WHERE id = 'h1'`,
		`DELETE FROM people WHERE id = 'p2'`,
		`INSERT INTO people (id, house, name, updated) VALUES ('p2', 'h2', 'Tú', '')`,
		`UPDATE people SET house = ''`,
		`UPDATE houses SET village = 'v2' WHERE id = 'h3'`, // it left v1,
		`DELETE FROM houses WHERE id = 'h3'`,
		`INSERT INTO houses (id, village) VALUES ('h3', 'v2')`, // went and came again,
		`UPDATE houses SET village = 'v1' WHERE id = 'h3'`,     // and is in v1 once
		`DELETE FROM houses`,
	} {
		run(t, app, sql)
		recount(t, app, j, villages...)
	}
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1'), ('h2', 'v2'), ('h3', 'v2')`)
	recount(t, app, j, villages...)
	// After a restart circles are known by their numbers alone.
	j = again(t, app)
	run(t, app, `DELETE FROM houses WHERE id = 'h3'`)
	recount(t, app, j, villages...)
	// A journal of an older program has no sums; they are made at its first start.
	for _, summed := range []int{0, 1} {
		run(t, app, `UPDATE journal_circles SET n = 7, a = 7, b = 7`)
		run(t, app, `UPDATE journal_meta SET summed = {:p0}`, summed)
		if err := j.Open(); err != nil {
			t.Fatal(err)
		}
		r := read(t, j)
		totals, err := r.Totals(context.Background(), []string{"village:v1"})
		r.Close()
		if err != nil || (totals["village:v1"].N == 1) != (summed == 0) {
			t.Errorf("summed %d: %+v, %v", summed, totals, err)
		}
		if summed == 0 {
			recount(t, app, j, villages...)
		}
	}
}

// TestADamagedJournal is told, not sent.
func TestADamagedJournal(t *testing.T) {
	app, j := open(t)
	for _, c := range []struct{ what, sql string }{
		{"a record is gone for the journal, and is there", `UPDATE journal_records SET gone = seq`},
		{"a record that the journal never saw", `DELETE FROM journal_records`},
		{"half a number", `UPDATE journal_records SET circles = x'80'`},
		{"half a field", `UPDATE journal_records SET fields = x'0101'`},
	} {
		run(t, app, `DELETE FROM houses`)
		run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1')`)
		absorb(t, app, j)
		run(t, app, c.sql)
		r := read(t, j)
		if recs, err := r.Records("houses", []string{"h1"}); err == nil {
			t.Errorf("%s: %+v", c.what, recs["h1"])
		}
		r.Close()
		run(t, app, `DELETE FROM journal_records`)
		run(t, app, `DELETE FROM journal_entries`)
	}
}

// TestGrowth: what lies in a circle, and how much of it is new.
func TestGrowth(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1'), ('h2', 'v1'), ('h3', 'v2')`)
	start := seq(t, j)
	run(t, app, `UPDATE houses SET color = 'red' WHERE id = 'h1'`)
	run(t, app, `UPDATE houses SET village = 'v2' WHERE id = 'h2'`)
	absorb(t, app, j)
	for _, c := range []struct {
		circle   string
		since    int64
		n, fresh int
	}{{"village:v1", start, 1, 2}, {"village:v1", 0, 1, 2}, {"village:v2", start, 2, 1}, {"village:v2", 0, 2, 2}, {"village:v2", start + 2, 2, 0}, {"village:none", 0, 0, 0}} {
		if n, fresh, err := j.Growth(context.Background(), c.circle, c.since); err != nil || n != c.n || fresh != c.fresh {
			t.Errorf("%s since %d: %d, %d, %v, want %d, %d", c.circle, c.since, n, fresh, err, c.n, c.fresh)
		}
	}
}

// TestQuiet: whether there is news, and where the history stands.
func TestQuiet(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1'), ('h2', 'v2')`)
	at := seq(t, j)
	ask := func(cursor int64, circles ...string) journal.Quiet {
		t.Helper()
		q, err := j.Idle(context.Background(), circles, cursor, []string{"houses"})
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	if q := ask(at, "village:v1"); !q.Idle || q.Seq != at || q.Last != at || q.Floor != 0 || q.Epoch == "" {
		t.Errorf("nothing happened: %+v", q)
	}
	if q := ask(0, "village:v1"); q.Idle {
		t.Error("a new phone has nothing to hear")
	}
	if q := ask(0, "village:none"); !q.Idle || q.Sum != (sum.Sum{}) {
		t.Errorf("where nothing ever was: %+v", q)
	}
	if q := ask(0); !q.Idle || q.Sum != (sum.Sum{}) {
		t.Errorf("who stands nowhere: %+v", q)
	}
	run(t, app, `INSERT INTO people (id, village, updated) VALUES ('p1', 'v1', '')`)
	if q := ask(at, "village:v2"); q.Idle {
		t.Error("something is touched, and nobody knows yet whom it concerns")
	}
	absorb(t, app, j)
	if q := ask(at, "village:v1"); !q.Idle || q.Last != at || q.Seq != at+1 {
		t.Errorf("a person without a house is in no village: %+v", q)
	}
	for _, last := range []struct {
		names []string
		want  int64
	}{{[]string{"houses"}, at}, {[]string{"people"}, at + 1}, {[]string{"houses", "people"}, at + 1}, {nil, 0}, {[]string{"birds"}, 0}} {
		got, err := j.Last(last.names)
		r := read(t, j)
		in, err2 := r.Last(last.names)
		r.Close()
		if got != last.want || in != last.want || err != nil || err2 != nil {
			t.Errorf("the last of %v is %d, in a state %d (%v, %v), want %d", last.names, got, in, err, err2, last.want)
		}
	}
}

// TestRaise begins a history above what anybody has seen.
func TestRaise(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1')`)
	absorb(t, app, j)
	was, err := j.Head()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ above, want int64 }{{100, 100}, {5, 100}} {
		if err := j.Raise(c.above); err != nil {
			t.Fatal(err)
		}
		is, err := j.Head()
		if err != nil || is.Epoch == was.Epoch || len(is.Epoch) != 6 || is.Epoch != strings.ToLower(is.Epoch) || is.Seq != c.want {
			t.Errorf("raised above %d: %+v, %v, was %+v", c.above, is, err, was)
		}
		was = is
	}
	run(t, app, `UPDATE houses SET color = 'red'`)
	absorb(t, app, j)
	if at := seq(t, j); at != 101 {
		t.Errorf("the next number is %d", at)
	}
}

// TestAStateInAStorm: writers that never rest do not keep a phone waiting for ever.
func TestAStateInAStorm(t *testing.T) {
	app, j := open(t)
	n := 0
	j.Watch(func([]string, int64) { // whoever absorbs is at once followed by another writer
		n++
		if n < 50 {
			run(t, app, `INSERT INTO houses (id, village) VALUES ({:p0}, 'v1')`, fmt.Sprint("h", n))
		}
	})
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h0', 'v1')`)
	_, err := j.Read(context.Background())
	if !errors.Is(err, journal.ErrBusy) || n > 5 {
		t.Errorf("%v after %d attempts", err, n)
	}
	n = 50
	r := read(t, j)
	if members, err := r.Members(context.Background(), "village:v1"); err != nil || len(members) < 3 {
		t.Errorf("%v, %v", members, err)
	}
}

// TestEntries: what is news in circles, and what is not in a file of theirs.
func TestEntries(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1'), ('h2', 'v2')`)
	run(t, app, `INSERT INTO people (id, house, updated) VALUES ('p1', 'h1', ''), ('p2', 'h2', '')`)
	start := seq(t, j)
	run(t, app, `UPDATE people SET house = 'h1' WHERE id = 'p2'`)
	absorb(t, app, j)
	r := read(t, again(t, app)) // which has read no circle yet
	say := func(entries []journal.Entry, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range entries {
			left := ""
			if e.Left {
				left = " left"
			}
			out = append(out, fmt.Sprintf("%s/%s@%d in %s since %d%s", e.Coll, e.ID, e.Seq, e.Circle, e.Entered, left))
		}
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	ctx := context.Background()
	for _, c := range []struct{ name, got, want string }{
		{"one village", say(r.Entries(ctx, []string{"village:v1"}, 0)), "houses/h1@1 in village:v1 since 1, people/p1@3 in village:v1 since 3, people/p2@5 in village:v1 since 5"},
		{"news of both", say(r.Entries(ctx, []string{"village:v1", "village:v2"}, start)), "people/p2@5 in village:v1 since 5, people/p2@5 in village:v2 since 4 left"},
		{"no circle", say(r.Entries(ctx, nil, 0)), ""},
		{"but for houses", say(r.EntriesExcept(ctx, "village:v1", start, []string{"houses", "birds"})), "people/p1@3 in village:v1 since 3"},
		{"but for nothing", say(r.EntriesExcept(ctx, "village:v1", start+1, nil)), "houses/h1@1 in village:v1 since 1, people/p1@3 in village:v1 since 3, people/p2@5 in village:v1 since 5"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	if recs, err := r.Records("birds", []string{"p1"}); err != nil || len(recs) != 0 {
		t.Errorf("of no collection: %v, %v", recs, err)
	}
	if recs, err := r.Records("people", []string{"p1", "p9"}); err != nil || len(recs) != 1 || recs["p1"].ID != "p1" || !maps.Equal(recs["p1"].Circles, map[string]int64{"village:v1": 3}) {
		t.Errorf("records: %+v, %v", recs["p1"], err)
	}
}

// TestWhatIsForgotten: what went is remembered for a month at least, until the
// phones have passed it, and 400 days at most.
func TestWhatIsForgotten(t *testing.T) {
	app, j := open(t)
	today := time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)
	number := func(n int) { // a house comes and goes each day: two numbers a day
		run(t, app, `INSERT INTO houses (id, village) VALUES ({:p0}, 'v1')`, fmt.Sprint("h", n))
		absorb(t, app, j)
		run(t, app, `DELETE FROM houses`)
		absorb(t, app, j)
	}
	floor := func() int64 {
		t.Helper()
		r := read(t, j)
		defer r.Close()
		return r.Floor
	}
	kept := func() (n int) {
		t.Helper()
		err := app.DB().NewQuery(`SELECT (SELECT count(*) FROM journal_entries) * 1000 + (SELECT count(*) FROM journal_records)`).Row(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	prune := func(days int, passed int64) {
		t.Helper()
		for range 2 { // twice a day does no harm
			if err := j.Prune(today.AddDate(0, 0, days), passed); err != nil {
				t.Fatal(err)
			}
		}
	}
	for day := range 40 {
		number(day)
		prune(day, 0)
		// Of a day are known the numbers at its first look.
		if want := int64(max(0, day-29) * 2); floor() != want {
			t.Errorf("day %d, no phones: the floor is %d, want %d", day, floor(), want)
		}
	}
	if n := kept(); n != 30030 {
		t.Errorf("kept %d entries and records, want 30 and 30", n)
	}
	prune(45, 25)
	if floor() != 25 {
		t.Errorf("phones have passed 25: the floor is %d", floor())
	}
	prune(46, 7)
	if floor() != 25 {
		t.Errorf("a phone from a drawer lowers the floor to %d", floor())
	}
	prune(400+14, 7)
	if floor() != 30 {
		t.Errorf("400 days later: the floor is %d, want 30", floor())
	}
	prune(400+30, 7)
	if floor() != 62 || kept() != 9009 {
		t.Errorf("and some: the floor is %d, %d kept", floor(), kept())
	}
	var first string
	if err := app.DB().NewQuery(`SELECT min(day) FROM journal_days`).Row(&first); err != nil || first != today.AddDate(0, 0, 29).Format(time.DateOnly) {
		t.Errorf("days are known since %s, %v", first, err)
	}
}

// TestEveryKindOfField, and which go to phones.
func TestEveryKindOfField(t *testing.T) {
	app := apptest.New(t)
	other := core.NewBaseCollection("others_x")
	other.Fields.Add(&core.TextField{Name: "color"}, &core.TextField{Name: "shape"})
	if err := app.Save(other); err != nil {
		t.Fatal(err)
	}
	c := core.NewBaseCollection("things_x")
	c.Fields.Add(&core.TextField{Name: "text"}, &core.NumberField{Name: "number"}, &core.BoolField{Name: "bool"}, &core.JSONField{Name: "json"}, &core.GeoPointField{Name: "geo"},
		&core.SelectField{Name: "one", Values: []string{"a", "b"}, MaxSelect: 1}, &core.SelectField{Name: "many", Values: []string{"a", "b"}, MaxSelect: 2},
		&core.RelationField{Name: "other", CollectionId: other.Id, MaxSelect: 1}, &core.RelationField{Name: "others", CollectionId: other.Id, MaxSelect: 2},
		&core.FileField{Name: "file", MaxSelect: 1}, &core.DateField{Name: "date"}, &core.TextField{Name: "hidden", Hidden: true}, &core.AutodateField{Name: "made", OnCreate: true},
		&core.TextField{Name: "color"}, &core.TextField{Name: "shape"})
	if err := app.Save(c); err != nil {
		t.Fatal(err)
	}
	j := journal.New(app, []journal.Collection{
		{Name: "others_x", Circles: func(journal.Row) []string { return nil }},
		{Name: "things_x", Circles: func(r journal.Row) []string { return []string{"all"} }, Routes: []journal.Route{
			{Field: "color", Via: "other", Of: "others_x", From: "color", Shown: true}, {Field: "shape", Via: "other", Of: "others_x", From: "shape"}}},
		{Name: "birds_x", Circles: func(journal.Row) []string { return nil }},
	})
	for range 2 { // a second start changes nothing
		if err := j.Open(); err != nil {
			t.Fatal(err)
		}
	}
	if j.Declared("birds") || !j.Declared("birds_x") {
		t.Error("what is declared is not what was declared")
	}
	run(t, app, `INSERT INTO others_x (id, color, shape) VALUES ('o1', 'red', 'round')`)
	run(t, app, `INSERT INTO things_x (id, text, number, bool, json, geo, one, many, other, others, file, date, hidden, made, color, shape) VALUES
		('t1', 'x', 1.5, 1, '{"a":1}', '{"lon":1,"lat":2}', 'a', '["a","b"]', 'o1', '["o1"]', 'f.jpg', '2026-11-24', 'y', '2026', 'wrong', '')`)
	what := func(set map[string]string) string {
		var out []string
		for _, k := range slices.Sorted(maps.Keys(set)) {
			out = append(out, k+" "+set[k])
		}
		return strings.Join(out, ", ")
	}
	told := func(after int64) (whole, since string) {
		t.Helper()
		r := read(t, j)
		defer r.Close()
		recs, err := r.Records("things_x", []string{"t1"})
		if err != nil {
			t.Fatal(err)
		}
		a, b := map[string]string{}, map[string]string{}
		for k, v := range recs["t1"].Whole() {
			a[k] = string(v)
		}
		for k, v := range recs["t1"].Since(after) {
			b[k] = string(v)
		}
		return what(a), what(b)
	}
	start := seq(t, j)
	whole, since := told(0)
	const all = `bool true, color "red", date "2026-11-24", geo {"lon":1,"lat":2}, json {"a":1}, many ["a","b"], number 1.5, one "a", other "o1", others ["o1"], text "x"`
	if whole != all || since != all {
		t.Errorf("%s\nsince 0 %s\nwant %s", whole, since, all)
	}
	run(t, app, `UPDATE others_x SET shape = 'square'`)
	run(t, app, `UPDATE things_x SET hidden = 'z', file = 'g.jpg', made = '2027', text = ''`)
	if _, since := told(start); since != "text null" {
		t.Errorf("since %d: %s", start, since)
	}
	if got := value(t, app, `SELECT shape FROM things_x`); got != "square" {
		t.Errorf("the shape that is not shown is %s", got)
	}
	start = seq(t, j)
	for _, c := range []struct{ what, sql, since, color string }{
		{"what is followed goes", `DELETE FROM others_x`, "color null", ""},
		{"it comes again", `INSERT INTO others_x (id, color) VALUES ('o1', 'blue')`, `color "blue"`, "blue"},
		{"somebody writes what only the server writes", `UPDATE things_x SET color = 'mine'`, "", "blue"},
		{"it follows nothing", `UPDATE things_x SET other = ''`, "color null, other null", ""},
		{"it follows what is not there", `UPDATE things_x SET other = 'o9'`, `other "o9"`, ""},
		{"it follows what comes", `INSERT INTO others_x (id, color) VALUES ('o9', 'green')`, `color "green"`, "green"},
		{"another becomes red", `UPDATE others_x SET color = 'red' WHERE id = 'o1'`, "", "green"},
	} {
		run(t, app, c.sql)
		absorb(t, app, j)
		if _, since := told(start); since != c.since {
			t.Errorf("%s: %s, want %s", c.what, since, c.since)
		}
		if got := value(t, app, `SELECT color FROM things_x`); got != c.color {
			t.Errorf("%s: it is %q, want %q", c.what, got, c.color)
		}
		start = seq(t, j)
	}
}

func value(t testing.TB, app core.App, sql string) (text string) {
	t.Helper()
	if err := app.DB().NewQuery(sql).Row(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

// TestWhileNobodyWatched: a foreign tool wrote with the triggers off; at the next
// start it is seen. What the journal knows and is right is not looked at again.
func TestWhileNobodyWatched(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1'), ('h2', 'v1'), ('h4', 'v1')`)
	run(t, app, `DELETE FROM houses WHERE id = 'h4'`)
	start := seq(t, j)
	triggers := []string{}
	if err := app.DB().NewQuery(`SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'houses'`).Column(&triggers); err != nil {
		t.Fatal(err)
	}
	if len(triggers) != 4 {
		t.Errorf("triggers: %v", triggers)
	}
	run(t, app, `DELETE FROM journal_touched`)
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h3', 'v1')`)
	run(t, app, `DELETE FROM houses WHERE id = 'h2'`)
	run(t, app, `DELETE FROM journal_touched`) // as if the triggers had been off
	if got := since(t, j, "v1", start); len(got) != 0 {
		t.Errorf("before the start: %v", got)
	}
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	var touched int
	if err := app.DB().NewQuery(`SELECT count(*) FROM journal_touched`).Row(&touched); err != nil || touched != 2 {
		t.Errorf("%d are looked at, %v, want 2", touched, err)
	}
	if got, want := since(t, j, "v1", start), []string{"h2 left", `h3 {"village":"v1"}`}; !slices.Equal(got, want) {
		t.Errorf("after the start: %v, want %v", got, want)
	}
	// A trigger is gone: what changed meanwhile nobody knows, so all is looked at.
	start = seq(t, j)
	for _, name := range triggers {
		run(t, app, "DROP TRIGGER `"+name+"`")
	}
	run(t, app, `UPDATE houses SET color = 'red' WHERE id = 'h1'`)
	run(t, app, `DELETE FROM houses WHERE id = 'h3'`)
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	if got, want := since(t, j, "v1", start), []string{`h1 {"color":"red"}`, "h3 left"}; !slices.Equal(got, want) {
		t.Errorf("after the triggers were gone: %v, want %v", got, want)
	}
	run(t, app, `UPDATE houses SET color = 'blue' WHERE id = 'h1'`)
	if got := since(t, j, "v1", start); len(got) != 2 || got[1] != `h1 {"color":"blue"}` {
		t.Errorf("they are there again: %v", got)
	}
}

// TestOtherRules: a program with other circles puts every record where it belongs.
func TestOtherRules(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village, color) VALUES ('h1', 'v1', 'v2'), ('h2', 'v1', 'v1'), ('h3', 'v1', '')`)
	start := seq(t, j)
	other := journal.New(app, []journal.Collection{{Name: "houses", Rules: "village(color)", Circles: in("color")}})
	if err := other.Open(); err != nil {
		t.Fatal(err)
	}
	if got, want := since(t, other, "v1", start), []string{"h1 left", "h3 left"}; !slices.Equal(got, want) {
		t.Errorf("v1: %v, want %v", got, want)
	}
	if got, want := since(t, other, "v2", start), []string{`h1 {"color":"v2","village":"v1"}`}; !slices.Equal(got, want) {
		t.Errorf("v2: %v, want %v", got, want)
	}
	start = seq(t, other)
	same := journal.New(app, []journal.Collection{{Name: "houses", Rules: "village(color)", Circles: in("village")}})
	if err := same.Open(); err != nil {
		t.Fatal(err)
	}
	if got := since(t, same, "v1", start); len(got) != 0 {
		t.Errorf("the same rules make it look again: %v", got)
	}
}

// TestWhatAJudgeSees of records, in the transaction of an ask.
func TestWhatAJudgeSees(t *testing.T) {
	app, j := open(t)
	run(t, app, `INSERT INTO houses (id, village) VALUES ('h1', 'v1'), ('h2', 'v1')`)
	absorb(t, app, j)
	run(t, app, `DELETE FROM houses WHERE id = 'h2'`)
	at := seq(t, j)
	run(t, app, `UPDATE journal_meta SET floor = 7`)
	for _, c := range []struct {
		coll, id    string
		exists, was bool
		seq         int64
	}{{"houses", "h1", true, true, 1}, {"houses", "h2", false, true, at}, {"houses", "h3", false, false, 0}, {"birds", "h1", false, false, 0}} {
		st, err := j.State(app, c.coll, c.id)
		if err != nil || st.Exists != c.exists || st.Was != c.was || st.Seq != c.seq {
			t.Errorf("%s/%s: %+v, %v", c.coll, c.id, st, err)
		}
		for base, want := range map[int64]bool{0: false, 1: true, 7: true, 8: false} {
			if got := st.Forgotten(base); got != (want && c.id == "h3") {
				t.Errorf("%s/%s, seen at %d: forgotten = %v", c.coll, c.id, base, got)
			}
		}
	}
	view, err := j.View(app)
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	run(t, app, `UPDATE houses SET color = 'red' WHERE id = 'h1'`)
	for _, c := range []struct {
		coll, id string
		want     bool
	}{{"houses", "h1", true}, {"houses", "h2", false}, {"people", "h1", false}, {"birds", "h1", false}} {
		if got, err := view.Touched(c.coll, c.id); err != nil || got != c.want {
			t.Errorf("%s/%s: touched = %v, %v", c.coll, c.id, got, err)
		}
	}
	for _, c := range []struct {
		colls []string
		want  bool
	}{{nil, false}, {[]string{"houses"}, true}, {[]string{"people", "houses"}, true}, {[]string{"people", "birds"}, false}} {
		if got, err := view.TouchedAny(c.colls); err != nil || got != c.want {
			t.Errorf("%v: touched = %v, %v", c.colls, got, err)
		}
	}
}
