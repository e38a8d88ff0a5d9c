package server

import (
	"testing"
	"time"
)

// One comparison of a phone, however many exchanges it takes, is one mismatch and one
// repair; what a change of history explains is none.
func TestOneComparisonIsCountedOnce(t *testing.T) {
	differs, listed, both, excused := round{differs: true}, round{listed: true}, round{differs: true, listed: true}, round{excused: true}
	for who, c := range map[string]struct {
		rounds              []round
		apart               time.Duration // between them
		mismatches, repairs int
	}{
		"a phone that is right":                        {[]round{{}, {}, {}}, time.Minute, 0, 0},
		"a damaged record":                             {[]round{differs, listed}, time.Second, 1, 1},
		"three rounds over a bad road":                 {[]round{differs, differs, listed, listed, differs, listed}, time.Second, 1, 1},
		"sums and lists in one ask":                    {[]round{both}, 0, 1, 1},
		"sums that differ and agree when asked again":  {[]round{differs, {}}, time.Second, 1, 0},
		"a restored backup":                            {[]round{excused, differs, listed, differs}, time.Second, 0, 0},
		"damage on another day":                        {[]round{differs, listed, differs, listed}, 24 * time.Hour, 2, 2},
		"a phone that never comes right":               {[]round{differs, listed, differs, listed, differs, listed}, 4 * time.Minute, 2, 2},
		"damage a day after a restored backup":         {[]round{excused, differs, listed}, 24 * time.Hour, 1, 1},
		"a check that is cut off and goes on in a bus": {[]round{differs, listed}, time.Hour, 1, 1},
	} {
		var all compared
		now := time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)
		mismatches, repairs := 0, 0
		for _, r := range c.rounds {
			all.note("another", round{differs: true}, now) // each phone is counted by itself
			m, p := all.note("phone", r, now)
			if m {
				mismatches++
			}
			if p {
				repairs++
			}
			now = now.Add(c.apart)
		}
		if mismatches != c.mismatches || repairs != c.repairs {
			t.Errorf("%s: %d mismatches, %d repairs, want %d, %d", who, mismatches, repairs, c.mismatches, c.repairs)
		}
		if all.forget(now.Add(oneComparison)); len(all.phones) != 0 {
			t.Errorf("%s: it is remembered for ever", who)
		}
	}
}
