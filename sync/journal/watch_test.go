package journal_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

func TestWatch(t *testing.T) {
	app, j := open(t)
	var heard []string
	j.Watch(func(circles []string, seq int64) {
		slices.Sort(circles)
		heard = append(heard, fmt.Sprint(circles, seq))
	})
	expect := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(heard, want) {
			t.Errorf("%s: heard %v, want %v", what, heard, want)
		}
		heard = nil
	}
	run(t, app, `INSERT INTO houses (id, village, color) VALUES ('house0000000001', 'a', 'red'), ('house0000000002', 'b', 'red')`)
	expect("nothing is absorbed yet")
	absorb(t, app, j)
	expect("two houses", "[village:a village:b] 2")
	run(t, app, `UPDATE houses SET color = 'red'`)
	absorb(t, app, j)
	expect("nothing changed")
	run(t, app, `UPDATE houses SET village = 'b' WHERE id = 'house0000000001'`)
	absorb(t, app, j)
	expect("a house moves: both villages hear", "[village:a village:b] 3")
	run(t, app, `DELETE FROM houses WHERE id = 'house0000000002'`)
	absorb(t, app, j)
	expect("a house goes", "[village:b] 4")

	undo := errors.New("undo")
	for _, end := range []error{undo, nil} {
		err := app.RunInTransaction(func(tx core.App) error {
			run(t, tx, `UPDATE houses SET color = 'blue'`)
			if err := j.Absorb(tx, 1); err != nil {
				return err
			}
			expect("an edit that is not committed")
			return end
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
		if end != nil {
			expect("an edit that is undone")
		}
	}
	expect("an edit that is committed", "[village:b] 5")
}

// An absorption is measured whoever asks for it, in a transaction of theirs or none,
// and a look that finds nothing is not one.
func TestMeasure(t *testing.T) {
	app, j := open(t)
	absorb(t, app, j)
	n := 0
	j.Measure(func(took time.Duration) {
		if took <= 0 {
			t.Errorf("it took %v", took)
		}
		n++
	})
	for who, do := range map[string]func(){
		"the job": func() { absorb(t, app, j) },
		"a push": func() {
			if err := app.RunInTransaction(func(tx core.App) error { return j.Absorb(tx, 1) }); err != nil {
				t.Fatal(err)
			}
		},
	} {
		n = 0
		run(t, app, `INSERT INTO houses (id, village, color) VALUES (substr(hex(randomblob(8)), 1, 15), 'a', 'red')`)
		for range 2 {
			do()
		}
		if n != 1 {
			t.Errorf("%s: measured %d times, want once", who, n)
		}
	}
}
