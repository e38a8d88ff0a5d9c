package regressions_test

import (
	"testing"

	"langso/sync/wire"
)

// A phone that was tampered with listed the same circle some ten thousand times
// in one ask, and for each the server read all that lies in it.
func TestACircleIsComparedOnceInAnAsk(t *testing.T) {
	s := newScene(t)
	k := s.keyed(lan)
	first, err := k.send(t.Context(), wire.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	ask := wire.Ask{Check: &wire.Check{Deep: true}}
	for _, line := range first {
		if line.Standing != nil {
			ask.Standing = line.Standing.Hash
		}
		if line.Complete != nil {
			ask.Epoch, ask.Cursor = line.Complete.Epoch, line.Complete.Cursor
		}
	}
	for range 1000 {
		ask.Check.Lists = append(ask.Check.Lists, wire.List{In: "commune", Bits: 0, Parts: []int{0}, Has: wire.Numbers{1}})
	}
	lines, err := k.send(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	drops := 0
	for _, line := range lines {
		if line.Drop != nil {
			drops++
		}
	}
	if drops != 1 {
		t.Errorf("the circle was compared %d times", drops)
	}
}

// Lan's phone lost all of a great circle. What it lacked came as one piece, which
// was more than its reader takes: it never got to the end of an answer that
// mended it.
func TestAGreatCircleIsMended(t *testing.T) {
	if testing.Short() {
		t.Skip("ten megabytes in one piece")
	}
	s := newScene(t)
	s.drafts(2600, 4000)
	p := s.damaged(`DELETE FROM records WHERE coll = 'drafts'; DELETE FROM meta WHERE key = 'sum'`)
	s.syncs(p)
	if !s.has(p, "drafts", "bulk00000002600") {
		t.Error("the phone is not mended")
	}
}
