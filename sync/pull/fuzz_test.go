package pull

import (
	"testing"

	"langso/sync/journal"
	"langso/sync/wire"
)

// FuzzToken: a token that a phone made up leads to no place ahead of the state
// and, read and written, stays what it is.
func FuzzToken(f *testing.F) {
	f.Add(place{upTo: [classes]int64{1, 2, 3, 4, 5}, seen: 9}.token("epoch", wire.StandingHash([]string{"commune"})), int64(10))
	f.Add("1.2.3", int64(0))
	f.Add("-1.0.0.0.zzzzzzzzzzzzz.x.epoch", int64(1))
	f.Fuzz(func(t *testing.T, token string, seq int64) {
		at := journal.Head{Epoch: "epoch", Seq: seq}
		now := []string{"commune"}
		from := resume(Phone{Resume: token, Now: now}, at)
		if from.seen > 0 && from.seen > seq {
			t.Fatalf("%q goes on at %d of %d", token, from.seen, seq)
		}
		if !Fits(token, at) {
			return
		}
		p, standing, epoch, _ := parse(token)
		if standing != wire.StandingHash(now) {
			return
		}
		q, _, _, ok := parse(p.token(epoch, wire.StandingHash(now)))
		if !ok || p != q {
			t.Fatalf("%q is %v and then %v", token, p, q)
		}
	})
}
