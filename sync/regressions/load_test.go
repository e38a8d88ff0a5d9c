package regressions_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
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
	const crowd = 48
	for name, before := range map[string]func(*scene){
		"after a restart":         restarted,
		"after everyone's change": renamed,
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			phones := make([]*keyed, crowd)
			asks := make([]wire.Ask, crowd)
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
			before(s)
			s.sql(`UPDATE villages SET name = 'Thôn mới'`)

			patience, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			var all sync.WaitGroup
			var answered atomic.Int64
			for i, k := range phones {
				all.Go(func() {
					lines, err := k.send(patience, asks[i])
					if err == nil && next(lines).Cursor > asks[i].Cursor {
						answered.Add(1)
					}
				})
			}
			all.Wait()
			if n := answered.Load(); n != crowd {
				t.Errorf("%d of %d phones heard of the village's new name", n, crowd)
			}
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
