package phone

import (
	"encoding/json"
	"strings"
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
	answer := func(lines ...string) {
		t.Helper()
		if _, err := p.keep(&wire.Ask{Cursor: 5}, strings.NewReader(strings.Join(lines, "\n")+"\n"), &Report{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := price(); got != 200.0 {
		t.Errorf("before the answer the price is %v", got)
	}
	answer(`{"verdicts":[{"n":1,"is":"taken"}],"acked":1}`)
	if got := price(); got != 200.0 {
		t.Errorf("after the verdict of a cut answer the price is %v", got)
	}
	answer(`{"changes":{"coll":"products","rows":[{"id":"p1","seq":9,"set":{"price":250}}]}}`, `{"complete":{"cursor":9,"epoch":"e"}}`)
	if got := price(); got != 250.0 {
		t.Errorf("after a whole answer the price is %v, want the server's", got)
	}
}
