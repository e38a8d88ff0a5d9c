package exchange_test

import (
	"path/filepath"
	"testing"
	"time"

	"langso/phone"
	"langso/villagetest"
)

// What may become of a phone's storage, by a bug or a bad memory chip, and what
// the next meeting makes of it. Nothing that is right is sent again.
func TestADamagedPhoneIsMended(t *testing.T) {
	tests := []struct {
		what, sql string
		deep      bool // only the content is wrong: found by the weekly comparison
		most      int  // bytes of bodies, both ways
	}{
		{"one record lost", `DELETE FROM records WHERE id = 'product00000077'`, false, 2000},
		{"one record too many", `INSERT INTO records SELECT coll, 'strange00000001', seq, circles, fields FROM records WHERE id = 'product00000077'`, false, 2000},
		{"an old number", `UPDATE records SET seq = seq - 1 WHERE id = 'product00000077'`, false, 2000},
		{"circles not understood", `UPDATE records SET circles = 'x' WHERE id = 'product00000077'`, false, 2000},
		{"in a circle too many", `UPDATE records SET circles = '["commune","market"]' WHERE id = 'product00000077'`, false, 4000},
		{"a hundred records lost", `DELETE FROM records WHERE id LIKE 'product000001__'`, false, 9000},
		{"all records lost", `DELETE FROM records`, false, 1 << 20},
		{"a bit of a price", `UPDATE records SET fields = json_set(fields, '$.price', 1) WHERE id = 'product00000077'`, true, 2500},
		{"fields not understood", `UPDATE records SET fields = '{' WHERE id = 'product00000077'`, true, 2500},
	}
	for _, tt := range tests {
		t.Run(tt.what, func(t *testing.T) {
			s := newScene(t, 1000)
			p, dir := s.phone()
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			s.damage(dir, tt.sql)
			s.damage(dir, `DELETE FROM meta WHERE key = 'sum'`)
			p = s.reopen(dir)
			if tt.deep {
				s.Clock.Add(8 * 24 * time.Hour)
			}
			r := s.sync(p)
			s.same(p)
			if r.Mismatches != 1 {
				t.Errorf("found %d differences: %+v", r.Mismatches, r)
			}
			if most := 3 + btoi(tt.deep); r.Exchanges > most {
				t.Errorf("took %d exchanges, want at most %d", r.Exchanges, most)
			}
			if r.Up+r.Down > tt.most {
				t.Errorf("took %d + %d bytes, want at most %d", r.Up, r.Down, tt.most)
			}
			if again := s.sync(p); again.Exchanges != 1 || again.Mismatches != 0 {
				t.Errorf("the next meeting compares again: %+v", again)
			}
		})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A price on Lan's phone is wrong by a bit; the administrator asks the phone to
// check itself, and its next meeting mends it. It is asked once.
func TestTheAdministratorAsksForACheck(t *testing.T) {
	s := newScene(t, 200)
	p, dir := s.phone()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	s.damage(dir, `UPDATE records SET fields = json_set(fields, '$.price', 1) WHERE id = 'product00000077'`)
	s.sql(`UPDATE phones SET deep_check = 'asked'`, nil)
	p = s.reopen(dir)
	if r := s.sync(p); r.Mismatches != 1 {
		t.Errorf("%+v", r)
	}
	s.same(p)
	if r := s.sync(p); r.Exchanges != 1 {
		t.Errorf("it is asked again: %+v", r)
	}
}

// While one phone compares, the market goes on: what changes between its
// questions is no damage.
func TestComparingInABusyMarket(t *testing.T) {
	s := newScene(t, 300)
	p, dir := s.phone()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	s.damage(dir, `DELETE FROM records WHERE id = 'product00000077'`)
	s.damage(dir, `DELETE FROM meta WHERE key = 'sum'`)
	busy := s.Network()
	busy.Fault = func() villagetest.Fault {
		return villagetest.Fault{Between: func() {
			s.sql(`UPDATE products SET price = price + 1 WHERE id IN ('product00000077', 'product00000078', 'product00000200')`, nil)
		}}
	}
	p, err := phone.Open(dir, "", phone.WithTransport(busy), phone.WithClock(s.Clock.Now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	s.sync(p)
	busy.Fault = nil
	s.sync(p)
	s.same(p)
}

// The commune's disk broke; yesterday's backup was put in. Lan's phone knows
// more than the server: it keeps all records, gets what it lacks, gives up what
// is no more, and its edit that the backup has not is done again.
func TestARestoredBackupIsComparedNotReset(t *testing.T) {
	s := newScene(t, 1000)
	p, _ := s.phone()
	s.sql(`UPDATE products SET price = 5 WHERE id = 'product00000007'`, nil)
	restore := s.backup()
	s.sql(`UPDATE products SET price = 6 WHERE id IN ('product00000007', 'product00000008')`, nil)
	s.sql(`DELETE FROM products WHERE id = 'product00000009'`, nil)
	s.sql(`INSERT INTO products (id, stall, name, price) VALUES ('late00000000001', 'stall0000000001', 'Ổi', 1)`, nil)
	if _, err := p.CreateAs("drafts", "draft0000000001", phone.Values{"person": lan, "procedure": "procedure000001", "note": "x"}); err != nil {
		t.Fatal(err)
	}
	s.sync(p)
	s.same(p)
	restore()
	s.sql(`UPDATE products SET price = 7 WHERE id = 'product00000010'`, nil)
	r := s.sync(p)
	s.same(p)
	if r.Down > 6000 {
		t.Errorf("%d bytes came down: that is no comparison", r.Down)
	}
	if _, err := s.App.FindRecordById("drafts", "draft0000000001"); err != nil {
		t.Errorf("the edit that the backup lacks was not done again: %v", err)
	}
	if again := s.sync(p); again.Exchanges != 1 {
		t.Errorf("the next meeting takes %d exchanges", again.Exchanges)
	}
}

// The mark beside the data was lost with the disk: only the phone's cursor, which
// is ahead of the server, tells that something went back in time.
func TestAPhoneAheadOfTheServerCompares(t *testing.T) {
	s := newScene(t, 200)
	p, _ := s.phone()
	s.sql(`UPDATE products SET price = 6 WHERE id = 'product00000007'`, nil)
	s.sync(p)
	s.sql(`UPDATE journal_meta SET seq = seq - 1`, nil)
	s.sql(`UPDATE journal_records SET seq = seq - 1, fields = x'' WHERE rid = 'product00000007'`, nil)
	s.sql(`UPDATE journal_entries SET seq = seq - 1 WHERE rid = 'product00000007'`, nil)
	s.sql(`UPDATE journal_circles SET n = 0, a = 0, b = 0`, nil)
	s.sql(`UPDATE journal_meta SET summed = 0`, nil)
	s.Restart(t)
	s.sql(`UPDATE products SET price = 8 WHERE id = 'product00000008'`, nil)
	s.sync(p)
	s.same(p)
}

// A phone was in a drawer for two years. What went meanwhile is forgotten by the
// server; the phone finds out by comparing, keeps what is right, and its unsent
// edit arrives.
func TestAPhoneFromTheDrawer(t *testing.T) {
	s := newScene(t, 500)
	p, _ := s.phone()
	if _, err := p.CreateAs("drafts", "draft0000000001", phone.Values{"person": lan, "procedure": "procedure000001", "note": "x"}); err != nil {
		t.Fatal(err)
	}
	s.sql(`DELETE FROM products WHERE id LIKE 'product0000001_'`, nil)
	s.sql(`UPDATE products SET price = 9 WHERE id = 'product00000400'`, nil)
	for range 3 {
		s.Clock.Add(300 * 24 * time.Hour)
		if err := s.Prune(); err != nil {
			t.Fatal(err)
		}
	}
	var left int
	if err := s.App.DB().NewQuery(`SELECT (SELECT count(*) FROM journal_entries WHERE out = 1) + (SELECT count(*) FROM journal_records WHERE gone > 0)`).Row(&left); err != nil {
		t.Fatal(err)
	}
	if left != 0 {
		t.Fatalf("%d traces of what went are still kept", left)
	}
	r := s.sync(p)
	s.same(p)
	if r.Down > 6000 {
		t.Errorf("%d bytes came down: that is no comparison", r.Down)
	}
	if _, err := s.App.FindRecordById("drafts", "draft0000000001"); err != nil {
		t.Errorf("the edit from the drawer is not there: %v", err)
	}
}

// A phone that is away for a season is told what went.
func TestWhatWentIsKeptForASeason(t *testing.T) {
	s := newScene(t, 100)
	p, _ := s.phone()
	s.sync(p) // now the server knows how far it came
	s.sql(`DELETE FROM products WHERE id LIKE 'product0000001_'`, nil)
	for range 3 {
		s.Clock.Add(30 * 24 * time.Hour)
		if err := s.Prune(); err != nil {
			t.Fatal(err)
		}
	}
	if r := s.sync(p); r.Mismatches != 0 || r.Gone != 10 {
		t.Errorf("%+v", r)
	}
	s.same(p)
}

// Lan restored her phone from a backup of its own, and went on: numbers are used
// a second time. What the server knows is not done twice, what it does not know
// is not lost.
func TestAPhoneRestoredFromItsBackup(t *testing.T) {
	s := newScene(t, 0)
	p, dir := s.phone()
	create := func(p *phone.Phone, id string) {
		t.Helper()
		if _, err := p.CreateAs("drafts", id, phone.Values{"person": lan, "procedure": "procedure000001", "note": id}); err != nil {
			t.Fatal(err)
		}
	}
	create(p, "draft0000000001")
	s.sync(p)
	create(p, "draft0000000002") // waits when the backup is made
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	copyDir(t, dir, copied)
	p = s.reopen(dir)
	create(p, "draft0000000003")
	s.sync(p)
	// The copy goes on from the backup.
	q := s.reopen(copied)
	create(q, "draft0000000004")
	if _, err := q.Change("drafts", "draft0000000004", phone.Values{"note": "sửa"}); err != nil {
		t.Fatal(err)
	}
	r := s.sync(q)
	if r.Renumbered != 2 {
		t.Errorf("%d edits got new numbers, want 2: %+v", r.Renumbered, r)
	}
	// And the first phone, which is still in use, too.
	create(p, "draft0000000005")
	s.sync(p)
	for _, id := range []string{"draft0000000001", "draft0000000002", "draft0000000003", "draft0000000004", "draft0000000005"} {
		got, err := s.App.FindRecordById("drafts", id)
		if err != nil {
			t.Errorf("%s: %v", id, err)
		} else if id == "draft0000000004" && got.GetString("note") != "sửa" {
			t.Errorf("%s: the edit that depends on another has note %q", id, got.GetString("note"))
		}
	}
	for _, x := range []*phone.Phone{p, q} {
		status, err := x.Status()
		if err != nil {
			t.Fatal(err)
		}
		if status.Waiting+status.Refused+status.Parked > 0 {
			t.Errorf("left over: %+v", status)
		}
	}
	var n, distinct int
	if err := s.App.DB().NewQuery(`SELECT count(*), count(DISTINCT n) FROM sync_verdicts`).Row(&n, &distinct); err != nil {
		t.Fatal(err)
	}
	if n != 6 || distinct != 6 {
		t.Errorf("%d edits were judged under %d numbers, want 6", n, distinct)
	}
}
