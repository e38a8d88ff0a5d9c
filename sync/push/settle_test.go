package push_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/push"
)

// asked is a thing of which phone 1 said something that waits for a person: who
// saw it at base wrote what, after another wrote since.
func asked(d *desk, since, what string) {
	d.t.Helper()
	base := d.seq()
	d.sql(`UPDATE things_x SET %s`, since)
	edit := fmt.Sprintf(`{"n":1,"base":%d,"coll":"things_x","id":"%s",%s}`, base, thing, what)
	if out := d.push(phone(1), edit); !strings.HasPrefix(says(out), "1parked") {
		d.t.Fatal(says(out))
	}
}

// settles is a decision of phone 3, by an owner who saw all but for `behind` numbers.
func (d *desk) settles(args string, behind int64) string {
	d.t.Helper()
	d.sql(`UPDATE sync_phones SET acked = 0 WHERE no = 3`)
	d.sql(`DELETE FROM sync_verdicts WHERE phone = 'phone0000000003'`)
	d.sql(`DELETE FROM parked_edits WHERE phone = 'phone0000000003'`)
	out := d.push(phone(3), fmt.Sprintf(`{"n":1,"base":%d,"do":"sync.settle","args":{"phone":"phone0000000001","n":1,%s}}`, d.seq()-behind, args))
	return strings.TrimSuffix(strings.TrimPrefix(says(out), "1"), ", acked 1")
}

// TestWhatADecisionWrites into the thing, when more than one field was sent.
func TestWhatADecisionWrites(t *testing.T) {
	for _, c := range []struct {
		name, since, edit, args string
		want                    string
		stands                  map[string]string
	}{
		{"mine, and all else that was sent", `claim = 'kia'`, `"change":{"claim":"này","note":"hai"},"add":{"count":2}`, `"take":"mine"`, "taken", map[string]string{"claim": "này", "note": "hai", "count": "7"}},
		{"theirs, and all else that was sent", `claim = 'kia'`, `"change":{"claim":"này","note":"hai"},"add":{"count":2}`, `"take":"theirs"`, "taken", map[string]string{"claim": "kia", "note": "hai", "count": "7"}},
		{"another value", `claim = 'kia'`, `"change":{"claim":"này","note":"hai"}`, `"take":"value","fields":{"claim":"cả hai"}`, "taken", map[string]string{"claim": "cả hai", "note": "hai"}},
		{"another value of one of two", `claim = 'kia', note = 'ba'`, `"change":{"claim":"này","note":"hai"}`, `"take":"value","fields":{"claim":"cả hai"}`, "taken", map[string]string{"claim": "cả hai", "note": "ba"}},
		{"mine, of two that met", `claim = 'kia', note = 'ba'`, `"change":{"claim":"này","note":"hai"}`, `"take":"mine"`, "taken", map[string]string{"claim": "này", "note": "hai"}},
		{"theirs, with a field", `claim = 'kia'`, `"change":{"claim":"này"}`, `"take":"theirs","fields":{"note":"x"}`, "refused  bad_args", map[string]string{"claim": "kia", "note": "một"}},
		{"a value that the field does not take", `claim = 'kia'`, `"change":{"claim":"này"}`, `"take":"value","fields":{"claim":5}`, "refused  bad_value", map[string]string{"claim": "kia"}},
		{"mine, but another's max stands", `claim = 'kia', most = 9`, `"change":{"claim":"này","most":4}`, `"take":"mine"`, "taken", map[string]string{"claim": "này", "most": "9"}},
		{"mine, and the sum is short by now", `claim = 'kia'`, `"change":{"claim":"này"},"add":{"count":-5}`, `"take":"mine"`, "refused  stock_short", map[string]string{"claim": "kia", "count": "4"}},
		{"a deletion that met a change: done", `flag = 1`, `"delete":true`, `"take":"mine"`, "taken", map[string]string{"id": "gone"}},
		{"a deletion that met a change: not done", `flag = 1`, `"delete":true`, `"take":"theirs"`, "taken", map[string]string{"id": thing}},
		{"a deletion has no value", `flag = 1`, `"delete":true`, `"take":"value","fields":{}`, "refused  bad_args", map[string]string{"id": thing}},
		{"nothing that is a choice", `flag = 1`, `"delete":true`, `"take":""`, "refused  bad_args", map[string]string{"id": thing}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			asked(d, c.since, c.edit)
			if strings.Contains(c.name, "short by now") {
				d.sql(`UPDATE things_x SET count = 4`)
			}
			if got := d.settles(c.args, 0); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			for field, want := range c.stands {
				if got := d.get("things_x", thing, field); got != want {
					t.Errorf("%s is %q, want %q", field, got, want)
				}
			}
			p := d.parked(1, 1)
			told, err := d.FindAllRecords("settlements")
			if err != nil {
				t.Fatal(err)
			}
			if c.want != "taken" {
				if p.GetString("state") != "waiting" || len(told) > 0 {
					t.Errorf("it is %s, and %d are told", p.GetString("state"), len(told))
				}
				return
			}
			take := strings.Split(c.args, `"`)[3]
			for field, want := range map[string]string{"state": "settled", "circles": "[]", "take": take, "by": "person000000001", "by_name": "Lan", "settled_at": "2026-11-24 01:00:00.000Z"} {
				if got := p.GetString(field); got != want {
					t.Errorf("the parked edit's %s is %q, want %q", field, got, want)
				}
			}
			if value := p.GetString("value"); take == "value" && value != `{"claim":"cả hai"}` {
				t.Errorf("its value is %s", value)
			}
			if len(told) != 1 {
				t.Fatalf("%d are told", len(told))
			}
			for field, want := range map[string]string{"person": "person000000001", "phone": "phone0000000001", "n": "1", "take": take, "by_name": "Lan", "at": "2026-11-24 01:00:00.000Z"} {
				if got := told[0].GetString(field); got != want {
					t.Errorf("the maker is told %s %q, want %q", field, got, want)
				}
			}
		})
	}
}

