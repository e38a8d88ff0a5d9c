package push_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/wire"
)

// TestWhoMayDoWhatToAThing, and what stands after.
func TestWhoMayDoWhatToAThing(t *testing.T) {
	const mine, theirs, moves = `"change":{"note":"hai"}`, `"delete":true`, `"change":{"owner":"tu"}`
	of := func(coll, id, what string) string { return fmt.Sprintf(`"coll":%q,"id":%q,%s`, coll, id, what) }
	const fresh = "thing0000000009"
	d := newDesk(t)
	d.sql(`INSERT INTO things_x (id, owner) VALUES ('thing0000000002', 'lan')`)
	d.seq()
	d.sql(`DELETE FROM things_x WHERE id = 'thing0000000002'`)
	d.seq()
	for _, c := range []struct {
		name, circles, edit string
		is                  wire.Is
		code                string
		field, stands       string // of the thing, after
	}{
		{"the owner changes", "owner:lan", of("things_x", thing, mine), wire.Merged, "", "note", "hai"},
		{"one who reads changes", "reader:tu", of("things_x", thing, `"change":{"note":"ba"}`), wire.Refused, "not_yours", "note", "hai"},
		{"a stranger changes", "owner:bay reader:bay", of("things_x", thing, `"change":{"note":"ba"}`), wire.Refused, "not_found", "note", "hai"},
		{"the owner changes what never was", "owner:lan", of("things_x", fresh, mine), wire.Refused, "not_found", "note", "hai"},
		{"the owner changes what is gone", "owner:lan", of("things_x", "thing0000000002", mine), wire.Parked, "record_gone", "note", "hai"},
		{"the owner deletes what is gone", "owner:lan", of("things_x", "thing0000000002", theirs), wire.Parked, "record_gone", "note", "hai"},
		{"the owner makes anew what is gone", "owner:lan", of("things_x", "thing0000000002", `"create":{"owner":"lan"}`), wire.Parked, "record_gone", "note", "hai"},
		{"the owner gives it away", "owner:lan", of("things_x", thing, moves), wire.Refused, "not_yours", "owner", "lan"},
		{"a stranger takes it", "owner:tu", of("things_x", thing, moves), wire.Refused, "not_found", "owner", "lan"},
		{"who owns both gives it from one to the other", "owner:lan owner:tu", of("things_x", thing, moves), wire.Merged, "", "owner", "tu"},
		{"and back", "owner:lan owner:tu", of("things_x", thing, `"change":{"owner":"lan"}`), wire.Taken, "", "owner", "lan"},
		{"a reader deletes", "reader:tu", of("things_x", thing, theirs), wire.Refused, "not_yours", "owner", "lan"},
		{"the owner makes the same again", "owner:lan", of("things_x", thing, `"create":{"note":"hai","count":5.0}`), wire.Taken, "", "note", "hai"},
		{"the owner makes another of the same id", "owner:lan", of("things_x", thing, `"create":{"note":"hai","count":6}`), wire.Refused, "exists", "note", "hai"},
		{"a reader makes the same again", "reader:tu", of("things_x", thing, `"create":{"note":"hai"}`), wire.Refused, "exists", "note", "hai"},
		{"a stranger makes the same again", "owner:bay", of("things_x", thing, `"create":{"note":"hai"}`), wire.Refused, "exists", "note", "hai"},
		{"a thing in another's hands", "owner:lan", of("things_x", fresh, `"create":{"owner":"tu"}`), wire.Refused, "not_yours", "note", "hai"},
		{"a thing in nobody's hands", "owner:lan", of("things_x", fresh, `"create":{"name":"x"}`), wire.Refused, "not_yours", "note", "hai"},
		{"a thing of a bad name", "owner:lan", of("things_x", "THING", `"create":{"owner":"lan"}`), wire.Refused, "bad_id", "note", "hai"},
		{"a thing with too long a word", "owner:lan", of("things_x", fresh, `"create":{"owner":"lan","name":"12345678901"}`), wire.Refused, "bad_value", "note", "hai"},
		{"a paper is not changed", "owner:lan", of("papers_x", "paper0000000001", mine), wire.Refused, "append_only", "note", "hai"},
		{"a paper is not changed in a field of its own policy", "owner:lan", of("papers_x", "paper0000000001", `"change":{"first":"x"}`), wire.Refused, "append_only", "note", "hai"},
		{"a paper is not added to", "owner:lan", of("papers_x", "paper0000000001", `"add":{"count":1}`), wire.Refused, "append_only", "note", "hai"},
		{"a paper is not deleted", "owner:lan", of("papers_x", "paper0000000001", theirs), wire.Refused, "append_only", "note", "hai"},
		{"a stranger's paper is not there", "owner:bay", of("papers_x", "paper0000000001", mine), wire.Refused, "not_found", "note", "hai"},
		{"what moves by actions only", "owner:lan", of("closed_x", "closed000000001", mine), wire.Refused, "by_action_only", "note", "hai"},
	} {
		v := d.asks(c.circles, 0, c.edit)
		if v.Is != c.is || v.Code != c.code || (v.Code != "") != (v.Say != "") {
			t.Errorf("%s: %+v, want %s %s", c.name, v, c.is, c.code)
		}
		if got := d.get("things_x", thing, c.field); got != c.stands {
			t.Errorf("%s: %s is %q after it, want %q", c.name, c.field, got, c.stands)
		}
		if d.get("things_x", fresh, "id") != "gone" {
			t.Errorf("%s: a new thing stands", c.name)
		}
	}
	if v := d.asks("owner:lan", d.seq(), of("things_x", fresh, `"create":{"owner":"lan","note":"x","count":3,"kinds":["a"]}`)); v.Is != wire.Taken || d.get("things_x", fresh, "count") != "3" {
		t.Errorf("a new thing: %+v", v)
	}
	if v := d.asks("owner:lan", d.seq(), of("things_x", fresh, theirs)); v.Is != wire.Taken || d.get("things_x", fresh, "id") != "gone" {
		t.Errorf("is deleted: %+v", v)
	}
}

