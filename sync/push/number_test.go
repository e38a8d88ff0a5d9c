package push_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"langso/sync/wire"
)

func note(n int, text string) string {
	return fmt.Sprintf(`{"n":%d,"coll":"things_x","id":"%s","change":{"note":%q}}`, n, thing, text)
}

// TestEditsHaveAnOrder: what a phone sends, after edits 1 and 2, and what it is told.
func TestEditsHaveAnOrder(t *testing.T) {
	half := func(n int) string { return fmt.Sprintf(`{"n":%d,"do":"desk.half"}`, n) }
	for _, c := range []struct {
		name  string
		edits []string
		want  string
	}{
		{"the next", []string{note(3, "c")}, "3taken, acked 3"},
		{"the next two", []string{note(3, "c"), note(4, "d")}, "3taken, 4taken, acked 4"},
		{"one too far", []string{note(4, "d")}, "send from 3, acked 2"},
		{"a gap inside", []string{note(3, "c"), note(5, "e"), note(4, "d")}, "3taken, send from 4, acked 3"},
		{"a gap after one that fails halfway", []string{half(3), note(5, "e"), note(4, "d")}, "3refused  thought_better, send from 4, acked 3"},
		{"both again", []string{note(1, "a"), note(2, "b")}, "1known merged, 2known taken, acked 2"},
		{"one again and the next", []string{note(2, "b"), note(3, "c")}, "2known taken, 3taken, acked 3"},
		{"the same twice", []string{note(3, "c"), note(3, "c")}, "3taken, 3known taken, acked 3"},
		{"another under an old number", []string{note(2, "x"), note(3, "c")}, "2refused  fork, acked 2"},
		{"another, and then the last again", []string{note(1, "x"), note(2, "b"), note(3, "c")}, "1refused  fork, 2known taken, acked 2"},
		{"another, after one that fails halfway", []string{half(3), note(2, "x"), note(4, "d")}, "3refused  thought_better, 2refused  fork, acked 3"},
		{"no number", []string{`{"coll":"x"}`, note(3, "c"), `7`}, "3taken, problem at 0, problem at 2, acked 3"},
		{"nothing that is an edit", []string{`{"n":3,"coll":"things_x"}`, note(4, "d")}, "3refused  bad_edit, 4taken, acked 4"},
		{"too big an edit", []string{note(3, strings.Repeat("x", wire.MaxEdit)), note(4, "d")}, "3refused  too_big, 4taken, acked 4"},
		{"lists in lists without end", []string{`{"n":3,"do":"desk.press","args":{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`, note(4, "d")}, "3refused  bad_value, 4taken, acked 4"},
		{"what no program knows", []string{`{"n":3,"do":"desk.fly"}`, `{"n":4,"do":"desk.none"}`, `{"n":5,"coll":"birds","id":"x","delete":true}`}, "3parked  unknown_action, 4parked  unknown_action, 5parked  unknown_collection, acked 5"},
		{"what waits for one to come", []string{`{"n":3,"do":"desk.press","after":[3]}`, `{"n":4,"do":"desk.press","after":[5]}`, `{"n":5,"do":"desk.press","after":[0]}`, `{"n":6,"do":"desk.press","after":[-1]}`},
			"3refused  bad_edit, 4refused  bad_edit, 5refused  bad_edit, 6refused  bad_edit, acked 6"},
		{"what builds on one that was taken", []string{note(3, "c"), `{"n":4,"do":"desk.press","after":[1,3]}`}, "3taken, 4taken, acked 4"},
		{"what builds on a refused one of this ask", []string{`{"n":3,"coll":"closed_x","id":"x","delete":true}`, `{"n":4,"do":"desk.press","after":[1,3]}`}, "3refused  by_action_only, 4parked  waits_for, acked 4"},
		{"what builds on a parked one of this ask", []string{`{"n":3,"do":"desk.fly"}`, `{"n":4,"do":"desk.press","after":[3,1]}`}, "3parked  unknown_action, 4parked  waits_for, acked 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			if first := says(d.push(phone(1), note(1, "a"), note(2, "b"))); first != "1merged, 2taken, acked 2" {
				t.Fatal(first)
			}
			if got := says(d.push(phone(1), c.edits...)); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
			if d.get("villages", "halfway00000001", "name") != "gone" {
				t.Error("something stands of what failed halfway")
			}
		})
	}
}

