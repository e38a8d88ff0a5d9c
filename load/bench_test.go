package load_test

import (
	"context"
	"flag"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/demo"
	"langso/load"
	"langso/sync/journal"
)

var households = flag.Int("households", 250, "how many households BenchmarkImport loads; 2500 make the 277,500 rows and more")

// BenchmarkImport loads demo households with all that is theirs (each: itself,
// 60 health entries, 10 dossiers, 40 orders) into a fresh commune, with the
// journal's triggers on every table, and absorbs them. rows/s counts both;
// load-rows/s the load alone.
func BenchmarkImport(b *testing.B) {
	b.ReportAllocs()
	o := demo.Options{Seed: 1, Households: *households, Today: time.Date(2026, 11, 24, 0, 0, 0, 0, commune.Zone)}
	rows, loading := 0, time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		app := newApp(b)
		j := openJournal(b, app)
		runtime.GC()
		b.StartTimer()
		start := time.Now()
		report, err := load.Run(context.Background(), app, domains, demo.Source(o), io.Discard)
		loading += time.Since(start)
		if err != nil {
			b.Fatal(err)
		}
		if err := j.Absorb(app, 0); err != nil {
			b.Fatal(err)
		}
		rows += report.Total().Rows()
	}
	b.ReportMetric(float64(rows)/float64(b.N), "rows")
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(rows)/loading.Seconds(), "load-rows/s")
}

// openJournal makes the journal over the domains' declarations.
func openJournal(tb testing.TB, app core.App) *journal.Journal {
	tb.Helper()
	var shared []journal.Collection
	for _, d := range domains {
		for _, c := range d.Collections {
			s := journal.Collection{Name: c.Name, Rules: c.Read.String(), Circles: func(r journal.Row) (names []string) {
				for _, circle := range c.Read.Of(r) {
					names = append(names, string(circle))
				}
				return names
			}}
			for field, r := range c.Routes {
				s.Routes = append(s.Routes, journal.Route{Field: field, Via: r.Via, Of: r.Of, From: r.From})
			}
			shared = append(shared, s)
		}
	}
	j := journal.New(app, shared)
	if err := j.Open(); err != nil {
		tb.Fatal(err)
	}
	return j
}
