package broadcast_test

import (
	"slices"
	"strings"
	"testing"

	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/communetest"
)

func commons(t *testing.T) *communetest.Commune {
	c := communetest.New(t, broadcast.Domain)
	c.Put("villages", "phuc", map[string]any{"name": "Thôn Phúc"})
	c.Put("households", "ho", map[string]any{"name": "Lan", "village": communetest.ID("phuc")})
	c.Put("persons", "lan", map[string]any{"name": "Lan", "household": communetest.ID("ho")})
	return c
}

var speaker = communetest.As("mai", commune.Named("duty", "broadcast"))

func TestAnnouncements(t *testing.T) {
	c := commons(t)
	for i, k := range []struct {
		name   string
		fields map[string]any
		want   string
		to     string // whose inbox, if any
	}{
		{"to all", map[string]any{"title": "Họp dân"}, "", ""},
		{"urgent to all", map[string]any{"title": "Bão số 5", "urgent": true}, "", "commune"},
		{"urgent to a village", map[string]any{"title": "Cắt điện", "urgent": true, "village": communetest.ID("phuc")}, "", "village:" + communetest.ID("phuc")},
		{"urgent until today", map[string]any{"title": "Lũ", "urgent": true, "to": "2026-11-24"}, "", "commune"},
		{"urgent until yesterday", map[string]any{"title": "Lũ", "urgent": true, "to": "2026-11-23"}, "", ""},
		{"without words", map[string]any{"title": "  "}, "title_missing", ""},
		{"from a day that is none", map[string]any{"title": "Họp dân", "from": "24/11/2026"}, "bad_date", ""},
		{"until before it begins", map[string]any{"title": "Họp dân", "from": "2026-11-24", "to": "2026-11-23"}, "days_upside_down", ""},
	} {
		c.Notices = nil
		id := "a" + string(rune('a'+i))
		who := speaker
		if k.fields["urgent"] == true {
			who = both // a leader, too: see TestUrgentNeedsALeader
		}
		communetest.Judged(t, k.name, c.Write(who, "announcements", id, k.fields), k.want)
		switch {
		case k.to == "" && len(c.Notices) != 0:
			t.Errorf("%s: notices %+v", k.name, c.Notices)
		case k.to != "" && (len(c.Notices) != 1 || string(c.Notices[0].To) != k.to || !c.Notices[0].Urgent || c.Notices[0].Title != k.fields["title"]):
			t.Errorf("%s: notices %+v, want one to %s", k.name, c.Notices, k.to)
		}
	}
}

// An announcement that becomes urgent is told once, however often it is edited.
func TestUrgencyIsToldOnce(t *testing.T) {
	c := commons(t)
	body := strings.Repeat("Nước lên nhanh. ", 100)
	for _, edit := range []map[string]any{{"title": "Lũ", "body": body}, {"urgent": true}, {"title": "Lũ lớn"}, {"urgent": false}, {"urgent": true}} {
		communetest.Judged(t, "edit", c.Write(both, "announcements", "a", edit), "")
	}
	if len(c.Notices) != 2 || c.Notices[0].Key != c.Notices[1].Key || c.Notices[0].To != c.Notices[1].To {
		t.Errorf("notices %+v: the same key makes the same notice", c.Notices)
	}
	if n := len([]rune(c.Notices[0].Body)); n != 1000 {
		t.Errorf("the body has %d characters", n)
	}
}

func TestCirclesOfWhatIsSaid(t *testing.T) {
	c := commons(t)
	phuc, lan := communetest.ID("phuc"), communetest.ID("lan")
	c.Put("announcements", "all", map[string]any{"title": "Họp dân"})
	c.Put("announcements", "one", map[string]any{"title": "Họp thôn", "village": phuc})
	c.Put("notices", "n", map[string]any{"circle": "person:" + lan, "title": "Đơn hàng"})
	c.Put("notice_marks", "m", map[string]any{"person": lan, "notice": communetest.ID("n")})
	for _, k := range []struct {
		collection, id string
		want           []commune.Circle
	}{
		{"announcements", "all", []commune.Circle{"commune", "duty:broadcast"}},
		{"announcements", "one", []commune.Circle{"duty:broadcast", commune.Named("village", phuc)}},
		{"notices", "n", []commune.Circle{commune.Named("person", lan)}},
		{"notice_marks", "m", []commune.Circle{commune.Named("person", lan)}},
	} {
		_, col := commune.Find([]commune.Domain{broadcast.Domain}, k.collection)
		if got := col.Read.Of(c.Get(k.collection, k.id)); !slices.Equal(got, k.want) {
			t.Errorf("%s %s is in %v, want %s", k.collection, k.id, got, k.want)
		}
		if got := col.OwnerOf(c.Get(k.collection, k.id)); col.Personal && got != lan {
			t.Errorf("%s %s concerns %q", k.collection, k.id, got)
		}
	}
}

// TestUrgentNeedsALeader: no road past the approval of an emergency.
func TestUrgentNeedsALeader(t *testing.T) {
	c := commons(t)
	communetest.Judged(t, "urgent at once", c.Write(speaker, "announcements", "a", map[string]any{"title": "Lũ", "urgent": true}), "notice.not_allowed")
	communetest.Judged(t, "plain", c.Write(speaker, "announcements", "a", map[string]any{"title": "Họp"}), "")
	communetest.Judged(t, "urgent later", c.Write(speaker, "announcements", "a", map[string]any{"urgent": true}), "notice.not_allowed")
	communetest.Judged(t, "by a leader", c.Write(both, "announcements", "a", map[string]any{"urgent": true}), "")
	communetest.Judged(t, "other words under the leader's urgency", c.Write(speaker, "announcements", "a", map[string]any{"title": "Khác"}), "notice.not_allowed")
}
