package snapshot_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"langso/phone"
	"langso/villagetest"
)

// signsIn is a phone that was signed in by the counter's QR, which told it of the file.
func (s *scene) signsIn(n *villagetest.Network) *phone.Phone {
	s.t.Helper()
	p, err := phone.Open(filepath.Join(s.t.TempDir(), "phone"), "http://commune.test", phone.WithTransport(n), phone.WithClock(s.Clock.Now))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = p.Close() })
	if err := p.SignInByInvitation(s.t.Context(), s.Invitation(s.t, lan), ""); err != nil {
		s.t.Fatal(err)
	}
	return p
}

func TestTheSignInNamesTheFile(t *testing.T) {
	for name, c := range map[string]struct {
		before    func(s *scene, p *phone.Phone)
		exchanges int
	}{
		"file, ask": {func(*scene, *phone.Phone) {}, 2},
		"life went on": {func(s *scene, _ *phone.Phone) {
			s.sql(`UPDATE products SET price = 1 WHERE id = 'product00000007'`, nil)
			s.sql(`DELETE FROM products WHERE id = 'product00000008'`, nil)
		}, 2},
		"an edit waits: it does not wait for the file": {func(s *scene, p *phone.Phone) {
			if _, _, err := p.Create("orders", phone.Values{"buyer": lan}); err != nil {
				s.t.Fatal(err)
			}
		}, 3},
		"the file came by card": {func(s *scene, p *phone.Phone) {
			if _, _, err := p.Load(s.card()); err != nil {
				s.t.Fatal(err)
			}
		}, 1},
		"the file is no more": {func(s *scene, _ *phone.Phone) {
			if err := os.Remove(s.card()); err != nil {
				s.t.Fatal(err)
			}
		}, 4},
		"another history": {func(s *scene, _ *phone.Phone) {
			s.sql(`UPDATE journal_meta SET epoch = 'another'`, nil)
		}, 2},
		"no stall is Lan's any more": {func(s *scene, _ *phone.Phone) {
			s.sql(`UPDATE persons SET household = ''`, nil)
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, 600)
			p := s.signsIn(s.Network())
			c.before(s, p)
			r := s.sync(p)
			if s.holds(p); r.Exchanges != c.exchanges {
				t.Errorf("%d exchanges, want %d: %+v", r.Exchanges, c.exchanges, r)
			}
			if r := s.sync(p); r.Exchanges != 1 || r.Changed != 0 {
				t.Errorf("and then nothing new: %+v", r)
			}
		})
	}
}

// The road breaks before the first ask: what came of the file is kept.
func TestTheOfferedFileInPieces(t *testing.T) {
	s := newScene(t, 1500)
	n := s.Network()
	p := s.signsIn(n)
	n.Down.Store(0)
	n.Fault = func() villagetest.Fault { return villagetest.Fault{Cut: func(size int) int { return min(size, 3000) }} }
	for i := 0; ; i++ {
		r, err := p.Sync(t.Context())
		if r.Complete {
			break
		}
		if !errors.Is(err, phone.ErrCut) || i > 100 {
			t.Fatalf("%+v %v", r, err)
		}
	}
	s.holds(p)
	q := s.Network()
	whole := s.signsIn(q)
	q.Down.Store(0)
	s.sync(whole)
	if broken, unbroken := n.Down.Load(), q.Down.Load(); float64(broken) > 1.05*float64(unbroken) {
		t.Errorf("%d bytes over a road that breaks, %d over a good one", broken, unbroken)
	}
}

// Somebody else signs in on the same phone: the offer of before is void.
func TestAnOfferGoesWithThePhone(t *testing.T) {
	s := newScene(t, 600)
	s.Put(t, "persons", "tu0000000000000", map[string]any{"name": "Tú", "household": "household000001", "status": "active"})
	p := s.signsIn(s.Network())
	id := s.Put(t, "phones", "", map[string]any{"person": "tu0000000000000", "label": "Máy thử", "public_key": "ed25519:AAAA"})
	if err := p.Adopt(id, "tu0000000000000"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sync(t.Context()); err == nil {
		t.Fatal("a phone that nobody knows")
	}
	if all, err := p.Held("products"); err != nil || len(all) > 0 {
		t.Errorf("it got the file of before: %d products, %v", len(all), err)
	}
}
