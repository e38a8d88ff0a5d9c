package journal

import (
	"slices"
	"testing"
)

// TestWhatTheBoardCannotTell is read from the tables.
func TestWhatTheBoardCannotTell(t *testing.T) {
	b := &board{head: Head{"now", 7}, circles: map[string]top{"still": {last: 3}, "busy": {last: 7}}}
	all := []string{"busy", "nothing yet", "still"}
	for _, one := range []struct {
		name  string
		at    Head
		after int64
		want  []string
	}{
		{"a reader of the same state", Head{"now", 7}, 3, []string{"busy"}},
		{"who wants all of it", Head{"now", 7}, 0, []string{"busy", "still"}},
		{"who knows all of it", Head{"now", 7}, 7, nil},
		{"a reader that began before", Head{"now", 5}, 3, []string{"busy"}},
		{"a reader of a later state", Head{"now", 8}, 7, all},
		{"a reader of another history", Head{"then", 7}, 7, all},
	} {
		if got := b.moved(one.at, all, one.after); !slices.Equal(got, one.want) {
			t.Errorf("%s: %v, want %v", one.name, got, one.want)
		}
	}
}
