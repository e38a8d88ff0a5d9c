package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
)

// What a column holds comes back, whichever way it was written.
func TestColumnsOfASnapshot(t *testing.T) {
	ids := make(IDs, 40)
	for i := range ids {
		ids[i] = fmt.Sprintf("%015d", i*i+7)
	}
	text := func(f func(i int) any) (out []json.RawMessage) {
		for i := range ids {
			raw, err := json.Marshal(f(i))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, raw)
		}
		return out
	}
	for name, c := range map[string]struct {
		column []json.RawMessage
		way    string
	}{
		"a grade":                  {text(func(i int) any { return []any{"A", "B", nil}[i%3] }), `"of":["A","B",null]`},
		"forty grades of eighty":   {text(func(i int) any { return fmt.Sprint(i) }), `["0","1"`},
		"a price":                  {text(func(i int) any { return 1000 * (i + 1) }), `"digits"`},
		"a price that may be none": {text(func(i int) any { return []any{nil, 1000 * (i + 1)}[i%2] }), `"digits"`},
		"a weight":                 {text(func(i int) any { return float64(i) + 0.5 }), `[0.5,`},
		"a debt":                   {text(func(i int) any { return -i - 1 }), `[-1,`},
		"a number too great":       {text(func(i int) any { return 1e15 + float64(i) }), `[1000000000000000,`},
		"a record of the file":     {text(func(i int) any { return string(ids[39-i]) }), `"of":"goods"`},
		"a record or none":         {text(func(i int) any { return []any{nil, string(ids[i])}[i%2] }), `"of":"goods"`},
		"records of elsewhere":     {text(func(i int) any { return fmt.Sprintf("x%014d", i) }), `["x000`},
		"lists":                    {text(func(i int) any { return []string{fmt.Sprint(i)} }), `[["0"],`},
		"one text":                 {text(func(int) any { return "kg" }), `"of":["kg"]`},
		"a text like < and &":      {text(func(i int) any { return fmt.Sprint("<&>", i) }), `["`},
	} {
		in := Changes{Coll: "goods", IDs: ids, Seq: make([]int64, len(ids)), Whole: true, In: [][]int{{0}}, Set: map[string][]json.RawMessage{"x": c.column}}
		plain, err := WriteSnapshot(SnapshotHead{V: SnapshotVersion, Epoch: "e", Circles: []string{"market"}, Seq: 9}, []Changes{in})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(plain, []byte(c.way)) {
			t.Errorf("%s is not written as %s: %s", name, c.way, plain)
		}
		_, parts, err := ReadSnapshot(plain)
		if err != nil || len(parts) != 1 || !reflect.DeepEqual(parts[0], in) {
			t.Errorf("%s came back as %v: %v", name, parts, err)
		}
	}
}

// Numbers in the order of ids need not ascend.
func TestNumbersOfASnapshot(t *testing.T) {
	ids := make(IDs, 20)
	for i := range ids {
		ids[i] = fmt.Sprintf("%015d", i)
	}
	for name, seq := range map[string]func(i int) int64{
		"ascending":  func(i int) int64 { return 5 },
		"descending": func(i int) int64 { return map[bool]int64{true: 1000}[i == 0] - int64(i) },
	} {
		in := Changes{Coll: "goods", IDs: ids, Seq: make([]int64, len(ids)), Whole: true, Set: map[string][]json.RawMessage{}}
		for i := range ids {
			in.Seq[i] = seq(i)
		}
		plain, err := WriteSnapshot(SnapshotHead{V: SnapshotVersion, Epoch: "e", Circles: []string{"market"}, Seq: 9}, []Changes{in})
		if err != nil {
			t.Fatal(err)
		}
		if _, parts, err := ReadSnapshot(plain); err != nil || !reflect.DeepEqual(parts[0].Seq, in.Seq) {
			t.Errorf("%s: %v: %v", name, parts, err)
		}
	}
}

// A card of a few bytes does not fill a phone's memory.
func TestASnapshotThatSwells(t *testing.T) {
	line := fmt.Sprintf(`{"packed":{"coll":"a","steps":"%s","seq":[%s0],"set":{"x":{"at":"%s","of":["%s"]}}}}`,
		bytes.Repeat([]byte("0"), idLength*4000), bytes.Repeat([]byte("0,"), 3999), bytes.Repeat([]byte("0"), 4000), bytes.Repeat([]byte("x"), 1<<20))
	_, _, err := ReadSnapshot([]byte(`{"snapshot":{"v":2,"epoch":"e","circles":["market"],"seq":1}}` + "\n" + line + "\n"))
	if !errors.Is(err, ErrSnapshot) {
		t.Errorf("taken: %v", err)
	}
}

// FuzzReadSnapshot: what is taken is written and read again as the same rows.
func FuzzReadSnapshot(f *testing.F) {
	head := `{"snapshot":{"v":2,"epoch":"e","circles":["market"],"seq":9}}` + "\n"
	f.Add([]byte(head + `{"packed":{"coll":"a","ids":["p","q"],"seq":[4,-3],"in":[[0]],"set":{"name":["x",null],"n":{"digits":"0110"},"g":{"at":"01","of":["y","z"]}}}}` + "\n"))
	f.Add([]byte(head + `{"packed":{"coll":"a","steps":"000000000000000000000000000001","seq":{"digits":"21"},"set":{"a":{"at":"12","of":"a"}}}}`))
	f.Fuzz(func(t *testing.T, plain []byte) {
		head, parts, err := ReadSnapshot(plain)
		if err != nil {
			return
		}
		text := func(parts []Changes) (out []string) {
			for _, c := range parts {
				rows, err := c.Rows()
				if err != nil {
					return []string{"columns that do not fit"}
				}
				for _, r := range rows {
					out = append(out, fmt.Sprintf("%s %s", c.Coll, jsonOf(t, r)))
				}
			}
			return out
		}
		again, err := WriteSnapshot(*head, parts)
		if err != nil {
			return // a value that is no JSON text
		}
		if want := text(parts); len(want) > 0 && want[0] != "columns that do not fit" {
			_, parts, err := ReadSnapshot(again)
			if got := text(parts); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s\nbecame\n%s: %v", want, got, err)
			}
		}
	})
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
