package regressions_test

import (
	"strings"
	"testing"

	"langso/phone"
	"langso/sync/wire"
)

// Lan put a refused draft right and pasted so much text that it was too large to
// store. The old edit had been put aside by then, nothing took its place, and
// what she had written was gone.
func TestAFixThatCannotBeStoredLosesNothing(t *testing.T) {
	s := newScene(t)
	p := s.phone(lan)
	s.syncs(p)
	n, _ := s.creates(p, draftOf(tu, "việc quan trọng"))
	if is := s.verdict(s.syncs(p), n); is != wire.Refused {
		t.Fatalf("a draft for Tú is %s", is)
	}
	if _, err := p.Fix(n, draftOf(lan, strings.Repeat("x", wire.MaxEdit+1))); err == nil {
		t.Fatal("the fix was to be too large")
	}
	left, err := p.Edits("refused")
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || left[0].N != n {
		t.Errorf("refused edits are %+v, want edit %d", left, n)
	}
}

// Lan's draft was refused; she went on writing in it before she saw that, then
// put it right. What she had written in between waited for the refused edit, not
// for its repair, and was parked for ever.
func TestWhatWasTypedBeforeAFixFollowsIt(t *testing.T) {
	s := newScene(t)
	p := s.phone(lan)
	s.syncs(p)
	n, id := s.creates(p, draftOf(tu, "trước"))
	if is := s.verdict(s.syncs(p), n); is != wire.Refused {
		t.Fatalf("a draft for Tú is %s", is)
	}
	s.changes(p, "drafts", id, phone.Values{"note": "sau"})
	if _, err := p.Fix(n, phone.Values{"person": lan}); err != nil {
		t.Fatal(err)
	}
	s.syncs(p)
	s.syncs(p)
	if note := s.field("drafts", id, "note"); note != "sau" {
		t.Errorf("the draft says %q, want what Lan wrote last", note)
	}
}

// Lan sold five pieces when there were three, and corrected the sale to three.
// The correction was stored as a plain change of the stock beside the old
// difference, an edit that the server refuses whatever the numbers.
func TestAFixedSaleStaysADifference(t *testing.T) {
	s := newScene(t)
	s.sells(3)
	p := s.phone(lan)
	s.syncs(p)
	n := s.sale(p, 5)
	if is := s.verdict(s.syncs(p), n); is != wire.Refused {
		t.Fatalf("the sale of five is %s", is)
	}
	again, err := p.Fix(n, phone.Values{"stock": -3})
	if err != nil {
		t.Fatal(err)
	}
	if is := s.verdict(s.syncs(p), again); is != wire.Taken {
		t.Errorf("the sale of three is %s", is)
	}
	if stock := s.field("products", product, "stock"); stock != "0" {
		t.Errorf("stock %s, want 0", stock)
	}
}