// TestWhatBuildsOnAnEarlierAsk is judged by the verdict that is kept.
func TestWhatBuildsOnAnEarlierAsk(t *testing.T) {
	d := newDesk(t)
	d.push(phone(1), note(1, "a"), `{"n":2,"do":"desk.fly"}`, `{"n":3,"coll":"closed_x","id":"x","delete":true}`, note(4, "b"), note(5, "c"))
	d.sql(`DELETE FROM sync_verdicts WHERE n = 5`)
	got := says(d.push(phone(1), `{"n":6,"do":"desk.press","after":[1]}`, `{"n":7,"do":"desk.press","after":[2]}`, `{"n":8,"do":"desk.press","after":[1,3]}`,
		`{"n":9,"do":"desk.press","after":[5,4]}`, `{"n":10,"do":"desk.press","after":[5,3]}`))
	if want := "6taken, 7parked  waits_for, 8parked  waits_for, 9taken, 10parked  waits_for, acked 10"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got, want := says(d.push(phone(1), note(5, "c"))), "5known parked forgotten, acked 10"; got != want {
		t.Errorf("whose verdict is forgotten: %s, want %s", got, want)
	}
	if got, want := says(d.push(phone(2), `{"n":1,"do":"desk.press","after":[]}`)), "1taken, acked 1"; got != want {
		t.Errorf("another phone: %s, want %s", got, want)
	}
}

// TestWhatAPhoneHasIsNoted: verdicts that it has may be forgotten, others not.
func TestWhatAPhoneHasIsNoted(t *testing.T) {
	d := newDesk(t)
	for i, c := range []struct {
		name          string
		confirmed     int64
		edits         []string
		acked, stands int64
	}{
		{"the first edits", 0, []string{note(1, "a"), note(2, "b")}, 2, 0},
		{"one verdict is stored", 1, []string{note(3, "c")}, 3, 1},
		{"it claims more than there is", 9, []string{note(4, "d")}, 4, 4},
		{"an old ask arrives late", 1, []string{note(1, "a")}, 4, 4},
		{"nothing", 0, nil, 0, 4},
	} {
		p := phone(1)
		p.Confirmed = c.confirmed
		out := d.push(p, c.edits...)
		var stands int64
		if err := d.DB().NewQuery(`SELECT confirmed FROM sync_phones WHERE no = 1`).Row(&stands); err != nil {
			t.Fatal(err)
		}
		if out.Acked != c.acked || stands != c.stands {
			t.Errorf("%d %s: acked %d, confirmed %d, want %d, %d", i, c.name, out.Acked, stands, c.acked, c.stands)
		}
	}
}

// TestABlockedPhonesEdits are parked, none is done.
func TestABlockedPhonesEdits(t *testing.T) {
	d := newDesk(t)
	p := phone(1)
	p.Blocked = true
	if got, want := says(d.push(p, note(1, "a"), `{"n":2,"do":"desk.press"}`)), "1parked  phone_blocked, 2parked  phone_blocked, acked 2"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if d.get("things_x", thing, "note") != "một" || len(d.pressed) > 0 {
		t.Error("one was done")
	}
}

// TestTheServersOwnFailures are no verdicts: the phone sends again. What only this
// edit meets is kept for a person.
func TestTheServersOwnFailures(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		err    error
		server bool
	}{
		{context.Canceled, true}, {context.DeadlineExceeded, true}, {sql.ErrConnDone, true}, {sql.ErrTxDone, true},
		{errors.New("database or disk is full (13)"), true}, {errors.New("disk I/O error"), true}, {errors.New("database is locked"), true},
		{errors.New("SQLITE_BUSY"), true}, {errors.New("attempt to write a readonly database"), true}, {errors.New("unable to open database file"), true},
		{fmt.Errorf("save: %w", context.Canceled), true},
		{errors.New("a shelf fell down"), false}, {sql.ErrNoRows, false},
	} {
		d.fails = c.err
		d.sql(`UPDATE sync_phones SET acked = 0`)
		d.sql(`DELETE FROM sync_verdicts`)
		d.sql(`DELETE FROM parked_edits`)
		out, err := d.try(phone(1), "owner:lan", note(1, "a"), `{"n":2,"do":"desk.fail"}`, note(3, "b"))
		var kept int
		if err := d.DB().NewQuery(`SELECT count(*) FROM sync_verdicts`).Row(&kept); err != nil {
			t.Fatal(err)
		}
		switch {
		case c.server && (!errors.Is(err, c.err) || kept > 0 || out.Acked != 0):
			t.Errorf("%v: %s, %v, %d verdicts kept", c.err, says(out), err, kept)
		case !c.server && (err != nil || kept != 3 || out.Verdicts[1].Code != "internal" || out.Verdicts[1].Is != wire.Parked):
			t.Errorf("%v: %s, %v, %d verdicts kept", c.err, says(out), err, kept)
		}
	}
}

