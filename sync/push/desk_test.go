package push_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/commune"
	"langso/sync/journal"
	"langso/sync/push"
	"langso/sync/wire"
)

// desk is a judge alone, over things with a field of every kind and policy. No
// hook runs, so that a test sees what the judge does.
type desk struct {
	core.App
	t       *testing.T
	judge   push.Judge
	now     time.Time
	skew    time.Duration
	fails   error       // what the action desk.fail comes to
	pressed []time.Time // when the action desk.press was done, by its edit
}

const thing = "thing0000000001"

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{App: apptest.New(t), t: t, now: time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)}
	villages, err := d.FindCollectionByNameOrId("villages")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"things_x", "papers_x", "closed_x"} {
		c := core.NewBaseCollection(name)
		c.Fields.Add(&core.TextField{Name: "owner"}, &core.TextField{Name: "reader"},
			&core.TextField{Name: "name", Max: 10}, &core.TextField{Name: "note"}, &core.TextField{Name: "claim"}, &core.TextField{Name: "first"},
			&core.NumberField{Name: "count"}, &core.NumberField{Name: "most"}, &core.BoolField{Name: "flag"},
			&core.JSONField{Name: "data"}, &core.GeoPointField{Name: "place"},
			&core.SelectField{Name: "kind", Values: []string{"a", "b"}, MaxSelect: 1}, &core.SelectField{Name: "kinds", Values: []string{"a", "b", "c"}, MaxSelect: 3},
			&core.RelationField{Name: "village", CollectionId: villages.Id, MaxSelect: 1}, &core.RelationField{Name: "villages", CollectionId: villages.Id, MaxSelect: 2},
			&core.DateField{Name: "day"}, &core.EmailField{Name: "mail"}, &core.TextField{Name: "secret", Hidden: true}, &core.AutodateField{Name: "made", OnCreate: true},
			&core.TextField{Name: "routed"}, &core.TextField{Name: "own"})
		if name == "papers_x" { // where nothing is deleted: PocketBase looks for files after that, while the test ends
			c.Fields.Add(&core.FileField{Name: "photo"})
		}
		if err := d.Save(c); err != nil {
			t.Fatal(err)
		}
	}
	boards := core.NewBaseCollection("boards_x")
	boards.Fields.Add(&core.TextField{Name: "thing"}, &core.TextField{Name: "holder"}, &core.TextField{Name: "note"})
	if err := d.Save(boards); err != nil {
		t.Fatal(err)
	}
	owner, reader := commune.In("owner", "owner"), commune.In("reader", "reader")
	things := commune.Collection{Name: "things_x", Read: commune.Circles{owner, reader}, Write: commune.Circles{owner}, ServerFields: []string{"own"},
		Routes:  commune.Routes{"routed": {Via: "village", Of: "villages", From: "name"}},
		Aliases: commune.Aliases{"saying": {Field: "claim", Until: "2026-12-31"}, "amount": {Field: "count", Until: "2026-12-31"}},
		Fields:  commune.Policies{"claim": commune.Ask, "first": commune.FirstWins, "count": commune.SumAbove(0), "most": commune.Max, "kinds": commune.Set}}
	papers := commune.Collection{Name: "papers_x", Read: things.Read, Write: things.Write, Conflict: commune.AppendOnly, Fields: commune.Policies{"first": commune.FirstWins, "count": commune.SumAbove(0)}}
	closed := commune.Collection{Name: "closed_x", Read: things.Read}
	// A board is of whoever owns the thing it hangs on.
	hung := commune.Collection{Name: "boards_x", Read: commune.Circles{commune.In("owner", "holder")}, Write: commune.Circles{commune.In("owner", "holder")},
		Routes: commune.Routes{"holder": {Via: "thing", Of: "things_x", From: "owner"}}}
	domain := commune.Domain{Name: "desk", Title: "Bàn", Collections: []commune.Collection{things, papers, closed, hung}, Actions: []commune.Action{
		{Name: "desk.fail", Do: func(*commune.Call) error { return d.fails }},
		{Name: "desk.none"},
		{Name: "desk.look", Do: func(c *commune.Call) error {
			r, err := c.App.FindRecordById("boards_x", "board0000000001")
			if err != nil {
				return err
			}
			c.Result = map[string]any{"holder": r.GetString("holder")}
			return nil
		}},
		{Name: "desk.press", Do: func(c *commune.Call) error { d.pressed = append(d.pressed, c.At); return nil }},
		{Name: "desk.half", Do: func(c *commune.Call) error {
			if _, err := c.App.NonconcurrentDB().NewQuery(`INSERT INTO villages (id, name) VALUES ('halfway00000001', 'x')`).Execute(); err != nil {
				return err
			}
			return commune.Refuse("thought_better", "Thôi.")
		}},
	}}
	var shared []journal.Collection
	for _, c := range domain.Collections {
		one := journal.Collection{Name: c.Name, Circles: func(r journal.Row) (names []string) {
			for _, circle := range c.Read.Of(r) {
				names = append(names, string(circle))
			}
			return names
		}}
		if holder, ok := c.Routes["holder"]; ok {
			one.Routes = []journal.Route{{Field: "holder", Via: holder.Via, Of: holder.Of, From: holder.From}}
		}
		shared = append(shared, one)
	}
	j := journal.New(d.App, shared)
	if err := j.Open(); err != nil {
		t.Fatal(err)
	}
	d.judge = push.Judge{App: d.App, Journal: j, Domains: []commune.Domain{domain},
		Called: func(_ core.App, person string) string { return map[string]string{"person000000001": "Lan"}[person] }}
	d.sql(`INSERT INTO villages (id, name) VALUES ('village00000001', 'A'), ('village00000002', 'B')`)
	for i := range 3 {
		d.sql(`INSERT INTO sync_phones (no, phone) VALUES (%d, 'phone000000000%d')`, i+1, i+1)
	}
	d.anew()
	d.sql(`INSERT INTO papers_x (id, owner, note) VALUES ('paper0000000001', 'lan', 'một')`)
	d.sql(`INSERT INTO closed_x (id, owner, note) VALUES ('closed000000001', 'lan', 'một')`)
	return d
}

