package simulation

import (
	"slices"
	"testing"
)

// shrink leaves out steps as long as the rest still fails, by halves, quarters
// and so on (Zeller's ddmin). At most tries histories are played.
func shrink(steps []step, failures []string, play func([]step) []string) ([]step, []string) {
	const tries = 150
	played := 0
	for parts := 2; len(steps) > 1 && played < tries; {
		length := (len(steps) + parts - 1) / parts
		shorter := false
		for from := 0; from < len(steps) && played < tries; from += length {
			rest := slices.Concat(steps[:from], steps[min(from+length, len(steps)):])
			played++
			if f := play(rest); len(f) > 0 {
				steps, failures, shorter = rest, f, true
				break
			}
		}
		switch {
		case shorter:
			parts = max(parts-1, 2)
		case length == 1:
			return steps, failures
		default:
			parts = min(2*parts, len(steps))
		}
	}
	return steps, failures
}

func TestShrink(t *testing.T) {
	all := make([]step, 50)
	for i := range all {
		all[i] = step{place: i}
	}
	at := func(x int) func(step) bool { return func(s step) bool { return s.place == x } }
	got, why := shrink(all, []string{"first"}, func(some []step) []string {
		if slices.ContainsFunc(some, at(7)) && slices.ContainsFunc(some, at(41)) {
			return []string{"again"}
		}
		return nil
	})
	if len(got) != 2 || got[0].place != 7 || got[1].place != 41 || why[0] != "again" {
		t.Errorf("shrunk to %v (%v), want 7 and 41", got, why)
	}
}
