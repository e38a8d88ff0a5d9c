package regressions_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"langso/phone"
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
	dir := filepath.Join(t.TempDir(), "phone")
	p := s.PhoneAt(t, dir, lan, nil)
	s.syncs(p)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "phone.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE records SET seq = seq - 1 WHERE coll = 'drafts'; DELETE FROM meta WHERE key = 'sum'`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if p, err = phone.Open(dir, "", phone.WithTransport(s.Network()), phone.WithClock(s.Clock.Now)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	s.syncs(p)
	if r := s.syncs(p); r.Mismatches > 0 {
		t.Errorf("they do not agree yet: %+v", r)
	}
}
