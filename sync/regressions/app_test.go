package regressions_test

import (
	"path/filepath"
	"testing"

	"langso/phone"
)

// Lan's phone got a new program, said so once, and the server was killed before the
// minute was over in which it writes such things: it showed the old program until
// Lan's next edit.
func TestANewProgramIsKnownAtOnce(t *testing.T) {
	s := newScene(t)
	dir := filepath.Join(t.TempDir(), "phone")
	if err := s.PhoneAt(t, dir, lan, nil).Close(); err != nil {
		t.Fatal(err)
	}
	road := s.Network()
	opened := func(app string) *phone.Phone {
		p, err := phone.Open(dir, "", phone.WithTransport(road), phone.WithClock(s.Clock.Now), phone.WithApp(app))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close() })
		return p
	}
	knows := func(app string) {
		t.Helper()
		var got string
		if err := s.App.DB().NewQuery(`SELECT app FROM phones WHERE person = '` + lan + `'`).Row(&got); err != nil || got != app {
			t.Errorf("the server knows %q, %v, want %q", got, err, app)
		}
	}
	p := opened("langso/1")
	s.syncs(p)
	knows("langso/1")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p = opened("langso/2")
	s.syncs(p) // and nothing else
	knows("langso/2")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}

	// The same by a neighbour's phone.
	p = opened("langso/3")
	if err := p.Greet(t.Context()); err != nil {
		t.Fatal(err)
	}
	bundle, err := p.Pack()
	if err != nil {
		t.Fatal(err)
	}
	neighbour := s.Phone(t, tu, nil)
	if _, err := neighbour.Carry(bundle.File); err != nil {
		t.Fatal(err)
	}
	if _, err := neighbour.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	knows("langso/3")
}