// TestWhenItWasDone: the phone's clock put right, never later than now, never in
// a time before phones.
func TestWhenItWasDone(t *testing.T) {
	d := newDesk(t)
	d.skew = time.Hour
	ago := d.now.Add(-3 * time.Hour)
	for i, c := range []struct {
		name, at string
		want     time.Time
	}{
		{"three hours ago by a slow clock", ago.Add(-time.Hour).Format(time.RFC3339), ago},
		{"in another zone", ago.Add(-time.Hour).In(time.FixedZone("", 7*3600)).Format(time.RFC3339), ago},
		{"just now", d.now.Add(-time.Hour).Format(time.RFC3339), d.now},
		{"later than now", d.now.Add(-time.Hour + time.Second).Format(time.RFC3339), d.now},
		{"on the first day of 2000", "1999-12-31T23:00:00Z", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"before", "1999-12-31T22:59:59Z", d.now},
		{"at no time", "", d.now},
	} {
		d.pressed = nil
		d.push(phone(1), fmt.Sprintf(`{"n":%d,"at":%q,"do":"desk.press"}`, i+1, c.at))
		if len(d.pressed) != 1 || !d.pressed[0].Equal(c.want) || d.pressed[0].Location() != time.UTC {
			t.Errorf("%s: %v, want %v", c.name, d.pressed, c.want)
		}
	}
}

// TestAParkedEditIsKeptWordForWord, with all that an officer needs to see.
func TestAParkedEditIsKeptWordForWord(t *testing.T) {
	d := newDesk(t)
	base := d.seq()
	d.sql(`UPDATE things_x SET claim = 'kia' WHERE id = '%s'`, thing)
	long := strings.Repeat("đ", 31) // 62 bytes
	edits := []string{
		fmt.Sprintf(`{"n":1,"base":%d,"coll":"things_x","id":"%s","change":{"claim":"của tôi"}}`, base, thing),
		`{"n":2,"do":"` + long + `"}`,
		`{"n":3,"do":"` + long[:60] + `"}`,
		`{"n":4,"coll":"birds","id":"` + long + `","delete":true}`,
		`{"n":5,"coll":"things_x","id":"` + thing + `","change":{"colour":"đỏ"}}`,
	}
	d.push(phone(1), edits...)
	for i, want := range []map[string]any{
		{"code": "needs_person", "coll": "things_x", "record": thing, "theirs": `{"claim":{"theirs":"kia"}}`, "circles": `["owner:lan"]`, "seq": d.seq()},
		{"code": "unknown_action", "coll": long[:60], "record": "", "theirs": "null", "circles": "[]", "seq": int64(0)},
		{"code": "unknown_action", "coll": long[:60], "record": "", "circles": "[]"},
		{"code": "unknown_collection", "coll": "birds", "record": long[:60], "circles": "[]"},
		{"code": "unknown_field", "coll": "things_x", "record": thing, "circles": "[]"}, // it waits for an upgrade, and nobody can choose
	} {
		r := d.parked(1, i+1)
		want["edit"], want["n"], want["state"], want["person"], want["maker"], want["at"] = edits[i], int64(i+1), "waiting", "person000000001", "Lan", "2026-11-24 01:00:00.000Z"
		for field, value := range want {
			if got := r.GetString(field); got != fmt.Sprint(value) {
				t.Errorf("edit %d: %s is %s, want %v", i+1, field, got, value)
			}
		}
	}
	// The maker gives one up; another phone's of the same number stays.
	d.push(phone(2), `{"n":1,"do":"desk.fly"}`)
	if got := says(d.push(phone(1), `{"n":6,"do":"sync.withdraw","args":{"n":1}}`, `{"n":7,"do":"sync.withdraw","args":{"n":"x"}}`)); got != "6taken, 7refused  bad_args, acked 7" {
		t.Error(got)
	}
	if a, b, c := d.parked(1, 1), d.parked(1, 2), d.parked(2, 1); a.GetString("state") != "dropped" || a.GetString("circles") != "[]" || b.GetString("state") != "waiting" || c.GetString("state") != "waiting" {
		t.Errorf("%v %v, %v, %v", a.GetString("state"), a.GetString("circles"), b.GetString("state"), c.GetString("state"))
	}
	// A repaired edit settles the one it replaces, unless it is refused itself.
	d.push(phone(1), `{"n":8,"fixes":2,"coll":"closed_x","id":"x","delete":true}`, `{"n":9,"fixes":3,"do":"desk.press"}`)
	if a, b := d.parked(1, 2).GetString("state"), d.parked(1, 3).GetString("state"); a != "waiting" || b != "settled" {
		t.Errorf("replaced by a refused one: %s; by one that was taken: %s", a, b)
	}
}

// TestAKnownVerdictIsWhole: sent again it says what it said.
func TestAKnownVerdictIsWhole(t *testing.T) {
	d := newDesk(t)
	base := d.seq()
	d.sql(`UPDATE things_x SET note = 'kia' WHERE id = '%s'`, thing)
	edit := fmt.Sprintf(`{"n":1,"base":%d,"coll":"things_x","id":"%s","change":{"note":"của tôi"}}`, base, thing)
	first, again := d.push(phone(1), edit).Verdicts[0], d.push(phone(1), edit).Verdicts[0]
	first.Is, first.Was = wire.Known, first.Is
	a, _ := json.Marshal(first)
	b, _ := json.Marshal(again)
	if string(a) != string(b) || first.Was != wire.Merged || first.Met["note"].Theirs != "kia" {
		t.Errorf("%s, then %s", a, b)
	}
}
