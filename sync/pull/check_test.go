package pull_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"langso/sync/journal"
	"langso/sync/pull"
	"langso/sync/sum"
	"langso/sync/wire"
)

// place is a paper in the village as phones count it.
func place(coll, id string, seq int64) sum.Place {
	return sum.Place{Circle: "village", Coll: coll + "_x", ID: id, Seq: seq}
}

func (b *board) check(c wire.Check, now ...string) (drops, lines []wire.Line) {
	b.t.Helper()
	drops, lines, err := pull.NewRows(b.read(), pull.Phone{Now: now}, known).Check(b.t.Context(), &c)
	if err != nil {
		b.t.Fatal(err)
	}
	return drops, lines
}

// TestSumsAreCompared: a phone names the sum of what it holds.
func TestSumsAreCompared(t *testing.T) {
	b := newBoard(t)
	p1, l1, p2 := b.put("posters", "p1", "village", "họp"), b.put("letters", "l1", "lan village", "thư"), b.put("posters", "p2", "village", "hội")
	b.put("goods", "g1", "market", "vải")
	numbers := []sum.Place{place("posters", "p1", p1), place("letters", "l1", l1), place("posters", "p2", p2)}
	var right, deep sum.Sum
	for _, n := range numbers {
		right = right.Plus(n.Sum())
		text := map[string]string{"p1": "họp", "l1": "thư", "p2": "hội"}[n.ID]
		circles := map[string]string{"p1": "village", "l1": "lan village", "p2": "village"}[n.ID]
		content, err := sum.Content(map[string]json.RawMessage{"circles": json.RawMessage(`"` + circles + `"`), "text": json.RawMessage(`"` + text + `"`)})
		if err != nil {
			t.Fatal(err)
		}
		deep = deep.Plus(n.Deep(content))
	}
	bits := sum.BitsFor(3)
	list := make(wire.Numbers, 1<<bits)
	for _, n := range numbers {
		list[sum.Part(n.Coll, n.ID, bits)] += n.Sum().A
	}
	for _, c := range []struct {
		name  string
		check wire.Check
		tells bool
	}{
		{"a phone that is right", wire.Check{Sums: map[string]sum.Sum{"village": right}}, false},
		{"a phone that lacks one", wire.Check{Sums: map[string]sum.Sum{"village": right.Minus(numbers[0].Sum())}}, true},
		{"a phone that has nothing", wire.Check{Sums: map[string]sum.Sum{"village": {}}}, true},
		{"a phone that did not ask", wire.Check{}, false},
		{"a phone that asks of a circle it is not in", wire.Check{Sums: map[string]sum.Sum{"market": {}}}, false},
		{"a phone whose fields are right", wire.Check{Deep: true, Sums: map[string]sum.Sum{"village": deep}}, false},
		{"a phone with a wrong bit in a field", wire.Check{Deep: true, Sums: map[string]sum.Sum{"village": right}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			drops, lines := b.check(c.check, "lan", "village")
			if len(drops) > 0 || len(lines) > 1 || (len(lines) == 1) != c.tells {
				t.Fatalf("%v, %v", drops, lines)
			}
			if !c.tells {
				return
			}
			s := lines[0].Sums
			if s == nil || s.In != "village" || s.Bits != bits || len(s.List) != 1<<bits || !c.check.Deep && !slices.Equal(s.List, list) {
				t.Errorf("%+v, want %d bits, %v", s, bits, list)
			}
		})
	}
}

