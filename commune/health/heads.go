package health

import (
	"maps"
	"slices"
)

// Entry is what Heads looks at: an entry and what it amends.
type Entry struct {
	ID     string
	Amends []string
}

// Heads returns the ids of the entries that no other of them amends, sorted:
// what a reader shows. It depends on the set alone; order, repetition and
// entries that have not come yet do not matter.
func Heads(entries []Entry) []string {
	heads := map[string]bool{}
	for _, e := range entries {
		heads[e.ID] = true
	}
	for _, e := range entries {
		for _, id := range e.Amends {
			if id != e.ID {
				delete(heads, id)
			}
		}
	}
	return slices.Sorted(maps.Keys(heads))
}
