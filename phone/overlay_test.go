package phone

import (
	"bytes"
	"encoding/json"
	"testing"

	"langso/sync/wire"
)

// TestTheScreenDoesNotStepBack: the answer brings the verdict "taken" and is cut
// before it brings the record. What the person typed stays on the screen until a
// whole answer has shown what became of it.
func TestTheScreenDoesNotStepBack(t *testing.T) {
	w := written{Epoch: "e", Cursor: 5, Standing: "s", Circles: []string{"commune"},
		Records: map[string]map[string]writtenEntry{"products": {"p1": {Seq: 3, In: []string{"commune"}, Set: map[string]json.RawMessage{"price": json.RawMessage("100")}}}}}
	p := w.phone(t)
	if _, err := p.Change("products", "p1", Values{"price": 200}); err != nil {
		t.Fatal(err)
	}
	price := func() any {
		t.Helper()
		r, found, err := p.Show("products", "p1")
		if err != nil || !found {
			t.Fatal(found, err)
		}
		return r.Fields["price"]
	}
	answer := func(lines ...wire.Line) {
		t.Helper()
		text, err := wire.Write(lines)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.keep(&asking{Ask: &wire.Ask{Cursor: 5}}, wire.ReadAnswer(bytes.NewReader(text.Body)), &Report{}); err != nil {
			t.Fatal(err)
		}
	}
	mark, acked := "", int64(1)
	if got := price(); got != 200.0 {
		t.Errorf("before the answer the price is %v", got)
	}
	answer(wire.Line{Verdicts: []wire.Verdict{{N: 1, Is: wire.Taken}}, Acked: &acked}, wire.Line{Mark: &mark})
	if got := price(); got != 200.0 {
		t.Errorf("after the verdict of a cut answer the price is %v", got)
	}
	answer(wire.Line{Changes: &wire.Columns("products", []wire.Row{{ID: "p1", Seq: 9, Set: map[string]json.RawMessage{"price": json.RawMessage("250")}}})[0]},
		wire.Line{Complete: &wire.Complete{Cursor: 9, Epoch: "e"}})
	if got := price(); got != 250.0 {
		t.Errorf("after a whole answer the price is %v, want the server's", got)
	}
}
