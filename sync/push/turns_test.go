package push_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/push"
	"langso/sync/wire"
)

// crowd is a scene whose first ask is being committed while others come.
type crowd struct {
	*scene
	inside, goOn chan struct{} // the first is in its transaction; it may end
	mu           sync.Mutex
	commits      map[string]*core.TxAppInfo // by what was written, the last time
}

func newCrowd(t *testing.T) *crowd {
	c := &crowd{scene: newScene(t), inside: make(chan struct{}), goOn: make(chan struct{}), commits: map[string]*core.TxAppInfo{}}
	hall := board
	hall.Actions = append([]commune.Action{{Name: "hall.wait", Title: "Chờ", By: "anyone", Do: func(*commune.Call) error {
		close(c.inside)
		<-c.goOn
		return nil
	}}}, board.Actions...)
	c.judge = push.Judge{App: c.App, Journal: c.Journal, Domains: []commune.Domain{hall}}
	c.App.OnRecordCreate("announcements").BindFunc(func(e *core.RecordEvent) error {
		c.mu.Lock()
		c.commits[e.Record.GetString("title")] = e.App.TxInfo()
		c.mu.Unlock()
		return e.Next()
	})
	return c
}

// come has phones 2, 3 … send an ask each, in this order, while the first is inside,
// and returns what they were answered.
func (c *crowd) come(asks ...[]string) []push.Outcome {
	c.t.Helper()
	var working sync.WaitGroup
	out := make([]push.Outcome, len(asks)+1)
	send := func(i int, edits []string) {
		var raw []json.RawMessage
		for _, e := range edits {
			raw = append(raw, json.RawMessage(e))
		}
		p := push.Phone{ID: fmt.Sprintf("phone%010d", i+1), No: int64(i + 1)}
		author := commune.Author{Person: "lan000000000000", Phone: p.ID, Circles: []commune.Circle{commune.Commune}}
		var err error
		if out[i], err = c.judge.Push(context.Background(), p, author, raw, c.Clock.Now(), 0); err != nil {
			c.t.Error(err)
		}
	}
	for i := range asks {
		c.sql(fmt.Sprintf(`INSERT INTO sync_phones (no, phone) VALUES (%d, 'phone%010d')`, i+2, i+2))
	}
	working.Go(func() { send(0, []string{`{"n":1,"do":"hall.wait","args":{}}`}) })
	<-c.inside
	for i, edits := range asks {
		working.Go(func() { send(i+1, edits) })
		for c.judge.Waiting() <= i {
			runtime.Gosched()
		}
	}
	close(c.goOn)
	working.Wait()
	return out
}

// writes is an edit numbered n, whose record is another for each phone.
func writes(phone, n int) string {
	return fmt.Sprintf(`{"n":%d,"coll":"announcements","id":"note%05d%06d","create":{"title":"%d/%d"}}`, n, phone, n, phone, n)
}

func TestAsksThatComeTogetherShareACommit(t *testing.T) {
	c := newCrowd(t)
	out := c.come([]string{writes(2, 1), writes(2, 2)}, []string{writes(3, 1)}, []string{writes(4, 1)})
	for i, o := range out[1:] {
		if o.Acked == 0 || int(o.Acked) != len(o.Verdicts) {
			t.Errorf("phone %d: acked %d with %d verdicts", i+2, o.Acked, len(o.Verdicts))
		}
		for _, v := range o.Verdicts {
			if v.Is != wire.Taken {
				t.Errorf("phone %d: %+v", i+2, v)
			}
		}
	}
	if a, b := c.commits["2/1"], c.commits["4/1"]; a == nil || a != b {
		t.Error("three asks that waited were committed one by one")
	}
	// Who wrote what is not mixed up: another's change is one apart, one's own is not.
	for _, of := range []int{2, 3, 4} {
		state, err := c.Journal.State(c.App, "announcements", fmt.Sprintf("note%05d%06d", of, 1))
		if err != nil {
			t.Fatal(err)
		}
		for by := int64(2); by <= 4; by++ {
			if apart := state.Apart("title", 0, by); apart == (int(by) == of) {
				t.Errorf("the note of phone %d is apart for phone %d: %v", of, by, apart)
			}
		}
	}
}

// One ask's edit fails when it has written already: the others' edits are taken
// all the same, and nothing of it stays.
func TestAnAskThatFailsGoesAlone(t *testing.T) {
	c := newCrowd(t)
	out := c.come([]string{writes(2, 1)}, []string{writes(3, 1), `{"n":2,"do":"board.half","args":{}}`, writes(3, 3)}, []string{writes(4, 1)})
	want := []wire.Is{wire.Taken, wire.Refused, wire.Taken}
	for i, o := range out[1:] {
		for k, v := range o.Verdicts {
			if v.Is != want[k] {
				t.Errorf("phone %d: %+v, want %s", i+2, v, want[k])
			}
		}
	}
	if len(out[2].Verdicts) != 3 || len(out[1].Verdicts) != 1 || len(out[3].Verdicts) != 1 {
		t.Errorf("verdicts %+v", out)
	}
	if n := c.count(); n != 4 {
		t.Errorf("%d announcements stand, want 4", n)
	}
	if c.commits["2/1"] == c.commits["4/1"] {
		t.Error("who was beside one that failed shares a commit still")
	}
}
