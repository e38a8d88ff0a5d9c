package commune

import "slices"

// Difference is what an edit does to a list: what it adds, what it takes out.
type Difference struct{ Plus, Minus []any }

// ParseDifference reads {"+":[…],"-":[…]} as decoded from JSON; ok is false for
// anything else, a plain list included.
func ParseDifference(v any) (d Difference, ok bool) {
	m, is := v.(map[string]any)
	if !is || len(m) == 0 {
		return d, false
	}
	for sign, items := range m {
		list, is := items.([]any)
		switch {
		case !is:
			return Difference{}, false
		case sign == "+":
			d.Plus = list
		case sign == "-":
			d.Minus = list
		default:
			return Difference{}, false
		}
	}
	return d, true
}

// Apply returns the list with the difference made: each item once, those that
// were there first. An item that is both added and taken out is in.
func (d Difference) Apply(list []any) []any {
	out := []any{}
	put := func(items []any, skip []any) {
		for _, x := range items {
			if !has(skip, x) && !has(out, x) {
				out = append(out, x)
			}
		}
	}
	put(list, d.Minus)
	put(d.Plus, nil)
	return out
}

func has(list []any, x any) bool {
	return slices.ContainsFunc(list, func(y any) bool { return Same(x, y) })
}

// settleSet decides a list.
func settleSet(theirs, mine any, apart bool) (Settled, error) {
	stands := listOf(theirs)
	d, isDifference := ParseDifference(mine)
	switch {
	case isDifference:
	case apart:
		d = Difference{Plus: listOf(mine)} // it does not say what it took out
	default:
		return Settled{Value: mine, Write: !Same(theirs, mine)}, nil
	}
	after := d.Apply(stands)
	return Settled{Value: after, Write: !Same(stands, after), Merged: apart}, nil
}

// listOf reads a list, or the one value of a field that may hold several.
func listOf(v any) []any {
	switch x := v.(type) {
	case []any:
		return x
	case []string:
		out := make([]any, len(x))
		for i, s := range x {
			out[i] = s
		}
		return out
	}
	if Empty(v) {
		return nil
	}
	return []any{v}
}