// TestListsAreMended: a phone lists what it has in some parts of a circle.
func TestListsAreMended(t *testing.T) {
	b := newBoard(t)
	p1, l1, p2 := b.put("posters", "p1", "village", "họp"), b.put("letters", "l1", "lan village", "thư"), b.put("posters", "p2", "village", "hội")
	b.put("goods", "g1", "market", "vải")
	a := func(p sum.Place) uint32 { return p.Sum().A }
	letter, poster, other := a(place("letters", "l1", l1)), a(place("posters", "p1", p1)), a(place("posters", "p2", p2))
	const l1Row, p1Row, p2Row = "l1 whole in [0 1] {circles:lan village,text:thư}", "p1 whole in [1] {circles:village,text:họp}", "p2 whole in [1] {circles:village,text:hội}"
	part := sum.Part("posters_x", "p1", 12)
	if part == sum.Part("posters_x", "p2", 12) || part == sum.Part("letters_x", "l1", 12) {
		t.Fatal("p1 is not alone in its part")
	}
	for _, c := range []struct {
		name  string
		lists []wire.List
		drop  []int
		rows  []string
	}{
		{"all is right", []wire.List{{In: "village", Parts: []int{0}, Has: wire.Numbers{letter, poster, other}}}, nil, nil},
		{"one is lost", []wire.List{{In: "village", Parts: []int{0}, Has: wire.Numbers{letter, other}}}, nil, []string{"| " + p1Row}},
		{"all is lost", []wire.List{{In: "village", Parts: []int{0}}}, nil, []string{"| " + l1Row, "--", "| " + p1Row, p2Row}},
		{"one too many", []wire.List{{In: "village", Parts: []int{0}, Has: wire.Numbers{letter, 7, poster, other}}}, []int{1}, nil},
		{"an old number", []wire.List{{In: "village", Parts: []int{0}, Has: wire.Numbers{letter, poster, a(place("posters", "p2", p2-1))}}}, []int{2}, []string{"| " + p2Row}},
		{"only of its part", []wire.List{{In: "village", Bits: 12, Parts: []int{part}}}, nil, []string{"| " + p1Row}},
		{"a part of nothing", []wire.List{{In: "village", Bits: 12, Parts: []int{part ^ 1}}}, nil, nil},
		{"no part", []wire.List{{In: "village"}}, nil, nil},
		{"a circle it is not in", []wire.List{{In: "market", Parts: []int{0}, Has: wire.Numbers{7}}}, nil, nil},
		{"too many parts", []wire.List{{In: "village", Bits: 13, Parts: []int{2 * part, 2*part + 1}, Has: wire.Numbers{7}}}, nil, nil},
		{"fewer parts than one", []wire.List{{In: "village", Bits: -1, Parts: []int{0}, Has: wire.Numbers{7}}}, nil, nil},
		{"the same circle twice: only once", []wire.List{{In: "village", Bits: 12, Parts: []int{part}}, {In: "village", Parts: []int{0}, Has: wire.Numbers{7}}}, nil, []string{"| " + p1Row}},
		{"two circles", []wire.List{{In: "village", Bits: 12, Parts: []int{part}}, {In: "lan", Parts: []int{0}, Has: wire.Numbers{7}}}, []int{0}, []string{"| " + p1Row, "--", "| " + l1Row}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			drops, lines := b.check(wire.Check{Lists: c.lists}, "lan", "village")
			var at []int
			for _, d := range drops {
				at = append(at, d.Drop.At...)
			}
			if len(drops) > 1 || !slices.Equal(at, c.drop) {
				t.Errorf("dropped %v, want %v", drops, c.drop)
			}
			var rows []string
			for _, l := range lines {
				rows = append(rows, saying(t, l)...)
			}
			b.same("mended", rows, c.rows...)
		})
	}
}

