package exchange

import (
	"encoding/json"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// TestShape: who has an edit that was not known hears when the server knows more,
// though nothing else is new; nobody else hears of shapes.
func TestShape(t *testing.T) {
	s := newSquare(t)
	ask := s.complete()
	s.says("nobody asks", s.serve(ask), "complete")
	ask.Edits = []json.RawMessage{[]byte(`{"n":1,"do":"square.fly"}`)}
	first := s.serve(ask)
	s.says("an unknown action", first, "shape, verdicts 1parkedunknown_action acked 1, complete")
	s.says("sent again", s.serve(ask), "verdicts 1knownunknown_action acked 1, complete")
	ask.Edits, ask.Shape = nil, first[0].Shape
	s.says("nothing is new", s.serve(ask), "complete")
	if _, idle, err := s.idle(t.Context(), Phone{ID: teller, Person: lan}, &ask, s.now); err != nil || !idle {
		t.Errorf("with a shape that is right it is not idle: %v", err)
	}
	ask.Shape = "?"
	s.says("who does not know it", s.serve(ask), "shape, complete")
	coll, err := s.app.FindCollectionByNameOrId("announcements")
	if err != nil {
		t.Fatal(err)
	}
	coll.Fields.Add(&core.TextField{Name: "secret", Hidden: true})
	if err := s.app.Save(coll); err != nil {
		t.Fatal(err)
	}
	ask.Shape = first[0].Shape
	s.says("a field of the server's own", s.serve(ask), "complete")
	coll.Fields.Add(&core.TextField{Name: "place"})
	if err := s.app.Save(coll); err != nil {
		t.Fatal(err)
	}
	s.says("a field for all", s.serve(ask), "shape, complete")
	ask.Shape, ask.Epoch = "?", "other"
	s.says("another history: that stands first", s.serve(ask), "compare, shape, verdicts acked 1, complete")
}