// TestARecordThatMayHaveBeen: of what the journal has forgotten nobody can say
// that it never was; the edit is kept.
func TestARecordThatMayHaveBeen(t *testing.T) {
	d := newDesk(t)
	d.sql(`UPDATE journal_meta SET seq = 50, floor = 20`)
	for base, code := range map[int64]string{0: "not_found", 1: "record_gone", 20: "record_gone", 21: "not_found"} {
		for _, what := range []string{`"change":{"note":"x"}`, `"delete":true`} {
			if v := d.asks("owner:lan", base, `"coll":"things_x","id":"thing0000000007",`+what); v.Code != code {
				t.Errorf("%s of what a phone saw at %d: %+v, want %s", what, base, v, code)
			}
		}
	}
}

// TestChangedApart: what two people make of one thing, field by field.
func TestChangedApart(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		name, since, edit string // since is what another wrote after she looked
		is                wire.Is
		code, met         string
		stands            map[string]string
	}{
		{"nobody else wrote", ``, `"change":{"note":"hai","claim":"kia"}`, wire.Taken, "", "", map[string]string{"note": "hai", "claim": "kia"}},
		{"the first changes, the second is as it was", ``, `"change":{"claim":"kia","note":"một"}`, wire.Taken, "", "", map[string]string{"note": "một", "claim": "kia"}},
		{"another field", `flag = 1`, `"change":{"note":"hai"}`, wire.Taken, "", "", map[string]string{"note": "hai", "flag": "true"}},
		{"the same field", `note = 'ba'`, `"change":{"note":"hai"}`, wire.Merged, "", "note=ba", map[string]string{"note": "hai"}},
		{"the same value", `note = 'hai'`, `"change":{"note":"hai"}`, wire.Taken, "", "", map[string]string{"note": "hai"}},
		{"what a person is asked", `claim = 'kia'`, `"change":{"claim":"này","note":"hai"}`, wire.Parked, "needs_person", "claim=kia", map[string]string{"claim": "kia", "note": "một"}},
		{"two that a person is asked, and all is shown", `claim = 'kia', note = 'ba'`, `"change":{"claim":"này","note":"hai"}`, wire.Parked, "needs_person", "claim=kia note=ba", map[string]string{"claim": "kia", "note": "ba"}},
		{"the first wins", `[first] = 'kia'`, `"change":{"first":"này"}`, wire.Merged, "", "first=kia", map[string]string{"first": "kia"}},
		{"the greater stays", `most = 7`, `"change":{"most":6}`, wire.Merged, "", "most=7", map[string]string{"most": "7"}},
		{"differences add up", `count = 4`, `"add":{"count":-3}`, wire.Merged, "", "count=4", map[string]string{"count": "1"}},
		{"too much is taken", `count = 2`, `"add":{"count":-3}`, wire.Refused, "stock_short", "", map[string]string{"count": "2"}},
		{"a difference and a word", ``, `"add":{"count":-3},"change":{"note":"hai"}`, wire.Taken, "", "", map[string]string{"count": "2", "note": "hai"}},
		{"too much is taken, with a word", ``, `"add":{"count":-6},"change":{"note":"hai"}`, wire.Refused, "stock_short", "", map[string]string{"count": "5", "note": "một"}},
		{"a person is asked, and too much is taken", `claim = 'kia'`, `"add":{"count":-6},"change":{"claim":"hai"}`, wire.Refused, "stock_short", "claim=kia", map[string]string{"count": "5", "claim": "kia"}},
		{"a sum is not written over", ``, `"change":{"count":3}`, wire.Refused, "bad_value", "", map[string]string{"count": "5"}},
		{"a word is not added to", ``, `"add":{"note":3}`, wire.Refused, "bad_value", "", map[string]string{"note": "một"}},
		{"a number that is no sum is not added to", ``, `"add":{"most":3}`, wire.Refused, "bad_value", "", map[string]string{"most": "0"}},
		{"a number beyond all", ``, `"add":{"count":1e400}`, wire.Refused, "bad_value", "", map[string]string{"count": "5"}},
		{"a number too great to count by", ``, `"add":{"count":1e17}`, wire.Refused, "bad_value", "", map[string]string{"count": "5"}},
		{"lists, both ways", `kinds = '["a","b"]'`, `"change":{"kinds":{"+":["c"],"-":["a"]}}`, wire.Merged, "", "kinds=[a b]", map[string]string{"kinds": `["b","c"]`}},
		{"a list of one that is not there", ``, `"change":{"kinds":{"+":["z"]}}`, wire.Refused, "bad_value", "", map[string]string{"kinds": `[]`}},
		{"deleted", ``, `"delete":true`, wire.Taken, "", "", map[string]string{"id": "gone"}},
		{"deleted, which another changed", `flag = 1`, `"delete":true`, wire.Parked, "changed_since", "", map[string]string{"id": thing}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.t = t
			d.anew()
			base := d.seq()
			if c.since != "" {
				d.sql(`UPDATE things_x SET %s`, c.since)
			}
			v := d.asks("owner:lan", base, fmt.Sprintf(`"coll":"things_x","id":"%s",%s`, thing, c.edit))
			var met []string
			for _, field := range []string{"claim", "count", "first", "kinds", "most", "note"} {
				if m, ok := v.Met[field]; ok {
					met = append(met, fmt.Sprint(field, "=", m.Theirs))
				}
			}
			if v.Is != c.is || v.Code != c.code || strings.Join(met, " ") != c.met {
				t.Errorf("%+v, want %s %s, met %q", v, c.is, c.code, c.met)
			}
			for field, want := range c.stands {
				if got := d.get("things_x", thing, field); got != want {
					t.Errorf("%s is %q, want %q", field, got, want)
				}
			}
		})
	}
}

