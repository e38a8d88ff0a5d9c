package commune

import (
	"slices"
	"testing"
)

func TestSources(t *testing.T) {
	domains := []Domain{{Collections: []Collection{
		{Name: "villages"},
		{Name: "households", Routes: Routes{"station": {Via: "village", Of: "villages", From: "station"}}},
	}}, {Collections: []Collection{
		{Name: "persons", Routes: Routes{"village": {Via: "household", Of: "households", From: "village"}, "chief": {Via: "boss", Of: "persons", From: "chief"}}},
		{Name: "entries", Routes: Routes{"village": {Via: "person", Of: "persons", From: "village"}, "far": {Via: "x", Of: "unheard", From: "x"}}},
	}}}
	for coll, want := range map[string][]string{
		"villages":   nil,
		"households": {"villages"},
		"persons":    {"households", "villages"},
		"entries":    {"households", "persons", "unheard", "villages"},
		"unheard":    nil,
	} {
		got := Sources(domains, coll)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", coll, got, want)
		}
	}
}