// TestADeepListOfAGreatCircle: as many records as do not fit one look at the
// table, in two collections, each with its content.
func TestADeepListOfAGreatCircle(t *testing.T) {
	b := newBoard(t)
	const posters, letters = 600, 300
	for coll, n := range map[string]int{"posters": posters, "letters": letters} {
		b.sql(fmt.Sprintf(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)
			INSERT INTO %s_x (id, circles, text) SELECT printf('%s%%04d', i), 'village', 'x' || i FROM c`, n, coll, coll[:1]))
	}
	members, err := b.read().Members(t.Context(), "village")
	if err != nil {
		t.Fatal(err)
	}
	if len(members) != posters+letters || !slices.IsSortedFunc(members, func(a, b journal.Member) int { return strings.Compare(a.Coll+" "+a.ID, b.Coll+" "+b.ID) }) {
		t.Fatalf("%d members, or out of order", len(members))
	}
	var has wire.Numbers
	var deep sum.Sum
	for _, m := range members {
		text := strings.TrimLeft(m.ID[1:], "0")
		content, err := sum.Content(map[string]json.RawMessage{"circles": json.RawMessage(`"village"`), "text": json.RawMessage(`"x` + text + `"`)})
		if err != nil {
			t.Fatal(err)
		}
		n := sum.Place{Circle: "village", Coll: m.Coll, ID: m.ID, Seq: m.Seq}.Deep(content)
		has, deep = append(has, n.A), deep.Plus(n)
	}
	if drops, lines := b.check(wire.Check{Deep: true, Sums: map[string]sum.Sum{"village": deep}}, "village"); len(drops)+len(lines) > 0 {
		t.Errorf("a phone that is right is told %v, %v", drops, lines)
	}
	if drops, lines := b.check(wire.Check{Deep: true, Lists: []wire.List{{In: "village", Parts: []int{0}, Has: has}}}, "village"); len(drops)+len(lines) > 0 {
		t.Errorf("a list that is right is answered %v, %v", drops, lines)
	}
	has[letters+300]++ // a bit of one field
	drops, lines := b.check(wire.Check{Deep: true, Lists: []wire.List{{In: "village", Parts: []int{0}, Has: has}}}, "village")
	if len(drops) != 1 || !slices.Equal(drops[0].Drop.At, []int{letters + 300}) || len(lines) != 1 || len(lines[0].Changes.IDs) != 1 || lines[0].Changes.IDs[0] != "p0301" {
		t.Errorf("%v, %v", drops, lines)
	}
}

// TestMendedRowsComeInChunks that every reader takes.
func TestMendedRowsComeInChunks(t *testing.T) {
	b := newBoard(t)
	const bytes = 4000
	row := 30 + len("circles") + len(`"village"`) + 4 + len("text") + bytes + 2 + 4
	perChunk := (256<<10 + row - 1) / row
	rows := 2*perChunk + 5
	for coll, n := range map[string]int{"posters": rows, "letters": perChunk - 2} {
		b.sql(fmt.Sprintf(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)
			INSERT INTO %s_x (id, circles, text) SELECT printf('%s%%04d', i), 'village', hex(zeroblob(%d)) FROM c`, n, coll, coll[:1], bytes/2))
	}
	chunks := func(known pull.Collections) (got []string) {
		_, lines, err := pull.NewRows(b.read(), pull.Phone{Now: []string{"village"}}, known).Check(t.Context(), &wire.Check{Lists: []wire.List{{In: "village", Parts: []int{0}}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			switch {
			case l.Changes != nil:
				got = append(got, fmt.Sprint(len(l.Changes.IDs), " ", l.Changes.Coll))
			case l.Mark != nil:
				got = append(got, "--"+*l.Mark)
			}
		}
		return got
	}
	b.same("of one rank", chunks(pull.Collections{Rank: func(string) int { return 0 }}),
		fmt.Sprint(perChunk-2, " letters_x"), "2 posters_x", "--",
		fmt.Sprint(perChunk, " posters_x"), "--",
		fmt.Sprint(perChunk, " posters_x"), "--",
		"3 posters_x")
	b.same("of two ranks", chunks(known),
		fmt.Sprint(perChunk-2, " letters_x"), "--",
		fmt.Sprint(perChunk, " posters_x"), "--",
		fmt.Sprint(perChunk, " posters_x"), "--",
		"5 posters_x")
}