// TestAPhoneOfAnotherHistory saw nothing of this one: whatever stands was changed
// apart, whatever its base says.
func TestAPhoneOfAnotherHistory(t *testing.T) {
	d := newDesk(t)
	p := phone(1)
	p.Foreign = true
	edit := fmt.Sprintf(`"base":%d,"coll":"things_x","id":"%s",`, d.seq(), thing)
	if got, want := says(d.push(p, `{"n":1,`+edit+`"change":{"note":"hai"}}`, `{"n":2,`+edit+`"delete":true}`)), "1merged, 2parked  changed_since, acked 2"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := says(d.push(phone(2), `{"n":1,`+edit+`"change":{"claim":"hai"}}`)), "1taken, acked 1"; got != want {
		t.Errorf("of this history: %s, want %s", got, want)
	}
}

// TestEditsOfOneAskSeeEachOther: a phone's own earlier edit is no other's.
func TestEditsOfOneAskSeeEachOther(t *testing.T) {
	d := newDesk(t)
	base := d.seq()
	edit := func(n int, what string) string {
		return fmt.Sprintf(`{"n":%d,"base":%d,"coll":"things_x","id":"thing0000000005",%s}`, n, base, what)
	}
	got := says(d.push(phone(1), edit(1, `"create":{"owner":"lan","note":"a"}`), edit(2, `"change":{"note":"b"}`), edit(3, `"delete":true`), edit(4, `"create":{"owner":"lan"}`), edit(5, `"change":{"note":"c"}`)))
	if want := "1taken, 2taken, 3taken, 4parked  record_gone, 5parked  record_gone, acked 5"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	// Nothing changed is nothing written.
	at := d.seq()
	if got := says(d.push(phone(1), fmt.Sprintf(`{"n":6,"base":%d,"coll":"things_x","id":"%s","change":{"note":"một"},"add":{"count":0}}`, at, thing))); got != "6taken, acked 6" || d.seq() != at {
		t.Errorf("%s, and the journal is at %d, was %d", got, d.seq(), at)
	}
}

