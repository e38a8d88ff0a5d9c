package regressions_test

import (
	"errors"
	"path/filepath"
	"testing"

	"langso/phone"
	"langso/sync/wire"
)

// secret is what must not be found on the disk of a phone that lost it.
const secret = "BIMATBIMAT"

// Lan's draft went to bà Bảy; Lan's phone heard "gone" and the road broke. The
// record was deleted, but the phone emptied its log only after a meeting that
// came to its end: until then, days perhaps, the words stayed on the disk.
func TestWhatWentInACutAnswerIsNotOnTheDisk(t *testing.T) {
	s := newScene(t)
	s.put("drafts", draft, draftOf(lan, secret))
	p, road, dir := s.phoneOnRoad()
	s.syncs(p)
	s.sql(`UPDATE drafts SET person = '%s'`, bay)
	s.syncsCutAfter(p, road, "gone")
	s.notOnDisk(dir, secret)
}

// Lan's care for bà Bảy ended; her phone heard of the lost circle and the road
// broke. Bà Bảy went from the screen and stayed in the log, even after a whole
// meeting: nothing more was lost in that one.
func TestWhatACutStandingTookIsNotOnTheDisk(t *testing.T) {
	s := newScene(t)
	s.care()
	s.sql(`UPDATE persons SET name = '%s' WHERE id = '%s'`, secret, bay)
	p, road, dir := s.phoneOnRoad()
	s.syncs(p)
	if !s.has(p, "persons", bay) {
		t.Fatal("Lan was to know bà Bảy")
	}
	s.careEnds()
	s.syncsCutAfter(p, road, "standing")
	s.syncs(p)
	s.notOnDisk(dir, secret)
}

// Lan's care for bà Bảy ended in the night in which the server was restored. Her
// phone forgot all records and took the new ones, and counted nothing as gone:
// bà Bảy stayed in the log.
func TestWhatAnotherHistoryLacksIsNotOnTheDisk(t *testing.T) {
	s := newScene(t)
	s.care()
	s.sql(`UPDATE persons SET name = '%s' WHERE id = '%s'`, secret, bay)
	p, _, dir := s.phoneOnRoad()
	s.syncs(p)
	if !s.has(p, "persons", bay) {
		t.Fatal("Lan was to know bà Bảy")
	}
	s.careEnds()
	s.sql(`UPDATE journal_meta SET epoch = 'another'`)
	s.syncs(p)
	s.notOnDisk(dir, secret)
}

// Lan's phone was stolen and blocked. It wiped its records, as it was told, but
// not the edits that the server had long taken: her draft could be read in them.
func TestABlockedPhoneKeepsNothingThatWasTaken(t *testing.T) {
	s := newScene(t)
	dir := filepath.Join(t.TempDir(), "phone")
	p := s.PhoneAt(t, dir, lan, nil)
	s.syncs(p)
	n, _ := s.creates(p, draftOf(lan, secret))
	if is := s.verdict(s.syncs(p), n); is != wire.Taken {
		t.Fatalf("the draft is %s", is)
	}
	_, unsent := s.creates(p, draftOf(lan, "chưa gửi"))
	s.sql(`UPDATE phones SET blocked = 1`)
	_, err := p.Sync(t.Context())
	var refused *phone.Failure
	if !errors.As(err, &refused) || !refused.Wipe {
		t.Fatalf("the phone was to be wiped: %v", err)
	}
	s.notOnDisk(dir, secret)
	// What was never sent is handed in, and stays to be read until the person is done with it.
	edits, err := p.Edits("parked")
	if err != nil || len(edits) != 1 || edits[0].ID != unsent {
		t.Errorf("what was never sent is to stay: %v %v", edits, err)
	}
}
