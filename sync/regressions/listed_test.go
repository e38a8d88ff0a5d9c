package regressions_test

import (
	"testing"
)

// Every number in a circle of seventy thousand records was wrong on Lan's phone.
// It listed them all, more than an ask may hold, was refused, and could not meet
// the server any more.
func TestAListIsNoLongerThanAnAskMayHold(t *testing.T) {
	if testing.Short() {
		t.Skip("seventy thousand records")
	}
	s := newScene(t)
	s.drafts(70_000, 2)
	p := s.damaged(`UPDATE records SET seq = seq - 1 WHERE coll = 'drafts'; DELETE FROM meta WHERE key = 'sum'`)
	s.syncs(p)
	if r := s.syncs(p); r.Mismatches > 0 {
		t.Errorf("they do not agree yet: %+v", r)
	}
}
