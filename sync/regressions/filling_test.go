package regressions_test

import (
	"strings"
	"testing"

	"langso/phone"
	"langso/villagetest"
)

// Lan's new phone had the first part of its filling when the drafts in it went to
// bà Bảy or were deleted, and Lan's standing changed. The token of the old
// standing was thrown away, and with it the knowledge of what had been sent.
func TestWhatLeftDuringAFillingIsGone(t *testing.T) {
	s := newScene(t)
	s.fillInParts()
	p, road, _ := s.phoneOnRoad()
	road.afterFirstPart(t, func() {
		s.sql(`UPDATE drafts SET person = '%s' WHERE id = '%s'`, bay, draft)
		s.sql(`DELETE FROM drafts WHERE id LIKE 'bulk%%'`)
		s.care()
	})
	s.syncs(p)
	left, err := p.Held("drafts")
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("%d drafts are on the phone that left before the second part", len(left))
	}
}

// Lan's new phone had the first part of its filling when the server was replaced
// by one in whose history that draft never was. The filling went on as if
// nothing had happened, and the draft stayed for ever.
func TestAFillingOfAnotherHistoryBeginsAgain(t *testing.T) {
	s := newScene(t)
	s.fillInParts()
	p, road, _ := s.phoneOnRoad()
	road.afterFirstPart(t, func() {
		s.sql(`DELETE FROM drafts WHERE id = '%s'`, draft)
		s.sql(`DELETE FROM journal_records WHERE rid = '%s'`, draft)
		s.sql(`DELETE FROM journal_entries WHERE rid = '%s'`, draft)
		s.sql(`UPDATE journal_meta SET epoch = 'another'`)
	})
	s.syncs(p)
	if s.has(p, "drafts", draft) {
		t.Error("the phone has a draft that this history never knew")
	}
	if !s.has(p, "drafts", "bulk00000000001") {
		t.Error("the phone is not filled from this history")
	}
}

// fillInParts gives Lan more than one answer holds, her draft first of all.
func (s *scene) fillInParts() {
	s.t.Helper()
	s.put("drafts", draft, draftOf(lan, "x"))
	if err := s.Absorb(); err != nil { // it gets a number before the many
		s.t.Fatal(err)
	}
	s.drafts(120, 44_000)
}

// afterFirstPart does something between the first part of a filling, with the
// draft in it, and the second.
func (r *road) afterFirstPart(t *testing.T, do func()) {
	r.passed = func(answer string) {
		r.passed = nil
		if !strings.Contains(answer, draft) || !strings.Contains(answer, `{"more":`) {
			t.Error("the draft was to come in the first of several parts")
		}
		do()
	}
}

// At the edge of the village every answer breaks after 150 kB. A first sync was
// sent in parts of megabytes, of which the same beginning came each time: Lan's
// new phone never got to the end.
func TestABreakingRoadFillsAPhone(t *testing.T) {
	s := newScene(t)
	s.drafts(400, 2400)
	road := s.Network()
	road.Fault = func() villagetest.Fault {
		return villagetest.Fault{Cut: func(n int) int { return min(n, 150_000) }}
	}
	p := s.Phone(t, lan, road)
	var last error
	for range 40 {
		var r phone.Report
		if r, last = p.Sync(t.Context()); last == nil && r.Complete {
			return
		}
	}
	t.Errorf("not complete after 40 meetings and %d kB: %v", road.Down.Load()/1000, last)
}
