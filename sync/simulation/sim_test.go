// Package simulation plays weeks in a small commune: phones edit at random,
// through a network that loses, repeats, holds up and cuts, against a server
// that is killed between commit and answer, restored from a backup and runs out
// of disk, while officers write in the dashboard, SQL runs, fields come and go,
// and duties and households change. What must hold is checked all along.
//
// A history is a list of steps, and every step carries its own random numbers:
// so it can be played again with steps left out. One number, the seed, decides
// the list. A history that fails is shortened as far as it still fails, and the
// command that plays it again is printed.
package simulation

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

var (
	seeds = flag.Int("seeds", 1000, "how many histories to play")
	first = flag.Uint64("seed", 1, "the first seed")
	long  = flag.Int("long", 4, "how many long histories to play")
	only  = flag.String("steps", "", "play only these steps of the one seed: \"3,17,20\"")
)

// size is how much happens in a history.
type size struct {
	people, phones, steps int
}

var (
	small = size{people: 4, phones: 5, steps: 50}
	large = size{people: 11, phones: 22, steps: 260}
)

// step is one thing that happens; its seed decides how.
type step struct {
	place int // in the list as the seed made it
	do    string
	seed  uint64
}

// history makes the steps of a seed.
func history(seed uint64, s size) []step {
	rnd := rand.New(rand.NewPCG(seed, 7))
	deck := acts(rnd)
	steps := make([]step, s.steps)
	for i := range steps {
		steps[i] = step{i, deck[rnd.IntN(len(deck))], rnd.Uint64()}
	}
	return steps
}

// TestHistories plays many short histories.
func TestHistories(t *testing.T) {
	n := *seeds
	if testing.Short() {
		n = min(n, 40)
	}
	many(t, "TestHistories", small, n)
}

// TestLongHistories plays a few with many phones and steps.
func TestLongHistories(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute")
	}
	many(t, "TestLongHistories", large, *long)
}

// lane is how many histories one parallel test plays.
const lane = 10

func many(t *testing.T, name string, s size, n int) {
	for from := 0; from < n; from += lane {
		t.Run(fmt.Sprintf("seed=%d", *first+uint64(from)), func(t *testing.T) {
			t.Parallel()
			for i := from; i < min(from+lane, n) && !t.Failed(); i++ {
				one(t, name, s, *first+uint64(i))
			}
		})
	}
}

// one plays a seed and, when it fails, the shortest list that fails too.
func one(t *testing.T, name string, s size, seed uint64) {
	steps := history(seed, s)
	if *only != "" {
		steps = chosen(steps, *only)
	}
	failures := play(t, s, seed, steps)
	if len(failures) == 0 {
		return
	}
	t.Errorf("seed %d: %s", seed, strings.Join(failures, "\n"))
	if *only == "" && os.Getenv("LANGSO_NO_SHRINK") == "" {
		steps, failures = shrink(steps, failures, func(some []step) []string { return play(t, s, seed, some) })
	}
	places := make([]string, len(steps))
	for i, x := range steps {
		places[i] = fmt.Sprint(x.place)
		t.Logf("step %d: %s", x.place, x.do)
	}
	t.Logf("the shortest fails with: %s", strings.Join(failures, "\n"))
	t.Logf("play it again: go test ./sync/simulation -run '^%s$' -seed %d -seeds 1 -long 1 -steps %s", name, seed, strings.Join(places, ","))
}

func chosen(steps []step, list string) []step {
	var out []step
	for _, x := range steps {
		for place := range strings.SplitSeq(list, ",") {
			if fmt.Sprint(x.place) == strings.TrimSpace(place) {
				out = append(out, x)
			}
		}
	}
	return out
}

// play runs these steps in a new commune and returns what failed.
func play(tb testing.TB, s size, seed uint64, steps []step) []string {
	return run(tb, func(t *trial) {
		w := newWorld(t, s, seed)
		for _, x := range steps {
			w.act(x)
			if t.Failed() {
				return
			}
		}
		w.heal()
	})
}
