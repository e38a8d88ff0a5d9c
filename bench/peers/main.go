// Peers runs one workload, that of a villager's phone, through one counting proxy
// against several ways of keeping a phone equal to a server, and prints one
// table:
//
//	go run ./bench/peers
//	go run ./bench/peers -engines langso,pouchdb -edge=false
//
// All hold the same records, taken from a phone of the demo commune: some 2,500
// that everybody reads and 110 of the person's own, and the few around them.
// Each is set up as its documentation recommends for few bytes. After each phase
// both sides are compared, record by record; an engine that is not equal has an
// error in the table and no number. Engines in JavaScript are installed by npm
// into the user's cache folder; one that cannot run here is left out, with the
// reason.
//
// docs/PEERS.md has the results and what they mean.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	var names, powersync string
	var edge bool
	flag.StringVar(&names, "engines", "", "only these, with commas between; empty: all")
	flag.BoolVar(&edge, "edge", true, "also over 300 ms each way, 100 kbit/s down and 40 up")
	flag.StringVar(&powersync, "powersync", "", "a built checkout of the PowerSync service's source")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, names, powersync, edge); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names, powersync string, edge bool) (err error) {
	where := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}")
	out, err := where.Output()
	if err != nil {
		return fmt.Errorf("find repository: %w", err)
	}
	b := &Bench{Repo: strings.TrimSpace(string(out))}
	if b.Dir, err = os.MkdirTemp("", "langso-peers"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.Dir)) }()

	fmt.Fprintln(os.Stderr, "making the commune …")
	l, err := newLangso(ctx, b.Repo, b.Dir)
	if err != nil {
		return err
	}
	l.bench = b
	records, err := l.records(ctx)
	if err != nil {
		return fmt.Errorf("read workload: %w", err)
	}
	if b.Workload, err = newWorkload(l.person, filepath.Join(b.Dir, "records.jsonl"), records); err != nil {
		return err
	}
	own := len(records)
	for _, r := range records {
		if slices.Contains(public, r.Coll) {
			own--
		}
	}
	info, err := os.Stat(b.File)
	if err != nil {
		return err
	}
	fmt.Printf("%d records, %d of them the person's own; %d bytes as JSON Lines\n\n", len(records), own, info.Size())

	var results []Result
	for _, e := range engines(l, powersync) {
		if names != "" && !slices.Contains(strings.Split(names, ","), e.Name) {
			continue
		}
		fmt.Fprintln(os.Stderr, e.Name, "…")
		r := measure(ctx, e, b, edge)
		if r.Err != nil {
			fmt.Fprintln(os.Stderr, e.Name+":", r.Err)
		}
		results = append(results, r)
	}
	return print(os.Stdout, results, edge)
}

// engines are what is measured, in the order of the table.
func engines(l *langso, powersync string) []Engine {
	ours := func(browser bool) func(context.Context, *Bench) (Server, error) {
		return func(ctx context.Context, _ *Bench) (Server, error) {
			c, err := l.copy(ctx, fmt.Sprintf("langso-%t", browser))
			if err != nil {
				return nil, err
			}
			c.browser = browser
			return c, nil
		}
	}
	return []Engine{
		{"langso", "Làng Số, native phone in Go: CBOR with dictionary over SQLite", ours(false)},
		{"langso-js", "Làng Số, browser phone in JavaScript: JSON, store in memory", ours(true)},
		{"naive", "PocketBase 0.39.11, naive client in Go: list API in pages of 500, one request an edit", startPlain(false)},
		{"tuned", "PocketBase 0.39.11, tuned client in Go: gzip, wanted fields, pages of 1,000, batch API, six connections", startPlain(true)},
		{"pouchdb", "PouchDB 9.0.0 against express-pouchdb 4.2.0, both over leveldb", startPouch},
		{"rxdb", "RxDB 17.6.0, HTTP replication, storage in memory, against routes of ours", startRx},
		{"zero", "Zero 1.9.0, store in memory, against zero-cache and PostgreSQL", startZero},
		{"powersync", "PowerSync 1.1.0 (node) over SQLite against its service and PostgreSQL", startPowerSync(powersync)},
	}
}

// print writes the table, one line an engine: bytes down, bytes up, requests and
// WebSocket frames of each phase, then seconds on the slow link.
func print(to io.Writer, results []Result, edge bool) error {
	out := bufio.NewWriter(to)
	for _, r := range results {
		fmt.Fprintf(out, "%-10s %s\n", r.Engine, r.What)
	}
	fmt.Fprint(out, "\n| | first sync | idle sync | 20 changes down | 20 edits up |")
	if edge {
		fmt.Fprint(out, " EDGE: first sync | EDGE: 20 changes down | EDGE: 20 edits up |")
	}
	fmt.Fprint(out, "\n|---|---|---|---|---|", map[bool]string{true: "---|---|---|"}[edge], "\n")
	for _, r := range results {
		fmt.Fprintf(out, "| %s |", r.Engine)
		for _, m := range []Measure{r.First, r.Idle, r.Delta, r.Push} {
			fmt.Fprintf(out, " %s |", m)
		}
		if edge {
			for _, m := range []Measure{r.EDGEFirst, r.EDGE20, r.EDGEUp} {
				fmt.Fprintf(out, " %s |", m.seconds())
			}
		}
		if r.Err != nil {
			fmt.Fprintf(out, " %s", strings.SplitN(r.Err.Error(), "\n", 2)[0])
		}
		fmt.Fprintln(out)
	}
	return out.Flush()
}

// String is "92,187 ↓ 505 ↑ 2": bytes down, bytes up, requests, and frames where
// there are some; then the seconds.
func (m Measure) String() string {
	if m.Took == 0 {
		return "–"
	}
	s := fmt.Sprintf("%s ↓ %s ↑ %d", thousands(m.Down), thousands(m.Up), m.Requests)
	if m.Messages > 0 {
		s += fmt.Sprintf(" + %d frames", m.Messages)
	}
	return s + " · " + m.seconds()
}

func (m Measure) seconds() string {
	if m.Took == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f s", m.Took.Seconds())
}

func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
