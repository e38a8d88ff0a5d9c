package mutants

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// small is a program of which every break shows in what it prints.
const small = `package main

import "errors"

type ledger struct{ entries []int }

func (l *ledger) note(n int, flagged bool) error {
	if n < 0 {
		return errors.New("below zero")
	}
	if err := error(nil); err != nil {
		return err
	}
	if flagged && n > 10 || len(l.entries) == 3 {
		l.entries = append(l.entries, max(n, 11), n-1)
	}
	switch {
	case flagged:
		return nil
	}
	l.entries = append(l.entries, n+1)
	return nil
}

func main() {
	for _, n := range []int{-1, 0, 3, 9, 10, 11, 12, 13, 0, 5} {
		for _, flagged := range []bool{false, true} {
			l := ledger{}
			if err := l.note(n, flagged); err != nil {
				println(err.Error())
			}
			l.entries = append(l.entries, 1, 2)
			if l.note(n, !flagged) == nil {
				println("fine")
			}
			for _, e := range l.entries {
				print(e, " ")
			}
			println(n, flagged)
		}
	}
}
`

// TestEachBreakShows: the planted program does what the program does, and with
// each break something else.
func TestEachBreakShows(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module small\n\ngo 1.26\n")
	write("main.go", small)
	sources, all, err := Plant(dir, ".")
	if err != nil {
		t.Fatal(err)
	}
	breaks := map[string]int{}
	for i, m := range all {
		breaks[m.What]++
		if m.N != i+1 || m.File != "main.go" || !strings.Contains(strings.Split(small, "\n")[m.Line-1], strings.Split(m.Code, " ")[0]) {
			t.Errorf("%+v is not there", m)
		}
	}
	for _, what := range []string{"never", "left out", "became its opposite", "< became <=", "> became >=", "&& became ||", "|| became &&", "== became !=", "+ became -", "- became +", "max became min"} {
		if breaks[what] == 0 {
			t.Errorf("no break of the kind %q", what)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": overlaid(t, t.TempDir(), sources)})
	if err != nil {
		t.Fatal(err)
	}
	write("overlay.json", string(overlay))
	build := exec.Command("go", "build", "-overlay", "overlay.json", "-o", "planted", ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	prints := func(mutant int) string {
		cmd := exec.Command(filepath.Join(dir, "planted"))
		cmd.Env = append(os.Environ(), "LANGSO_MUTANT="+strconv.Itoa(mutant))
		out, _ := cmd.CombinedOutput() // a panic is something else, too
		return string(out)
	}
	sound := prints(0)
	if !strings.Contains(sound, "below zero") {
		t.Fatalf("it prints %q", sound)
	}
	for _, m := range all {
		if prints(m.N) == sound {
			t.Errorf("nothing is broken by %s", m)
		}
	}
}
