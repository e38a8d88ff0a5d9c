package push_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/push"
	"langso/sync/wire"
	"langso/villagetest"
)

// board is a domain of this test: a notice board that everybody writes on, with
// actions that go wrong in every way.
var board = commune.Domain{Name: "board", Title: "Bảng tin", Collections: []commune.Collection{{
	Name: "announcements", Title: "Tin", Read: commune.Circles{commune.Everyone()}, Write: commune.Circles{commune.Everyone()},
	Fields: commune.Policies{"body": commune.Ask, "from": commune.FirstWins},
}}, Actions: []commune.Action{
	{Name: "board.pin", Title: "Ghim", By: "anyone", Do: func(c *commune.Call) error { return pin(c, "pinned0000000001") }},
	{Name: "board.half", Title: "Dở dang", By: "anyone", Do: func(c *commune.Call) error {
		if err := pin(c, "halfway00000001"); err != nil {
			return err
		}
		return commune.Refuse("changed_my_mind", "Thôi.")
	}},
	{Name: "board.bug", Title: "Lỗi", By: "anyone", Do: func(c *commune.Call) error {
		if err := pin(c, "buggy0000000001"); err != nil {
			return err
		}
		var nobody map[string]int
		nobody["x"]++
		return nil
	}},
	{Name: "board.break", Title: "Hỏng", By: "anyone", Do: func(*commune.Call) error { return errors.New("a shelf fell down") }},
}}

func pin(c *commune.Call, id string) error {
	r, err := c.New("announcements", id[:15])
	if err != nil {
		return err
	}
	r.Set("title", "Ghim")
	return c.Save(r)
}

type scene struct {
	*villagetest.Server
	t     *testing.T
	judge push.Judge
	phone push.Phone
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{Server: villagetest.New(t, []commune.Domain{board}), t: t}
	s.judge = push.Judge{App: s.App, Journal: s.Journal, Domains: []commune.Domain{board}}
	s.phone = push.Phone{ID: "phone0000000001", No: 1}
	s.sql(`INSERT INTO sync_phones (no, phone) VALUES (1, 'phone0000000001')`)
	return s
}

