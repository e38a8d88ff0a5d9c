package commune_test

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"langso/commune"
)

func TestSettle(t *testing.T) {
	for _, c := range []struct {
		name         string
		policy       commune.Policy
		theirs, mine any
		apart        bool
		want         commune.Settled
		refused      string
		parked       string
	}{
		{name: "alone", policy: commune.Merge, theirs: "a", mine: "b", want: commune.Settled{Value: "b", Write: true}},
		{name: "apart, the later stays", policy: commune.Merge, theirs: "a", mine: "b", apart: true, want: commune.Settled{Value: "b", Write: true, Merged: true}},
		{name: "the same apart is no conflict", policy: commune.Merge, theirs: "a", mine: "a", apart: true, want: commune.Settled{Value: "a"}},
		{name: "absent is zero", policy: commune.Merge, theirs: nil, mine: "", apart: true, want: commune.Settled{Value: nil}},

		{name: "two sell", policy: commune.SumAbove(0), theirs: 5.0, mine: -2.0, apart: true, want: commune.Settled{Value: 3.0, Write: true, Merged: true}},
		{name: "to the floor", policy: commune.SumAbove(0), theirs: 2.0, mine: -2.0, want: commune.Settled{Value: 0.0, Write: true}},
		{name: "the last kilo", policy: commune.SumAbove(0), theirs: 1.0, mine: -2.0, apart: true, refused: "stock_short"},
		{name: "bringing more to what is below", policy: commune.SumAbove(0), theirs: -3.0, mine: 1.0, want: commune.Settled{Value: -2.0, Write: true}},
		{name: "beyond all numbers", policy: commune.SumAbove(0), theirs: math.MaxFloat64, mine: math.MaxFloat64, refused: "bad_number"},

		{name: "greater", policy: commune.Max, theirs: 3.0, mine: 5.0, apart: true, want: commune.Settled{Value: 5.0, Write: true, Merged: true}},
		{name: "smaller", policy: commune.Max, theirs: 5.0, mine: 3.0, apart: true, want: commune.Settled{Value: 5.0, Merged: true}},
		{name: "equal", policy: commune.Max, theirs: 5.0, mine: 5.0, apart: true, want: commune.Settled{Value: 5.0}},

		{name: "smaller", policy: commune.Min, theirs: 5.0, mine: 3.0, apart: true, want: commune.Settled{Value: 3.0, Write: true, Merged: true}},
		{name: "not smaller", policy: commune.Min, theirs: 3.0, mine: 5.0, apart: true, want: commune.Settled{Value: 3.0, Merged: true}},
		{name: "as small", policy: commune.Min, theirs: 3.0, mine: 3.0, apart: true, want: commune.Settled{Value: 3.0}},
		{name: "the first of all", policy: commune.Min, theirs: nil, mine: 5.0, want: commune.Settled{Value: 5.0, Write: true}},

		{name: "a plain list alone", policy: commune.Set, theirs: list("a", "b"), mine: list("c"), want: commune.Settled{Value: list("c"), Write: true}},
		{name: "a plain list apart takes nothing out", policy: commune.Set, theirs: list("a", "b"), mine: list("a", "c"), apart: true, want: commune.Settled{Value: list("a", "b", "c"), Write: true, Merged: true}},
		{name: "one adds, one took out", policy: commune.Set, theirs: list("b"), mine: difference(list("c"), nil), apart: true, want: commune.Settled{Value: list("b", "c"), Write: true, Merged: true}},
		{name: "one takes out, one added", policy: commune.Set, theirs: list("a", "b"), mine: difference(nil, list("a")), apart: true, want: commune.Settled{Value: list("b"), Write: true, Merged: true}},
		{name: "added twice", policy: commune.Set, theirs: list("a"), mine: difference(list("a"), nil), apart: true, want: commune.Settled{Value: list("a"), Merged: true}},
		{name: "to what is empty", policy: commune.Set, theirs: nil, mine: difference(list("a"), list("z")), want: commune.Settled{Value: list("a"), Write: true}},

		{name: "first", policy: commune.FirstWins, theirs: "", mine: "b", want: commune.Settled{Value: "b", Write: true}},
		{name: "second", policy: commune.FirstWins, theirs: "a", mine: "b", apart: true, want: commune.Settled{Value: "a", Merged: true}},
		{name: "second, with base", policy: commune.FirstWins, theirs: "a", mine: "b", want: commune.Settled{Value: "a", Merged: true}},

		{name: "asked of nobody", policy: commune.Ask, theirs: "a", mine: "b", want: commune.Settled{Value: "b", Write: true}},
		{name: "asked of a person", policy: commune.Ask, theirs: "a", mine: "b", apart: true, parked: "needs_person"},
		{name: "agreed apart", policy: commune.Ask, theirs: "a", mine: "a", apart: true, want: commune.Settled{Value: "a"}},

		{name: "steps", policy: commune.Steps, theirs: "a", mine: "b", refused: "by_action_only"},
		{name: "append only", policy: commune.AppendOnly, theirs: "a", mine: "b", refused: "append_only"},
	} {
		got, err := c.policy.Settle("field", c.theirs, c.mine, c.apart)
		switch refusal, parking := commune.Refused(err), commune.Parked(err); {
		case c.refused != "":
			if refusal == nil || refusal.Code != c.refused || refusal.Sentence == "" {
				t.Errorf("%s: error %v, want refusal %s", c.name, err, c.refused)
			}
		case c.parked != "":
			if parking == nil || parking.Code != c.parked || refusal != nil {
				t.Errorf("%s: error %v, want parking %s", c.name, err, c.parked)
			}
		case err != nil || !reflect.DeepEqual(got, c.want):
			t.Errorf("%s: settled %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
}

// Sum and max do not ask who came first, as long as no floor is met.
func FuzzSumAndMaxCommute(f *testing.F) {
	f.Add(int32(10), int32(-2), int32(-3))
	f.Add(int32(0), int32(5), int32(5))
	f.Fuzz(func(t *testing.T, start, a, b int32) {
		for _, p := range []commune.Policy{commune.SumAbove(math.Inf(-1)), commune.Max} {
			x := float64(start)
			if ab, ba := both(t, p, x, a, b), both(t, p, x, b, a); ab != ba {
				t.Errorf("%v: %d then %d on %g gives %v, the other way %v", p, a, b, x, ab, ba)
			}
		}
	})
}

func both(t *testing.T, p commune.Policy, stands any, edits ...int32) any {
	t.Helper()
	for _, e := range edits {
		s, err := p.Settle("n", stands, float64(e), true)
		if err != nil {
			t.Fatalf("settle %v: %v", p, err)
		}
		stands = s.Value
	}
	return stands
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b any
		want bool
	}{
		{"one and one", 1, 1.0, true},
		{"absent and empty list", nil, []any{}, true},
		{"absent and empty text", nil, "", true},
		{"zero and false", 0, false, true},
		{"objects by content", map[string]any{"a": 1, "b": 2}, map[string]any{"b": 2.0, "a": 1.0}, true},
		{"one and its text", 1, "1", false},
		{"order of a list", []any{1, 2}, []any{2, 1}, false},
	} {
		if got := commune.Same(c.a, c.b); got != c.want {
			t.Errorf("%s: same %v, want %v", c.name, got, c.want)
		}
	}
}

func list(items ...string) any {
	out := make([]any, len(items))
	for i, x := range items {
		out[i] = x
	}
	return out
}

func difference(plus, minus any) any {
	d := map[string]any{}
	if plus != nil {
		d["+"] = plus
	}
	if minus != nil {
		d["-"] = minus
	}
	return d
}

// Differences of different items do not ask who came first.
func FuzzSetsCommute(f *testing.F) {
	f.Add("ab", "c", "a", "d", "b")
	f.Fuzz(func(t *testing.T, start, plus1, minus1, plus2, minus2 string) {
		one, two := difference(letters(plus1), letters(minus1)), difference(letters(plus2), letters(minus2))
		for _, x := range plus1 + minus1 {
			if slices.Contains([]rune(plus2+minus2), x) {
				t.Skip("of one item the later says")
			}
		}
		after := func(edits ...any) map[any]bool {
			stands := letters(start)
			for _, e := range edits {
				got, err := commune.Set.Settle("tags", stands, e, true)
				if err != nil {
					t.Fatal(err)
				}
				stands = got.Value
			}
			in := map[any]bool{}
			for _, x := range stands.([]any) {
				in[x] = true
			}
			return in
		}
		if ab, ba := after(one, two), after(two, one); !reflect.DeepEqual(ab, ba) {
			t.Errorf("%v then %v gives %v, the other way %v", one, two, ab, ba)
		}
	})
}

func letters(s string) any {
	out := []any{}
	for _, r := range s {
		out = append(out, string(r))
	}
	return out
}

// TestParseDifference: only what is meant as a difference is one.
func TestParseDifference(t *testing.T) {
	for _, c := range []struct {
		name string
		v    any
		ok   bool
	}{
		{"both signs", map[string]any{"+": []any{"a"}, "-": []any{"b"}}, true},
		{"one sign", map[string]any{"-": []any{"b"}}, true},
		{"a plain list", []any{"a"}, false},
		{"nothing", map[string]any{}, false},
		{"another key", map[string]any{"+": []any{"a"}, "x": []any{}}, false},
		{"no list", map[string]any{"+": "a"}, false},
	} {
		if _, ok := commune.ParseDifference(c.v); ok != c.ok {
			t.Errorf("%s: %v, want %v", c.name, ok, c.ok)
		}
	}
}

// TestSettlers: who decides, unless a collection says.
func TestSettlers(t *testing.T) {
	for _, c := range []struct {
		name string
		coll commune.Collection
		want string
	}{
		{"the officers among the writers", commune.Collection{Write: commune.Circles{commune.Person("p"), commune.Station("s"), commune.Duty("onestop")}}, "station(s), duty:onestop"},
		{"the stall", commune.Collection{Write: commune.Circles{commune.Stall("stall")}}, "stall(stall)"},
		{"no officer writes it", commune.Collection{Write: commune.Circles{commune.Person("p")}}, "person(p)"},
		{"it says", commune.Collection{Write: commune.Circles{commune.Station("s")}, Settle: commune.Circles{commune.Duty("doctor")}}, "duty:doctor"},
		{"nobody writes it", commune.Collection{}, ""},
	} {
		if got := c.coll.Settlers().String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
