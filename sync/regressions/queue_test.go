package regressions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/sync/wire"
)

func create(n int64, id string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"n":%d,"coll":"drafts","id":%q,"create":{"person":%q,"procedure":%q,"note":"x"}}`, n, id, lan, procedure))
}

// A census-taker was in the forest for weeks: ten thousand edits go up, in their
// order, in twenty asks of one meeting, and the queue costs no more for being long.
func TestTenThousandEdits(t *testing.T) {
	s := newScene(t)
	p := s.phone(lan)
	s.syncs(p)
	many := 10_000
	if testing.Short() {
		many = 1_000
	}
	for range many {
		s.creates(p, draftOf(lan, "x"))
	}
	r := s.syncs(p)
	if !r.Complete || len(r.Verdicts) != many || r.Exchanges != many/wire.MaxEdits {
		t.Errorf("%d verdicts in %d exchanges, complete: %v", len(r.Verdicts), r.Exchanges, r.Complete)
	}
	for i, v := range r.Verdicts {
		if v.N != int64(i+1) || v.Is != wire.Taken {
			t.Fatalf("verdict %d is %+v", i+1, v)
		}
	}
	if n, err := s.App.CountRecords("drafts"); err != nil || n != int64(many) {
		t.Errorf("the server has %d drafts: %v", n, err)
	}
}

// Lan's bus went into the tunnel while the server judged her draft. The dead link
// ended the transaction, the server took that for a fault of the edit and parked
// it, and a sound draft waited for an officer.
func TestALinkThatBreaksParksNothing(t *testing.T) {
	for _, before := range []bool{true, false} {
		t.Run(fmt.Sprintf("before the record is written: %v", before), func(t *testing.T) {
			s := newScene(t)
			k := s.keyed(lan)
			link, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			s.App.OnRecordCreateExecute("drafts").BindFunc(func(e *core.RecordEvent) error {
				if before {
					hangUp()
				}
				err := e.Next()
				hangUp()
				return err
			})
			ask := wire.Ask{Edits: []json.RawMessage{create(1, draft)}}
			_, _ = k.send(link, ask) // nobody hears the answer
			lines, err := k.send(t.Context(), ask)
			if err != nil {
				t.Fatal(err)
			}
			if is := judged(lines, 1); is != wire.Taken {
				t.Errorf("the draft is %s, want taken", is)
			}
			if note := s.field("drafts", draft, "note"); note != "x" {
				t.Errorf("the draft says %q", note)
			}
		})
	}
}

// A proxy sent Lan's ask twice, and both copies were judged at once. Each had read
// how far the queue was before either wrote; the second then failed on the
// first's verdict, and Lan was told that the server is broken.
func TestTheSameAskTwiceAtOnceIsJudgedOnce(t *testing.T) {
	s := newScene(t)
	k := s.keyed(lan)
	const times = 30
	for n := range int64(times) {
		ask := wire.Ask{Edits: []json.RawMessage{create(n+1, fmt.Sprintf("draft%010d", n))}}
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				lines, err := k.send(t.Context(), ask)
				if is := judged(lines, n+1); err != nil || is != wire.Taken {
					t.Errorf("draft %d is %q: %v", n+1, is, err)
				}
			})
		}
		both.Wait()
	}
	if made, err := s.App.CountRecords("drafts"); err != nil || made != times {
		t.Errorf("%d drafts, want %d: %v", made, times, err)
	}
}

// Lan's phone said in each ask which verdicts it had stored. The server read it
// and wrote it nowhere, so that none could ever be forgotten: it would have kept
// every verdict of the commune for ever.
func TestConfirmedVerdictsAreNoted(t *testing.T) {
	s := newScene(t)
	p := s.phone(lan)
	for range 2 {
		s.creates(p, draftOf(lan, "x"))
		s.syncs(p)
	}
	var confirmed int
	if err := s.App.DB().NewQuery(`SELECT max(confirmed) FROM sync_phones`).Row(&confirmed); err != nil {
		t.Fatal(err)
	}
	if confirmed != 1 {
		t.Errorf("confirmed %d, want 1: Lan's phone has that verdict", confirmed)
	}
}
