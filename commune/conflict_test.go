package commune_test

import (
	"math"
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
		case err != nil || got != c.want:
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
