package simulation

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"langso/phone"
	"langso/villagetest"
)

// TestACutAtEveryByte breaks one exchange, with verdicts, losses and changes in
// it, after every number of bytes that its answer can have. The next meeting
// makes the phone whole, and the edit is done once.
func TestACutAtEveryByte(t *testing.T) {
	t.Parallel()
	failures := run(t, func(t *trial) {
		w := newWorld(t, small, 5)
		m := w.phones[2]
		m.calm = true
		w.rnd = rand.New(rand.NewPCG(1, 2))
		w.sync(m)
		w.happens("guardian", m)
		w.happens("office sets price", m)
		v, id := w.word(m), w.id()
		n, err := m.CreateAs(notes, id, phone.Values{"person": m.person, "procedure": procedure, "note": v})
		w.must(err)
		w.makes(m, n, notes, id, v)
		w.must(m.Close())
		before, err := villagetest.ReadFolder(m.dir)
		w.must(err)
		for at, whole := 0, false; !whole; at++ {
			dir := t.TempDir()
			w.must(before.Write(dir))
			network := w.server.Network()
			whole = true
			network.Fault = func() villagetest.Fault {
				return villagetest.Fault{Cut: func(length int) int { whole = whole && at >= length; return at }}
			}
			p, err := phone.Open(dir, "", phone.WithTransport(network), phone.WithClock(w.server.Clock.Now))
			w.must(err)
			_, err = p.Sync(context.Background())
			if err == nil != whole && !errors.Is(err, phone.ErrCut) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("cut after %d bytes: %v", at, err)
			}
			network.Fault = nil
			cut := &member{Phone: p, name: "the cut phone", person: m.person, dir: dir, typed: m.typed, seen: m.seen}
			w.sync(cut)
			edits, err := p.Edits("taken")
			w.must(err)
			if len(edits) != 1 || edits[0].N != n {
				t.Errorf("cut after %d bytes: the taken edits are %v", at, edits)
			}
			w.must(p.Close())
			if t.Failed() {
				return
			}
		}
	})
	for _, f := range failures {
		t.Error(f)
	}
}