// anew puts the thing back as it was in the morning.
func (d *desk) anew() {
	d.t.Helper()
	d.sql(`DELETE FROM things_x`)
	d.sql(`INSERT INTO things_x (id, owner, reader, note, claim, count) VALUES ('%s', 'lan', 'tu', 'một', 'đây', 5)`, thing)
}

func (d *desk) sql(format string, args ...any) {
	d.t.Helper()
	if _, err := d.NonconcurrentDB().NewQuery(fmt.Sprintf(format, args...)).Execute(); err != nil {
		d.t.Fatal(err)
	}
}

// seq absorbs and returns the last number given.
func (d *desk) seq() int64 {
	d.t.Helper()
	if err := d.judge.Journal.Absorb(d.App, 0); err != nil {
		d.t.Fatal(err)
	}
	seq, err := d.judge.Journal.Seq()
	if err != nil {
		d.t.Fatal(err)
	}
	return seq
}

// phone is one of three phones of Lan, who owns things.
func phone(no int) push.Phone {
	return push.Phone{ID: fmt.Sprintf("phone000000000%d", no), No: int64(no)}
}

func (d *desk) try(p push.Phone, circles string, edits ...string) (push.Outcome, error) {
	author := commune.Author{Person: "person000000001", Phone: p.ID}
	for c := range strings.FieldsSeq(circles) {
		author.Circles = append(author.Circles, commune.Circle(c))
	}
	var raw []json.RawMessage
	for _, e := range edits {
		raw = append(raw, json.RawMessage(e))
	}
	return d.judge.Push(context.Background(), p, author, raw, d.now, d.skew)
}

func (d *desk) push(p push.Phone, edits ...string) push.Outcome {
	d.t.Helper()
	out, err := d.try(p, "owner:lan", edits...)
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

// asks has an edit judged that comes alone from a phone without a past; "" in
// the place of its number.
func (d *desk) asks(circles string, base int64, edit string) wire.Verdict {
	d.t.Helper()
	d.sql(`UPDATE sync_phones SET acked = 0 WHERE no = 2`)
	d.sql(`DELETE FROM sync_verdicts WHERE phone = 'phone0000000002'`)
	d.sql(`DELETE FROM parked_edits WHERE phone = 'phone0000000002'`)
	out, err := d.try(phone(2), circles, fmt.Sprintf(`{"n":1,"base":%d,%s}`, base, edit))
	if err != nil || len(out.Verdicts) != 1 {
		d.t.Fatalf("%s: %+v, %v", edit, out, err)
	}
	return out.Verdicts[0]
}

// says is what was made of edits, in short.
func says(out push.Outcome) string {
	var s []string
	for _, v := range out.Verdicts {
		s = append(s, strings.TrimSpace(fmt.Sprint(v.N, v.Is, " ", v.Was, " ", v.Code)))
	}
	for _, p := range out.Problems {
		s = append(s, fmt.Sprint("problem at ", p.At))
	}
	if out.SendFrom != 0 {
		s = append(s, fmt.Sprint("send from ", out.SendFrom))
	}
	return strings.Join(append(s, fmt.Sprint("acked ", out.Acked)), ", ")
}

func (d *desk) get(coll, id, field string) string {
	d.t.Helper()
	r, err := d.FindRecordById(coll, id)
	if err != nil {
		return "gone"
	}
	if list, ok := r.Get(field).([]string); ok {
		text, err := json.Marshal(list)
		if err != nil {
			d.t.Fatal(err)
		}
		return string(text)
	}
	return r.GetString(field)
}

func (d *desk) parked(phone int, n int) *core.Record {
	d.t.Helper()
	all, err := d.FindAllRecords("parked_edits", dbx.HashExp{"phone": fmt.Sprintf("phone000000000%d", phone), "n": n})
	if err != nil || len(all) != 1 {
		d.t.Fatalf("%d parked edits, %v", len(all), err)
	}
	return all[0]
}
