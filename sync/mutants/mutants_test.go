package mutants

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	sample = flag.Int("mutants", 0, "how many mutants to try; 0: none")
	seed   = flag.Uint64("seed", 1, "which")
	limit  = flag.Duration("limit", 4*time.Minute, "how long the tests may take on one")
)

// broken are the folders that are broken, and judges the tests that must notice.
var (
	broken = []string{"../journal", "../push", "../pull", "../exchange"}
	judges = []string{"test", "-short", "-failfast", "./sync/journal", "./sync/push", "./sync/pull", "./sync/exchange", "./phone", "./sync/regressions", "./sync/simulation"}
)

func TestMutants(t *testing.T) {
	if *sample == 0 {
		t.Skip("with -mutants N")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	type place struct {
		file string
		k    int
	}
	var all []place
	for _, dir := range broken {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			n, err := Count(f)
			if err != nil {
				t.Fatal(err)
			}
			for k := range n {
				all = append(all, place{f, k})
			}
		}
	}
	rnd := rand.New(rand.NewPCG(*seed, 0))
	rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	dead, alive, unborn := 0, 0, 0
	for _, p := range all[:min(*sample, len(all))] {
		m, err := Make(p.file, p.k)
		if err != nil {
			t.Fatal(err)
		}
		became := fate(t, root, m)
		t.Logf("%s: %s", became, m.What)
		switch became {
		case "dead":
			dead++
		case "unborn":
			unborn++
		default:
			alive++
		}
	}
	t.Logf("%d possible; of %d tried %d died, %d live, %d do not compile", len(all), dead+alive+unborn, dead, alive, unborn)
	if dead*100 < (dead+alive)*95 {
		t.Errorf("%d of %d died, less than 95 %%", dead, dead+alive)
	}
}

// fate runs the tests over a mutant: dead, alive, or unborn when it does not compile.
func fate(t *testing.T, root string, m Mutant) string {
	t.Helper()
	dir := t.TempDir()
	file, err := filepath.Abs(m.File)
	if err != nil {
		t.Fatal(err)
	}
	body := filepath.Join(dir, "mutant.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{file: body}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := errors.Join(os.WriteFile(body, m.Source, 0o600), os.WriteFile(list, overlay, 0o600)); err != nil {
		t.Fatal(err)
	}
	own := "./sync/" + filepath.Base(filepath.Dir(file))
	for _, args := range [][]string{{"build", "-overlay", list, own}, append([]string{judges[0], "-overlay", list}, judges[1:]...)} {
		ctx, stop := context.WithTimeout(context.Background(), *limit)
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir, cmd.Env = root, append(os.Environ(), "LANGSO_NO_SHRINK=1")
		err := cmd.Run()
		stop()
		switch {
		case err != nil && args[0] == "build":
			return "unborn"
		case err != nil:
			return "dead"
		}
	}
	return "alive"
}

// TestMake: a mutant differs from the source in its one place.
func TestMake(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.go")
	const source = `package a

func f(a, b int) int {
	if a < b && err != nil {
		a++
		return a + b
	}
	return 0
}
`
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := Count(file)
	if err != nil || n != 4 {
		t.Fatalf("%d mutants (%v), want 4: &&, <, ++ and +", n, err)
	}
	seen := map[string]bool{}
	for k := range n {
		m, err := Make(file, k)
		if err != nil {
			t.Fatal(err)
		}
		if seen[string(m.Source)] || string(m.Source) == source {
			t.Errorf("mutant %d is no other: %s", k, m.Source)
		}
		seen[string(m.Source)] = true
	}
}
