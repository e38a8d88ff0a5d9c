package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestColumnsStraightAway: what is written without the encoder is what it would write.
func TestColumnsStraightAway(t *testing.T) {
	values := func(list string) (out []json.RawMessage) {
		if err := json.Unmarshal([]byte(list), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	many := make(IDs, 300)
	for i := range many {
		many[i] = strings.Repeat(string(rune('a'+i%26)), idLength)
	}
	for name, c := range map[string]Changes{
		"two prices":         {Coll: "products", IDs: many[:2], Seq: []int64{127, -4}, Set: map[string][]json.RawMessage{"price": values(`[45000,null]`)}},
		"whole":              {Coll: "products", IDs: many[:2], Seq: []int64{1 << 40, 4}, Whole: true, In: [][]int{{0, 300}, {}}, Set: map[string][]json.RawMessage{"bb": values(`["vải",-1.5]`), "a": values(`[[1,"\n"],{"b":1,"a":true}]`), "ab": values(`[1e3,false]`)}},
		"only numbers moved": {Coll: "orders", IDs: many[:1], Seq: []int64{5}},
		"of one circle":      {Coll: "orders", IDs: many, Seq: make([]int64, 300), In: [][]int{{23, 24}}, Set: map[string][]json.RawMessage{}},
		"ids of raw SQL":     {Coll: "orders", IDs: IDs{"x", "ả", strings.Repeat("y", 300)}, Seq: []int64{1, 1, 1}},
	} {
		small, err := c.binary()
		if err != nil {
			t.Fatal(err)
		}
		want, err := encoding.Marshal(small)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := c.appendTo([]byte("x")); !ok || !bytes.Equal(got, append([]byte("x"), want...)) {
			t.Errorf("%s: %.200x, %v, want %.200x", name, got, ok, want)
		}
		line, err := encoding.Marshal(&binaryLine{Changes: small})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := (Line{Changes: &c}).appendTo(nil); err != nil || !bytes.Equal(got, line) {
			t.Errorf("%s: the line is %.200x, %v, want %.200x", name, got, err, line)
		}
	}
	// What is no text is left to the encoder, which refuses or repairs it.
	for name, c := range map[string]Changes{
		"an id":    {Coll: "orders", IDs: IDs{"\xff"}, Seq: []int64{1}},
		"a name":   {Coll: "orders", IDs: many[:1], Seq: []int64{1}, Set: map[string][]json.RawMessage{"\xff": values(`[1]`)}},
		"no value": {Coll: "orders", IDs: many[:1], Seq: []int64{1}, Set: map[string][]json.RawMessage{"a": {json.RawMessage("{")}}},
	} {
		if got, ok := c.appendTo(nil); ok {
			t.Errorf("%s: %x", name, got)
		}
	}
}