func (s *scene) sql(text string) {
	s.t.Helper()
	if _, err := s.App.NonconcurrentDB().NewQuery(text).Execute(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) push(edits ...string) map[int64]wire.Verdict {
	s.t.Helper()
	var raw []json.RawMessage
	for _, e := range edits {
		raw = append(raw, json.RawMessage(e))
	}
	author := commune.Author{Person: "lan000000000000", Phone: s.phone.ID, Circles: []commune.Circle{commune.Commune}}
	out, err := s.judge.Push(context.Background(), s.phone, author, raw, s.Clock.Now(), 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.phone.Acked = out.Acked
	got := map[int64]wire.Verdict{}
	for _, v := range out.Verdicts {
		got[v.N] = v
	}
	return got
}

func create(n int, title string) string {
	return fmt.Sprintf(`{"n":%d,"coll":"announcements","id":"announce%07d","create":{"title":%q}}`, n, n, title)
}

func (s *scene) count() int64 {
	s.t.Helper()
	n, err := s.App.CountRecords("announcements")
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// TestAnEditThatFailsHalfway: nothing of it stays, everything around it does, and
// its verdict is kept like any other.
func TestAnEditThatFailsHalfway(t *testing.T) {
	for do, want := range map[string]struct {
		is   wire.Is
		code string
	}{
		"board.half":  {wire.Refused, "changed_my_mind"},
		"board.bug":   {wire.Parked, "internal"},
		"board.break": {wire.Parked, "internal"},
	} {
		t.Run(do, func(t *testing.T) {
			s := newScene(t)
			bad := `{"n":2,"do":"` + do + `","args":{}}`
			got := s.push(create(1, "một"), bad, create(3, "ba"), `{"n":4,"do":"board.pin","args":{}}`)
			if got[2].Is != want.is || got[2].Code != want.code || got[2].Say == "" {
				t.Errorf("the failed edit is %+v, want %s %s", got[2], want.is, want.code)
			}
			for _, n := range []int64{1, 3, 4} {
				if got[n].Is != wire.Taken {
					t.Errorf("edit %d is %+v", n, got[n])
				}
			}
			if n := s.count(); n != 3 {
				t.Errorf("%d announcements stand, want 3: nothing of the failed edit", n)
			}
			if s.phone.Acked != 4 {
				t.Errorf("acked %d, want 4", s.phone.Acked)
			}
			if again := s.push(bad); again[2].Is != wire.Known || again[2].Was != want.is || again[2].Code != want.code {
				t.Errorf("sent again it is %+v", again[2])
			}
		})
	}
}

// TestWhatWasWrittenIsSeen: an officer's write that is committed and not yet
// absorbed is met by the edit, not overwritten unseen.
func TestWhatWasWrittenIsSeen(t *testing.T) {
	s := newScene(t)
	s.push(create(1, "một"))
	if err := s.Absorb(); err != nil {
		t.Fatal(err)
	}
	base, err := s.Journal.Seq()
	if err != nil {
		t.Fatal(err)
	}
	s.phone.No = 2 // another phone, that has seen it all
	s.phone.ID = "phone0000000002"
	s.phone.Acked = 0
	s.sql(`INSERT INTO sync_phones (no, phone) VALUES (2, 'phone0000000002')`)
	s.sql(`UPDATE announcements SET title = 'của cán bộ', body = 'của cán bộ', [from] = '2026-01-01' WHERE id = 'announce0000001'`)
	change := func(n int, field string) string {
		return fmt.Sprintf(`{"n":%d,"base":%d,"coll":"announcements","id":"announce0000001","change":{%q:"của Lan"}}`, n, base, field)
	}
	got := s.push(change(1, "title"), change(2, "body"), change(3, "from"))
	if got[1].Is != wire.Merged || got[1].Met["title"].Theirs != "của cán bộ" {
		t.Errorf("merge: %+v", got[1])
	}
	if got[2].Is != wire.Parked || got[2].Code != "needs_person" || got[2].Met["body"].Theirs != "của cán bộ" {
		t.Errorf("ask: %+v", got[2])
	}
	if got[3].Is != wire.Merged || got[3].Met["from"].Theirs != "2026-01-01" {
		t.Errorf("first wins: %+v", got[3])
	}
	r, err := s.App.FindRecordById("announcements", "announce0000001")
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{"title": "của Lan", "body": "của cán bộ", "from": "2026-01-01"} {
		if r.GetString(field) != want {
			t.Errorf("%s is %q, want %q", field, r.GetString(field), want)
		}
	}
	// Of what it wrote itself it is not told.
	if got := s.push(change(4, "title")); got[4].Is != wire.Taken {
		t.Errorf("over its own value: %+v", got[4])
	}
	// To delete what somebody else changed since waits for a person.
	s.sql(`UPDATE announcements SET title = 'mới nữa' WHERE id = 'announce0000001'`)
	if got := s.push(fmt.Sprintf(`{"n":5,"base":%d,"coll":"announcements","id":"announce0000001","delete":true}`, base)); got[5].Code != "changed_since" || got[5].Is != wire.Parked {
		t.Errorf("deleting it: %+v", got[5])
	}
}

// TestDependants wait for what they depend on, and the queue goes on.
func TestDependants(t *testing.T) {
	s := newScene(t)
	long := strings.Repeat("x", 300)
	got := s.push(create(1, long),
		`{"n":2,"coll":"announcements","id":"announce0000001","change":{"body":"sau"},"after":[1]}`,
		`{"n":3,"do":"board.pin","args":{},"after":[2]}`, create(4, "bốn"))
	if got[1].Is != wire.Refused || got[1].Code != "bad_value" {
		t.Errorf("too long a title: %+v", got[1])
	}
	for _, n := range []int64{2, 3} {
		if got[n].Is != wire.Parked || got[n].Code != "waits_for" {
			t.Errorf("edit %d: %+v", n, got[n])
		}
	}
	if got[4].Is != wire.Taken {
		t.Errorf("the queue stopped: %+v", got[4])
	}
	got = s.push(`{"n":5,"fixes":2,"coll":"announcements","id":"announce0000004","change":{"body":"sau"}}`)
	if got[5].Is != wire.Taken {
		t.Errorf("%+v", got[5])
	}
	var parked []*core.Record
	parked, err := s.App.FindAllRecords("parked_edits")
	if err != nil {
		t.Fatal(err)
	}
	states := map[int]string{}
	for _, p := range parked {
		states[p.GetInt("n")] = p.GetString("state")
	}
	if states[2] != "settled" || states[3] != "waiting" {
		t.Errorf("the kept edits are %v", states)
	}
}
