package journal

import (
	"fmt"
	"testing"
)

// TestWhatWasReadLately is given again at its very number only, in its history, while
// its collection is what it was; and what nobody asks for goes.
func TestWhatWasReadLately(t *testing.T) {
	c := &recent{}
	sh := &shape{no: 3}
	vai := &Record{ID: "vai", Seq: 7, shape: sh}
	c.put("now", sh, map[string]*Record{"vai": vai})
	for _, one := range []struct {
		name  string
		epoch string
		sh    *shape
		id    string
		seq   int64
		want  *Record
	}{
		{"at its number", "now", sh, "vai", 7, vai},
		{"at a later one", "now", sh, "vai", 8, nil},
		{"at an earlier one", "now", sh, "vai", 6, nil},
		{"in another history", "then", sh, "vai", 7, nil},
		{"after its collection was saved", "now", &shape{no: 3}, "vai", 7, nil},
		{"in another collection", "now", &shape{no: 4}, "vai", 7, nil},
		{"another record", "now", sh, "oi", 7, nil},
	} {
		if got := c.get(one.epoch, one.sh, one.id, one.seq); got != one.want {
			t.Errorf("%s: %v, want %v", one.name, got, one.want)
		}
	}
	for i := range 3 * mostRecent { // all of them new, and one that is asked for now and then
		id := fmt.Sprint(i)
		c.put("now", sh, map[string]*Record{id: {ID: id, Seq: 1, shape: sh}})
		if i%100 == 0 && c.get("now", sh, "vai", 7) != vai {
			t.Fatalf("forgotten after %d others", i)
		}
		if n := len(c.young) + len(c.old); n > 2*mostRecent {
			t.Fatalf("%d are remembered", n)
		}
	}
	if c.get("now", sh, "0", 1) != nil {
		t.Error("the first of thousands is remembered")
	}
	c.put("then", sh, nil)
	if c.get("now", sh, "vai", 7) != nil || c.get("then", sh, "vai", 7) != nil {
		t.Error("a record of another history is remembered")
	}
}
