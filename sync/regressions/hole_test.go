package regressions_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"langso/sync/wire"
)

// An ask had a hole in the middle of its numbers. What stood before the hole was
// done, but "up to here" was not written down with it: sent again it was judged
// again, and the stock sank twice.
func TestAHoleInAnAskForgetsNothingBeforeIt(t *testing.T) {
	s := newScene(t)
	s.sells(10)
	k := s.keyed(lan)
	sale := func(n int64) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"n":%d,"base":0,"at":"2026-11-24T00:00:00Z","coll":"products","id":"%s","add":{"stock":-1}}`, n, product))
	}
	if _, err := k.send(t.Context(), wire.Ask{Edits: []json.RawMessage{sale(1), sale(3)}}); err != nil {
		t.Fatal(err)
	}
	if stock := s.field("products", product, "stock"); stock != "9" {
		t.Fatalf("stock %s, want 9", stock)
	}
	lines, err := k.send(t.Context(), wire.Ask{Edits: []json.RawMessage{sale(1), sale(2), sale(3)}})
	if err != nil {
		t.Fatal(err)
	}
	if is := judged(lines, 3); is != wire.Taken {
		t.Errorf("edit 3 is %q", is)
	}
	if stock := s.field("products", product, "stock"); stock != "7" {
		t.Errorf("stock %s, want 7", stock)
	}
}
