package regressions_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"langso/sync/wire"
)

// In the morning the power came back and every phone of the village asked at once.
// Each exchange held a database connection while it waited for a second one, to
// look up its person's standing: with all taken, none ever got it.
func TestManyPhonesAtOnceAreAllAnswered(t *testing.T) {
	restarted := func(s *scene) { s.Restart(s.t) }
	renamed := func(s *scene) { s.sql(`UPDATE persons SET name = name || '.'`) }
	for name, c := range map[string]struct {
		phones int
		after  func(*scene)
	}{
		"a few after a restart":             {6, restarted},
		"a village after a restart":         {48, restarted},
		"a village after everyone's change": {48, renamed},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			phones := make([]*keyed, c.phones)
			asks := make([]wire.Ask, c.phones)
			for i := range phones {
				person := fmt.Sprintf("person%09d", i)
				s.person(person, home)
				phones[i] = s.keyed(person)
			}
			for i, k := range phones {
				lines, err := k.send(t.Context(), wire.Ask{})
				if err != nil {
					t.Fatal(err)
				}
				asks[i] = next(lines)
			}
			c.after(s)
			s.sql(`UPDATE villages SET name = 'Thôn mới'`)

			patience, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var all sync.WaitGroup
			for i, k := range phones {
				all.Go(func() {
					if lines, err := k.send(patience, asks[i]); err != nil {
						t.Errorf("phone %d: %v", i, err)
					} else if next(lines).Cursor <= asks[i].Cursor {
						t.Errorf("phone %d did not hear of the village's new name", i)
					}
				})
			}
			all.Wait()
		})
	}
}

// next is what a phone asks after an answer that it took whole.
func next(lines []wire.Line) (ask wire.Ask) {
	for _, line := range lines {
		switch {
		case line.Standing != nil:
			ask.Standing = line.Standing.Hash
		case line.Complete != nil:
			ask.Cursor, ask.Epoch = line.Complete.Cursor, line.Complete.Epoch
		}
	}
	return ask
}