// TestADecisionOnWhatIsNoMore: who decides has looked at what stands. A field that
// was changed after that is looked at again, another does not matter.
func TestADecisionOnWhatIsNoMore(t *testing.T) {
	for _, c := range []struct {
		name, edit, since, args, want string
		behind                        int64
	}{
		{"the field", `"change":{"claim":"này"}`, `claim = 'nữa'`, `"take":"mine"`, "refused  changed_again", 1},
		{"the field, and they take what stands", `"change":{"claim":"này"}`, `claim = 'nữa'`, `"take":"theirs"`, "refused  changed_again", 1},
		{"the field, and they have seen it", `"change":{"claim":"này"}`, `claim = 'nữa'`, `"take":"mine"`, "taken", 0},
		{"another field", `"change":{"claim":"này"}`, `note = 'nữa'`, `"take":"mine"`, "taken", 1},
		{"a thing to be deleted", `"delete":true`, `note = 'nữa'`, `"take":"mine"`, "refused  changed_again", 1},
		{"a thing to be deleted, and they have seen it", `"delete":true`, `note = 'nữa'`, `"take":"mine"`, "taken", 0},
		{"a thing to be deleted, which they keep", `"delete":true`, `note = 'nữa'`, `"take":"theirs"`, "taken", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			asked(d, `claim = 'kia'`, c.edit)
			d.seq()
			d.sql(`UPDATE things_x SET %s`, c.since)
			if got := d.settles(c.args, c.behind); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	t.Run("a decider of another history", func(t *testing.T) {
		d := newDesk(t)
		asked(d, `claim = 'kia'`, `"change":{"claim":"này"}`)
		p := phone(3)
		p.Foreign = true
		if got := says(d.push(p, fmt.Sprintf(`{"n":1,"base":%d,"do":"sync.settle","args":{"phone":"phone0000000001","n":1,"take":"mine"}}`, d.seq()))); got != "1refused  changed_again, acked 1" {
			t.Error(got)
		}
	})
	// The numbers of a maker of another history tell nothing: what met then does.
	for _, field := range []string{"claim", "saying"} {
		t.Run("a maker of another history, by the name "+field, func(t *testing.T) {
			d := newDesk(t)
			p := phone(1)
			p.Foreign = true
			if got := says(d.push(p, fmt.Sprintf(`{"n":1,"base":%d,"coll":"things_x","id":"%s","change":{%q:"này"}}`, d.seq(), thing, field))); got != "1parked  needs_person, acked 1" {
				t.Fatal(got)
			}
			if got := d.settles(`"take":"theirs"`, 0); got != "taken" || d.get("things_x", thing, "claim") != "đây" {
				t.Errorf("%s, and %q stands", got, d.get("things_x", thing, "claim"))
			}
		})
	}
	t.Run("what the decider wrote", func(t *testing.T) {
		d := newDesk(t)
		asked(d, `claim = 'kia'`, `"change":{"claim":"này"}`)
		at := d.seq()
		edit := fmt.Sprintf(`{"n":1,"base":%d,"coll":"things_x","id":"%s","change":{"claim":"nữa"}}`, at, thing)
		if got := says(d.push(phone(3), edit, fmt.Sprintf(`{"n":2,"base":%d,"do":"sync.settle","args":{"phone":"phone0000000001","n":1,"take":"mine"}}`, at))); got != "1taken, 2taken, acked 2" {
			t.Error(got)
		}
	})
}

// TestWhoSettlesWhat: only what waits, once, by who may.
func TestWhoSettlesWhat(t *testing.T) {
	d := newDesk(t)
	asked(d, `claim = 'kia'`, `"change":{"claim":"này"}`)
	if got := d.settles(`"n":2,"take":"mine"`, 0); got != "refused  not_found" {
		t.Errorf("what is not there: %s", got)
	}
	out, err := d.try(phone(2), "reader:tu", `{"n":1,"do":"sync.settle","args":{"phone":"phone0000000001","n":1,"take":"mine"}}`)
	if err != nil || says(out) != "1refused  not_found, acked 1" {
		t.Errorf("by a reader: %s, %v", says(out), err)
	}
	if got := d.settles(`"take":"mine"`, 0); got != "taken" {
		t.Errorf("by the owner: %s", got)
	}
	out = d.push(phone(2), `{"n":2,"do":"sync.settle","args":{"phone":"phone0000000001","n":1,"take":"theirs"}}`)
	if v := out.Verdicts[0]; v.Code != "settled_before" || v.Say != "Lan đã quyết việc này trước: lấy giá trị người gửi." {
		t.Errorf("a second time: %+v", v)
	}
	d.sql(`UPDATE parked_edits SET by_name = '' WHERE n = 1`)
	out = d.push(phone(2), `{"n":3,"do":"sync.settle","args":{"phone":"phone0000000001","n":1,"take":"theirs"}}`)
	if v := out.Verdicts[0]; v.Code != "settled_before" || strings.Contains(v.Say, "trước") {
		t.Errorf("decided by nobody with a name: %+v", v)
	}
	// The owner gives the thing away with the very decision: no.
	d = newDesk(t)
	asked(d, `claim = 'kia'`, `"change":{"claim":"này","owner":"lan"}`)
	d.sql(`UPDATE parked_edits SET edit = replace(edit, '"lan"', '"bay"')`)
	if got := d.settles(`"take":"mine"`, 0); got != "refused  not_yours" || d.get("things_x", thing, "owner") != "lan" {
		t.Errorf("into another's hands: %s, owner %s", got, d.get("things_x", thing, "owner"))
	}
}

// TestTheAdministratorSettles anything, also what waits for no field; of what is
// gone only that it is put aside.
func TestTheAdministratorSettles(t *testing.T) {
	admin := commune.Author{Admin: "admin0000000001"}
	for _, c := range []struct {
		name, edit, happens string
		decision            push.Decision
		code                string
		stands              map[string]string
	}{
		{"takes mine", `"change":{"claim":"này"}`, ``, push.Decision{Take: "mine"}, "", map[string]string{"claim": "này"}},
		{"moves it to whom they like", `"change":{"claim":"này","owner":"bay"}`, ``, push.Decision{Take: "mine"}, "", map[string]string{"claim": "này", "owner": "bay"}},
		{"puts aside what is gone", `"change":{"claim":"này"}`, `DELETE FROM things_x`, push.Decision{Take: "theirs"}, "", map[string]string{"id": "gone"}},
		{"writes to what is gone", `"change":{"claim":"này"}`, `DELETE FROM things_x`, push.Decision{Take: "mine"}, "record_gone", map[string]string{"id": "gone"}},
		{"gives what is gone a value", `"change":{"claim":"này"}`, `DELETE FROM things_x`, push.Decision{Take: "value"}, "record_gone", map[string]string{"id": "gone"}},
		{"settles it twice", `"change":{"claim":"này"}`, `UPDATE parked_edits SET state = 'settled'`, push.Decision{Take: "mine"}, "settled_before", map[string]string{"claim": "kia"}},
		{"an edit that nobody can read", `"change":{"claim":"này"}`, `UPDATE parked_edits SET edit = '5'`, push.Decision{Take: "mine"}, "bad_args", map[string]string{"claim": "kia"}},
		{"of a phone that is no more", `"change":{"claim":"này"}`, `DELETE FROM sync_phones`, push.Decision{Take: "mine"}, "", map[string]string{"claim": "này"}},
		{"without a maker", `"change":{"claim":"này"}`, `UPDATE parked_edits SET person = ''`, push.Decision{Take: "mine"}, "", map[string]string{"claim": "này"}},
		{"puts aside what waits for an upgrade", `"change":{"claim":"này"}`, `UPDATE parked_edits SET code = 'unknown_field'`, push.Decision{Take: "theirs"}, "", map[string]string{"claim": "kia"}},
		{"does what waited for an upgrade", `"change":{"claim":"này"}`, `UPDATE parked_edits SET code = 'unknown_field'`, push.Decision{Take: "mine"}, "", map[string]string{"claim": "này"}},
		{"puts aside what is of no collection", `"change":{"claim":"này"}`, `UPDATE parked_edits SET coll = 'birds'`, push.Decision{Take: "theirs"}, "", map[string]string{"claim": "kia"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			asked(d, `claim = 'kia'`, c.edit)
			if c.happens != "" {
				d.sql("%s", c.happens)
			}
			d.seq()
			c.decision.Author, c.decision.Name, c.decision.Now, c.decision.Say = admin, "Chị Hoa", d.now, "Xong rồi."
			err := d.RunInTransaction(func(tx core.App) error {
				p, err := tx.FindRecordById("parked_edits", d.parked(1, 1).Id)
				if err != nil {
					return err
				}
				if err := d.judge.Settle(tx, p, c.decision); err != nil {
					return err
				}
				if p.GetString("state") != "settled" || p.GetString("by") != admin.Admin {
					t.Errorf("%s by %s", p.GetString("state"), p.GetString("by"))
				}
				return tx.SaveNoValidate(p)
			})
			code := ""
			if r := commune.Refused(err); r != nil {
				code = r.Code
			} else if err != nil {
				t.Fatal(err)
			}
			if code != c.code {
				t.Errorf("%q, want %q", code, c.code)
			}
			for field, want := range c.stands {
				if got := d.get("things_x", thing, field); got != want {
					t.Errorf("%s is %q, want %q", field, got, want)
				}
			}
			told, err := d.FindAllRecords("settlements")
			if err != nil {
				t.Fatal(err)
			}
			if want := code == "" && c.name != "without a maker"; (len(told) == 1) != want || want && told[0].GetString("say") != "Xong rồi." {
				t.Errorf("told: %v", told)
			}
		})
	}
}

// TestFollowLooksOnlyAtWhatMoved: the circles of what waits follow the thing.
func TestFollowLooksOnlyAtWhatMoved(t *testing.T) {
	d := newDesk(t)
	asked(d, `claim = 'kia'`, `"change":{"claim":"này"}`)
	follow := func(want string) {
		t.Helper()
		d.seq()
		if err := d.judge.Follow(d.App); err != nil {
			t.Fatal(err)
		}
		if got := d.parked(1, 1).GetString("circles"); got != want {
			t.Errorf("it is shown to %s, want %s", got, want)
		}
	}
	follow(`["owner:lan"]`)
	d.sql(`UPDATE parked_edits SET circles = '["x"]'`)
	follow(`["x"]`) // nothing moved, nothing is looked at
	d.sql(`UPDATE things_x SET owner = 'bay'`)
	follow(`["owner:bay"]`)
	d.sql(`UPDATE parked_edits SET circles = '["x"]'`)
	follow(`["x"]`)
	d.sql(`DELETE FROM things_x`)
	follow(`[]`)
}
