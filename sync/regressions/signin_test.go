package regressions_test

import (
	"path/filepath"
	"testing"

	"langso/phone"
	"langso/sync/wire"
	"langso/villagetest"
)

// signsOutUnheard signs a phone out on a road that loses the answer: the server
// has forgotten the phone, the phone does not know.
func (s *scene) signsOutUnheard(p *phone.Phone, road *villagetest.Network) {
	s.t.Helper()
	road.Fault = func() villagetest.Fault { return villagetest.Fault{Lose: true} }
	if err := p.SignOut(s.t.Context(), true); err == nil {
		s.t.Fatal("the answer was to be lost")
	}
	road.Fault = nil
}

// Lan signed out of the family's phone, and the answer was lost. The server knew
// the phone no longer and refused every later sign-out: Lan's records could not
// be got off it.
func TestALostSignOutCanBeRepeated(t *testing.T) {
	s := newScene(t)
	s.put("drafts", draft, draftOf(lan, secret))
	road := s.Network()
	dir := filepath.Join(t.TempDir(), "phone")
	p := s.PhoneAt(t, dir, lan, road)
	s.syncs(p)
	s.signsOutUnheard(p, road)
	if err := p.SignOut(t.Context(), true); err != nil {
		t.Errorf("signing out again: %v", err)
	}
	if s.has(p, "drafts", draft) {
		t.Error("Lan's draft is still on the phone")
	}
	s.notOnDisk(dir, secret)
}

// Lan's sign-out was lost and she signed in again: to the server a new phone,
// whose queue begins at 1. It asked for everything from there on, and the sale
// that the old phone had sent was done a second time.
func TestSigningInAgainRepeatsNoSale(t *testing.T) {
	s := newScene(t)
	s.sells(10)
	road := s.Network()
	p := s.Phone(t, lan, road)
	s.syncs(p)
	s.sale(p, 2)
	s.syncs(p)
	s.signsOutUnheard(p, road)
	_, id := s.creates(p, draftOf(lan, "một"))
	s.signIn(p, lan)
	s.changes(p, "drafts", id, phone.Values{"note": "hai"})
	s.syncs(p)
	if stock := s.field("products", product, "stock"); stock != "8" {
		t.Errorf("stock %s, want 8: two pieces were sold once", stock)
	}
	if note := s.field("drafts", id, "note"); note != "hai" {
		t.Errorf("the draft that was unsent says %q", note)
	}
}

// Lan gave her phone to Tú with drafts unsent. Tú signed in, and Lan's drafts went
// up signed by Tú, were judged as his and refused.
func TestTheNextPersonSendsNothingOfTheLast(t *testing.T) {
	s := newScene(t)
	road := s.Network()
	p := s.Phone(t, lan, road)
	s.syncs(p)
	_, id := s.creates(p, draftOf(lan, "của Lan"))
	s.changes(p, "drafts", id, phone.Values{"note": "vẫn của Lan"})
	s.signsOutUnheard(p, road)
	s.signIn(p, tu)
	if r := s.syncs(p); len(r.Verdicts) > 0 {
		t.Errorf("Lan's edits were judged as Tú's: %+v", r.Verdicts)
	}
	if s.has(p, "drafts", id) {
		t.Error("Tú sees Lan's draft")
	}
	held, err := p.Edits("held")
	if err != nil {
		t.Fatal(err)
	}
	if len(held) != 2 {
		t.Errorf("%d edits are held, want Lan's two", len(held))
	}
	n, _ := s.creates(p, draftOf(tu, "của Tú"))
	if is := s.verdict(s.syncs(p), n); is != wire.Taken {
		t.Errorf("Tú's own draft is %s", is)
	}
}
