package push_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"langso/commune"
	"langso/sync/push"
	"langso/sync/wire"
	"langso/villagetest"
)

// renamed is a notice board whose field "body" was "content" in older apps.
var renamed = commune.Domain{Name: "board", Title: "Bảng tin", Collections: []commune.Collection{{
	Name: "announcements", Title: "Tin", Read: commune.Circles{commune.Everyone()}, Write: commune.Circles{commune.Everyone()},
	Fields:  commune.Policies{"from": commune.Ask},
	Aliases: commune.Aliases{"content": {Field: "body", Until: "2026-12-31"}, "since": {Field: "from", Until: "2026-12-31"}},
}}}

// TestAnOldAppNamesAnOldField: it is taken until the day, parked and kept after.
func TestAnOldAppNamesAnOldField(t *testing.T) {
	before, after := time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 18, 0, 0, 0, time.UTC) // 23:00 and 01:00 here
	for _, c := range []struct {
		name, edit string
		now        time.Time
		is         wire.Is
		code, body string
	}{
		{"creates", `"id":"announce0000002","create":{"title":"A","content":"cũ"}`, before, wire.Taken, "", "cũ"},
		{"changes", `"id":"announce0000001","change":{"content":"cũ"}`, before, wire.Merged, "", "cũ"},
		{"says it twice", `"id":"announce0000001","change":{"content":"cũ","body":"mới"}`, before, wire.Merged, "", "mới"},
		{"creates too late", `"id":"announce0000002","create":{"title":"A","content":"cũ"}`, after, wire.Parked, "unknown_field", ""},
		{"changes too late", `"id":"announce0000001","change":{"content":"cũ"}`, after, wire.Parked, "unknown_field", "đang có"},
		{"names what never was", `"id":"announce0000001","change":{"colour":"đỏ"}`, before, wire.Parked, "unknown_field", "đang có"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.judge.Domains = []commune.Domain{renamed}
			s.Put(t, "announcements", "announce0000001", map[string]any{"title": "A", "body": "đang có"})
			raw := `{"n":1,"coll":"announcements",` + c.edit + `}`
			out, err := s.judge.Push(context.Background(), s.phone, commune.Author{Person: "person000000001", Circles: []commune.Circle{commune.Commune}}, []json.RawMessage{json.RawMessage(raw)}, c.now, 0)
			if err != nil {
				t.Fatal(err)
			}
			if v := out.Verdicts[0]; v.Is != c.is || v.Code != c.code {
				t.Errorf("%+v, want %s %s", v, c.is, c.code)
			}
			var id struct{ ID string }
			if err := json.Unmarshal([]byte(raw), &id); err != nil {
				t.Fatal(err)
			}
			r, err := s.App.FindRecordById("announcements", id.ID)
			if body := ""; err == nil {
				if body = r.GetString("body"); body != c.body {
					t.Errorf("body is %q, want %q", body, c.body)
				}
			} else if c.body != "" {
				t.Error(err)
			}
			if c.is == wire.Parked {
				kept, err := s.App.FindAllRecords("parked_edits")
				if err != nil || len(kept) != 1 || kept[0].GetString("edit") != raw {
					t.Errorf("kept %v, %v: want the edit word for word", kept, err)
				}
			}
		})
	}
}

// TestWhatAnOldAppMet is told in its own words, and can be settled.
func TestWhatAnOldAppMet(t *testing.T) {
	s := &scene{Server: villagetest.New(t, []commune.Domain{renamed}), t: t}
	s.judge = push.Judge{App: s.App, Journal: s.Journal, Domains: []commune.Domain{renamed}}
	for i := range 2 {
		s.sql(fmt.Sprintf(`INSERT INTO sync_phones (no, phone) VALUES (%d, 'phone000000000%d')`, i+1, i+1))
	}
	s.Put(t, "announcements", "announce0000001", map[string]any{"title": "A", "from": "2026-01-01"})
	if err := s.Absorb(); err != nil {
		t.Fatal(err)
	}
	send := func(phone int, edit string) wire.Verdict {
		t.Helper()
		out, err := s.judge.Push(context.Background(), push.Phone{ID: fmt.Sprintf("phone000000000%d", phone), No: int64(phone)},
			commune.Author{Person: "person000000001", Circles: []commune.Circle{commune.Commune}}, []json.RawMessage{json.RawMessage(edit)}, time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC), 0)
		if err != nil {
			t.Fatal(err)
		}
		return out.Verdicts[0]
	}
	v := send(1, `{"n":1,"coll":"announcements","id":"announce0000001","change":{"since":"2026-02-02"}}`)
	if v.Code != "needs_person" || v.Met["since"].Theirs != "2026-01-01" {
		t.Fatalf("%+v", v)
	}
	seq, err := s.Journal.Seq()
	if err != nil {
		t.Fatal(err)
	}
	if v := send(2, fmt.Sprintf(`{"n":1,"base":%d,"do":"sync.settle","args":{"phone":"phone0000000001","n":1,"take":"mine"}}`, seq)); v.Is != wire.Taken {
		t.Errorf("%+v", v)
	}
	r, err := s.App.FindRecordById("announcements", "announce0000001")
	if err != nil || r.GetString("from") != "2026-02-02" {
		t.Errorf("from is %q, %v", r.GetString("from"), err)
	}
}
