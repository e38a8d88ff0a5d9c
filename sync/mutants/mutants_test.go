package mutants

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	sample = flag.Int("mutants", 0, "how many mutants to try; 0: none")
	seed   = flag.Uint64("seed", 1, "which")
	match  = flag.String("match", "", "only those whose line of the list matches this expression")
	limit  = flag.Duration("limit", 20*time.Second, "how long the tests of one package may take on one, beside six times what they take unbroken")
	hands  = flag.Int("hands", 2, "how many are tried at once")
	keep   = flag.String("keep", "", "a folder to keep the compiled tests and what they come by in, for the next run")
	near   = flag.Bool("near", false, "ask only the tests of the broken package itself")
)

// broken are the packages that are broken; judges those whose tests must notice,
// after the tests of the broken package itself.
var (
	broken = []string{"./sync/journal", "./sync/push", "./sync/pull", "./sync/exchange"}
	judges = []string{"./sync/exchange", "./sync/push", "./sync/journal", "./sync/pull", "./phone", "./sync/regressions", "./sync/simulation"}
	flags  = map[string][]string{"./sync/simulation": {"-seeds", "25"}}
)

// TestMutants breaks the engine and reports what was noticed.
func TestMutants(t *testing.T) {
	if *sample == 0 {
		t.Skip("with -mutants N")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sources, all, err := Plant(root, broken...)
	if err != nil {
		t.Fatal(err)
	}
	total := len(all)
	equal := equivalents(t, all)
	rnd := rand.New(rand.NewPCG(*seed, 0))
	rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	chosen := regexp.MustCompile(*match)
	all = slices.DeleteFunc(all, func(m Mutant) bool { return !chosen.MatchString(m.String()) })
	all = all[:min(*sample, len(all))]
	if *near {
		judges = slices.DeleteFunc(judges, func(j string) bool { return !slices.ContainsFunc(all, func(m Mutant) bool { return own(m) == j }) })
	}
	c := &court{t: t, root: root, dir: *keep}
	if c.dir == "" {
		c.dir = t.TempDir()
	}
	c.compile(sources)
	c.rehearse()

	var mu sync.Mutex
	dead, alive, same := 0, 0, 0
	work := make(chan Mutant)
	var crew sync.WaitGroup
	for range *hands {
		crew.Go(func() {
			for m := range work {
				fate := "equivalent: " + equal[m.N]
				if equal[m.N] == "" {
					fate = c.judge(m)
				}
				mu.Lock()
				switch {
				case equal[m.N] != "":
					same++
				case strings.HasPrefix(fate, "killed"):
					dead++
				default:
					alive++
				}
				t.Logf("%s → %s", m, fate)
				mu.Unlock()
			}
		})
	}
	for _, m := range all {
		work <- m
	}
	close(work)
	crew.Wait()
	t.Logf("%d possible; of %d tried %d died (%.1f %%), %d live, %d change nothing", total, len(all), dead, 100*float64(dead)/float64(max(1, dead+alive)), alive, same)
	if dead*100 < (dead+alive)*95 {
		t.Errorf("%d of %d died, less than 95 %%", dead, dead+alive)
	}
}

// equivalents finds the listed ones, by number; one that is nowhere is told.
func equivalents(t *testing.T, all []Mutant) map[int]string {
	t.Helper()
	reasons := map[int]string{}
	for _, e := range Equivalents() {
		at := slices.IndexFunc(all, e.is)
		if at < 0 {
			t.Errorf("equivalent.txt lists what is not there (any more): %+v", e)
		}
		if e.Why == "" {
			t.Errorf("equivalent.txt gives no reason for %+v", e)
		}
		for _, m := range all {
			if e.is(m) {
				reasons[m.N] = e.Why
			}
		}
	}
	return reasons
}

// court has the compiled tests of all judges.
type court struct {
	t     *testing.T
	root  string
	dir   string // the compiled tests are here
	tests []trial
}

// trial is one test, with the places of breaks it comes by.
type trial struct {
	Judge, Name string
	Passes      []int // in order
	Took        time.Duration
}

func (c *court) binary(judge string) string {
	return filepath.Join(c.dir, strings.ReplaceAll(judge[2:], "/", "_")+".test")
}

// overlaid writes sources aside and tells the compiler where: Replace of its -overlay.
func overlaid(t *testing.T, dir string, sources []Source) map[string]string {
	t.Helper()
	replace := map[string]string{}
	for i, s := range sources {
		replace[s.File] = filepath.Join(dir, fmt.Sprintf("planted%d.go", i))
		if err := os.WriteFile(replace[s.File], s.Text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return replace
}

func (c *court) compile(sources []Source) {
	c.t.Helper()
	overlay, err := json.Marshal(map[string]any{"Replace": overlaid(c.t, c.dir, sources)})
	if err != nil {
		c.t.Fatal(err)
	}
	list := filepath.Join(c.dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		c.t.Fatal(err)
	}
	for _, judge := range judges {
		cmd := exec.Command("nice", "go", "test", "-c", "-overlay", list, "-o", c.binary(judge), judge)
		cmd.Dir = c.root
		if out, err := cmd.CombinedOutput(); err != nil {
			c.t.Fatalf("compile %s: %v\n%s", judge, err, out)
		}
	}
}

// run runs some tests of a judge; the variables say under what break. A test
// that takes all memory is stopped like one that never ends.
func (c *court) run(judge, tests string, within time.Duration, more []string, env ...string) (string, error) {
	args := append([]string{"-c", `ulimit -v 4000000; exec nice "$0" "$@"`, c.binary(judge), "-test.short", "-test.failfast", "-test.timeout", within.String(), "-test.run", tests}, more...)
	cmd := exec.Command("sh", append(args, flags[judge]...)...)
	cmd.Dir = filepath.Join(c.root, judge)
	cmd.Env = append(append(os.Environ(), "LANGSO_NO_SHRINK=1"), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// rehearse runs each test once, unbroken, to learn where it comes by.
func (c *court) rehearse() {
	c.t.Helper()
	for _, judge := range judges {
		compiled, err := os.ReadFile(c.binary(judge))
		if err != nil {
			c.t.Fatal(err)
		}
		kept := fmt.Sprintf("%s.%x.json", c.binary(judge), sha256.Sum256(compiled))
		var trials []trial
		if text, err := os.ReadFile(kept); err != nil || json.Unmarshal(text, &trials) != nil {
			trials = c.rehearsal(judge)
			text, err := json.Marshal(trials)
			if err != nil {
				c.t.Fatal(err)
			}
			if err := os.WriteFile(kept, text, 0o600); err != nil {
				c.t.Fatal(err)
			}
		}
		c.tests = append(c.tests, trials...)
	}
}

func (c *court) rehearsal(judge string) (trials []trial) {
	c.t.Helper()
	names, err := c.run(judge, ".", time.Minute, []string{"-test.list", "."})
	if err != nil {
		c.t.Fatalf("list the tests of %s: %v\n%s", judge, err, names)
	}
	for name := range strings.FieldsSeq(names) {
		if strings.HasPrefix(name, "Benchmark") || strings.HasPrefix(name, "Example") {
			continue
		}
		trace := filepath.Join(c.dir, "trace")
		if err := os.WriteFile(trace, nil, 0o600); err != nil {
			c.t.Fatal(err)
		}
		start := time.Now()
		if out, err := c.run(judge, "^"+name+"$", 10*time.Minute, nil, "LANGSO_MUTANT_TRACE="+trace); err != nil {
			c.t.Fatalf("%s %s fails though nothing is broken: %v\n%s", judge, name, err, out)
		}
		one := trial{Judge: judge, Name: name, Took: time.Since(start)}
		passed, err := os.ReadFile(trace)
		if err != nil {
			c.t.Fatal(err)
		}
		for k := range strings.FieldsSeq(string(passed)) {
			n, err := strconv.Atoi(k)
			if err != nil {
				c.t.Fatal(err)
			}
			one.Passes = append(one.Passes, n)
		}
		slices.Sort(one.Passes)
		trials = append(trials, one)
	}
	return trials
}

// own is the package that a break is in.
func own(m Mutant) string { return "./" + filepath.ToSlash(filepath.Dir(m.File)) }

var failing = regexp.MustCompile(`(?m)^--- FAIL: (\S+)|^panic: test timed out|^panic: |^fatal error: `)

// judge asks the tests that come by a break, its own package's first, and tells
// which one noticed.
func (c *court) judge(m Mutant) string {
	order := []string{own(m)}
	if !*near {
		order = append(order, slices.DeleteFunc(slices.Clone(judges), func(j string) bool { return j == own(m) })...)
	}
	asked := 0
	for _, judge := range order {
		var names []string
		within := *limit
		for _, one := range c.tests {
			if _, passes := slices.BinarySearch(one.Passes, m.N); passes && one.Judge == judge {
				names, within = append(names, one.Name), within+6*one.Took
			}
		}
		if asked += len(names); len(names) == 0 {
			continue
		}
		out, err := c.run(judge, "^("+strings.Join(names, "|")+")$", within, nil, "LANGSO_MUTANT="+strconv.Itoa(m.N))
		if err == nil {
			continue
		}
		by := "?"
		if found := failing.FindStringSubmatch(out); found != nil {
			by = found[1]
			if by == "" {
				by = strings.TrimSpace(found[0])
			}
		}
		return "killed by " + judge[2:] + " " + by
	}
	if asked == 0 {
		return "LIVED: no test comes by"
	}
	return fmt.Sprintf("LIVED: %d tests come by", asked)
}
