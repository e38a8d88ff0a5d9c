package regressions_test

import (
	"os"
	"path/filepath"
	"testing"

	"langso/sync/wire"
)

// Lan sent a draft and was told "taken". The disk died, last night's backup was
// put back, and the commune worked on until its numbers had passed Lan's cursor:
// her phone then looked like any other, and her draft was nowhere.
func TestARestoredServerAsksForWhatItLost(t *testing.T) {
	s := newScene(t)
	p := s.phone(lan)
	s.syncs(p)
	backup := filepath.Join(t.TempDir(), "data.db")
	s.sql(`VACUUM INTO '%s'`, backup)
	n, id := s.creates(p, draftOf(lan, "việc quan trọng"))
	if is := s.verdict(s.syncs(p), n); is != wire.Taken {
		t.Fatalf("the draft is %s", is)
	}
	s.restore(backup)
	for range 5 {
		s.sql(`UPDATE villages SET name = name || '.'`)
	}
	s.syncs(p)
	if got := s.field("drafts", id, "note"); got != "việc quan trọng" {
		t.Errorf("the draft came again as %q", got)
	}
}

// Lan's phone was new: her draft went up with the first ask, she was told "taken",
// and the road broke before the phone learned the history's name. Then last
// night's backup was put in: a phone without a history noticed nothing.
func TestANewPhoneIsToldThatTheServerWentBack(t *testing.T) {
	s := newScene(t)
	p, road, _ := s.phoneOnRoad()
	s.drafts(100, 2000) // so that verdicts are a chunk of their own
	backup := filepath.Join(t.TempDir(), "data.db")
	s.sql(`VACUUM INTO '%s'`, backup)
	_, id := s.creates(p, draftOf(lan, "việc quan trọng"))
	s.syncsCutAfter(p, road, "verdicts")
	if status, err := p.Status(); err != nil || status.Waiting != 0 {
		t.Fatalf("the phone was to be told: %+v %v", status, err)
	}
	s.restore(backup)
	s.syncs(p)
	if got := s.field("drafts", id, "note"); got != "việc quan trọng" {
		t.Errorf("the draft came again as %q", got)
	}
}

// restore puts a backup in the place of the database and starts the server on it.
func (s *scene) restore(backup string) {
	s.t.Helper()
	data := filepath.Join(s.Dir(), "data.db")
	for _, file := range []string{data, data + "-wal", data + "-shm"} {
		if err := os.Remove(file); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := os.Rename(backup, data); err != nil {
		s.t.Fatal(err)
	}
	s.Restart(s.t)
}

// An officer corrected bà Bảy's year of birth away from the network; the server
// went back in time, and another officer wrote the field. The edit's base was a
// number of the lost history, above everything in the new one: it looked as if
// the first had seen what the second wrote, and overwrote it unasked.
func TestAnEditOfALostHistoryIsAskedAbout(t *testing.T) {
	s := newScene(t)
	s.put("duties", "", map[string]any{"person": lan, "role": "onestop"})
	for range 30 {
		s.sql(`UPDATE villages SET name = name || '.'`)
	}
	p := s.phone(lan)
	s.syncs(p)
	n, err := p.Change("persons", bay, map[string]any{"born": "1980"})
	if err != nil {
		t.Fatal(err)
	}
	s.sql(`UPDATE journal_meta SET epoch = 'another', seq = 20`)
	s.sql(`UPDATE persons SET born = '1990' WHERE id = '%s'`, bay)
	if is := s.verdict(s.syncs(p), n); is != wire.Parked {
		t.Errorf("the edit is %s, want parked", is)
	}
	if born := s.field("persons", bay, "born"); born != "1990" {
		t.Errorf("born %s: overwritten without a question", born)
	}
}

// Lan sold five pieces when the server knew of three; it refused, and Lan gave
// the sale up. A restored server, with ten in stock, asked again for all it had
// not seen, and the sale that never was came back to life.
func TestWhatWasGivenUpIsNotDoneAfterARestore(t *testing.T) {
	s := newScene(t)
	s.sells(3)
	p := s.phone(lan)
	s.syncs(p)
	n := s.sale(p, 5)
	if is := s.verdict(s.syncs(p), n); is != wire.Refused {
		t.Fatalf("the sale is %s", is)
	}
	if err := p.Settle(n); err != nil {
		t.Fatal(err)
	}
	s.sql(`UPDATE products SET stock = 10`)
	s.sql(`DELETE FROM sync_verdicts`)
	s.sql(`UPDATE sync_phones SET acked = 0`)
	s.sql(`UPDATE journal_meta SET epoch = 'another'`)
	s.syncs(p)
	if stock := s.field("products", product, "stock"); stock != "10" {
		t.Errorf("stock %s, want 10: a sale was done that Lan had given up", stock)
	}
}