// TestWhatBuildsOnAnotherSeesIt: a board hangs on a thing that comes with the same
// ask; by it alone the board is hers.
func TestWhatBuildsOnAnotherSeesIt(t *testing.T) {
	for _, after := range []string{`,"after":[1]`, ``} {
		for edit, want := range map[string]string{`"change":{"note":"x"}`: "1taken, 2taken, acked 2", `"delete":true`: "1taken, 2parked  changed_since, acked 2"} {
			d := newDesk(t)
			d.sql(`INSERT INTO boards_x (id, thing) VALUES ('board0000000001', 'thing0000000006')`)
			got := says(d.push(phone(1), `{"n":1,"coll":"things_x","id":"thing0000000006","create":{"owner":"lan"}}`, `{"n":2,"coll":"boards_x","id":"board0000000001",`+edit+after+`}`))
			if got != want {
				t.Errorf("%s%s: %s, want %s", edit, after, got, want)
			}
		}
	}
}

// TestAnActionSeesWhatWasJustWritten, and what followed from it.
func TestAnActionSeesWhatWasJustWritten(t *testing.T) {
	d := newDesk(t)
	d.sql(`INSERT INTO boards_x (id, thing) VALUES ('board0000000001', 'thing0000000006')`)
	out := d.push(phone(1), `{"n":1,"coll":"things_x","id":"thing0000000006","create":{"owner":"lan"}}`, `{"n":2,"do":"desk.look"}`)
	if len(out.Verdicts) != 2 || out.Verdicts[1].Result["holder"] != "lan" {
		t.Errorf("%+v", out)
	}
}

// TestASumByItsOldName: an older app takes two from what another took one of.
func TestASumByItsOldName(t *testing.T) {
	d := newDesk(t)
	base := d.seq()
	d.sql(`UPDATE things_x SET count = 4`)
	v := d.asks("owner:lan", base, fmt.Sprintf(`"coll":"things_x","id":"%s","add":{"amount":-2}`, thing))
	if v.Is != wire.Merged || v.Met["amount"].Theirs != 4.0 || len(v.Met) != 1 || d.get("things_x", thing, "count") != "2" {
		t.Errorf("%+v, %s are left", v, d.get("things_x", thing, "count"))
	}
}

// TestValues: what each kind of field takes from a phone.
func TestValues(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct{ field, value, code, stands string }{
		{"note", `"ổi"`, "", "ổi"},
		{"note", `5`, "bad_value", "một"},
		{"note", `["a"]`, "bad_value", "một"},
		{"note", `null`, "", ""},
		{"mail", `"a@b.vn"`, "", "a@b.vn"},
		{"mail", `"ổi"`, "bad_value", ""},
		{"most", `9007199254740992`, "", "9007199254740992"},
		{"most", `9007199254740994`, "bad_value", "0"},
		{"most", `"5"`, "bad_value", "0"},
		{"most", `true`, "bad_value", "0"},
		{"flag", `true`, "", "true"},
		{"flag", `1`, "bad_value", "false"},
		{"flag", `null`, "", "false"},
		{"data", `{"a":[1]}`, "", `{"a":[1]}`},
		{"data", `null`, "", "null"},
		{"place", `{"lon":105.5,"lat":21}`, "", `{"lon":105.5,"lat":21}`},
		{"kind", `"a"`, "", "a"},
		{"kind", `["a"]`, "bad_value", ""},
		{"kind", `"z"`, "bad_value", ""},
		{"kind", `5`, "bad_value", ""},
		{"kinds", `["a","c"]`, "", `["a","c"]`},
		{"kinds", `"a"`, "", `["a"]`},
		{"kinds", `["a",5]`, "bad_value", "[]"},
		{"kinds", `5`, "bad_value", "[]"},
		{"kinds", `{"+":["a"]}`, "", `["a"]`},
		{"kinds", `{"+":[5]}`, "bad_value", "[]"},
		{"kinds", `{"+":["a"],"-":[5]}`, "bad_value", "[]"},
		{"kinds", `{"*":["a"]}`, "bad_value", "[]"},
		{"village", `"village00000002"`, "", "village00000002"},
		{"village", `["village00000002"]`, "bad_value", ""},
		{"village", `5`, "bad_value", ""},
		{"villages", `["village00000001","village00000002"]`, "", `["village00000001","village00000002"]`},
		{"villages", `{"a":"b"}`, "bad_value", "[]"},
		{"day", `"2026-11-24 01:02:03.000Z"`, "", "2026-11-24 01:02:03.000Z"},
		{"day", `""`, "", ""},
		{"day", `"hôm nay"`, "bad_value", ""},
		{"day", `5`, "bad_value", ""},
		{"secret", `"x"`, "unknown_field", ""},
		{"colour", `"x"`, "unknown_field", ""},
		{"id", `"thing0000000008"`, "by_action_only", thing},
		{"made", `"2026-11-24 01:02:03.000Z"`, "by_action_only", ""},
		{"routed", `"x"`, "by_action_only", ""},
		{"own", `"x"`, "by_action_only", ""},
	} {
		t.Run(c.field+" "+c.value, func(t *testing.T) {
			d.t = t
			d.anew()
			v := d.asks("owner:lan", d.seq(), fmt.Sprintf(`"coll":"things_x","id":"%s","change":{%q:%s}`, thing, c.field, c.value))
			if v.Code != c.code || c.code == "bad_value" && !strings.Contains(v.Say, "«"+c.field+"»") {
				t.Errorf("%+v, want %q", v, c.code)
			}
			if got := d.get("things_x", thing, c.field); c.field != "colour" && got != c.stands {
				t.Errorf("it is %s, want %s", got, c.stands)
			}
		})
	}
	d.t = t
	v := d.asks("owner:lan", d.seq(), fmt.Sprintf(`"coll":"things_x","id":"%s","change":{"name":"12345678901","mail":"x"}`, thing))
	if v.Code != "bad_value" || !strings.Contains(v.Say, "«mail», «name»") {
		t.Errorf("two that do not fit: %+v", v)
	}
	if v := d.asks("owner:lan", 0, `"coll":"papers_x","id":"paper0000000009","create":{"owner":"lan","photo":"x.jpg"}`); v.Code != "by_action_only" {
		t.Errorf("a file: %+v", v)
	}
}

// TestAShapeOfWhatIsDeclared: a collection that no migration has made yet is no
// error; when it comes, phones are told.
func TestAShapeOfWhatIsDeclared(t *testing.T) {
	d := newDesk(t)
	shape := func() string {
		t.Helper()
		s, err := d.judge.Shape(d.App)
		if err != nil || len(s) != 16 {
			t.Fatalf("%q, %v", s, err)
		}
		return s
	}
	d.judge.Domains[0].Collections = append(d.judge.Domains[0].Collections, commune.Collection{Name: "birds_x"})
	before := shape()
	c := core.NewBaseCollection("birds_x")
	if err := d.Save(c); err != nil {
		t.Fatal(err)
	}
	after := shape()
	if before == after || after != shape() {
		t.Errorf("%s, then %s, then %s", before, after, shape())
	}
	d.judge.Domains[0].Actions = append(d.judge.Domains[0].Actions, commune.Action{Name: "desk.fly"})
	if shape() == after {
		t.Error("a new action changes nothing")
	}
}
