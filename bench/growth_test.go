package bench

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/pocketbase/dbx"
)

// BenchmarkGrowth: what an exchange costs the server when there is ten times as
// much of one thing: households with their records and circles, circles that each
// phone stands in, phones. over-base is the processor's time of one, client and all,
// over that with a tenth; the clock's would tell what else the machine does.
func BenchmarkGrowth(b *testing.B) {
	const phones = 500
	base := newGrowth(b, newCommune(b, workload), phones)
	base.compare(b, "base", nil)
	newGrowth(b, communeOf(b, 10*workload), phones).compare(b, "households", base)
	newGrowth(b, base.place, 10*phones).compare(b, "phones", base)
	wide := newCommune(b, workload) // apart: it has duties that no other measure wants
	wide.busy(b, phones, 9*base.circles)
	newGrowth(b, wide, phones).compare(b, "circles", base)
}

// growth is one commune with phones, and what they cost.
type growth struct {
	*place
	phones  []*asker
	circles int // that a phone stands in, on average
	idle    float64
	delta   float64 // seconds of the processor an exchange
}

func newGrowth(b *testing.B, p *place, phones int) *growth {
	b.Helper()
	g := &growth{place: p, phones: p.askers(b, phones)}
	for _, a := range g.phones {
		circles, err := p.Engine.Circles(a.person)
		if err != nil {
			b.Fatal(err)
		}
		g.circles += len(circles)
	}
	g.circles /= len(g.phones)
	return g
}

// compare measures idle exchanges and such that bring 20 rows.
func (g *growth) compare(b *testing.B, more string, base *growth) {
	if base == nil {
		base = g
	}
	measure := func(kind string, rows int, took, then *float64) {
		b.Run(fmt.Sprintf("%s/%s", kind, more), func(b *testing.B) {
			m := newMeter()
			for _, a := range g.phones { // who has met the server before
				a.exchange(b, m, g.url)
			}
			b.ResetTimer()
			begun := processor(b)
			g.storm(b, g.phones, rows)
			*took = (processor(b) - begun) / float64(b.N)
			b.ReportMetric(*took*1e6, "cpu-µs/op")
			b.ReportMetric(*took / *then, "over-base")
			b.ReportMetric(float64(len(g.phones)), "phones")
			b.ReportMetric(float64(g.circles), "circles/phone")
		})
	}
	measure("idle", 0, &g.idle, &base.idle)
	g.change(b, 20)
	measure("delta", 20, &g.delta, &base.delta)
}

// processor is the time that this process has used, in seconds.
func processor(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// change changes one field of so many records that all phones have.
func (p *place) change(b *testing.B, records int) {
	b.Helper()
	_, err := p.App.NonconcurrentDB().NewQuery(`UPDATE products SET price = price + 1 WHERE id IN (SELECT id FROM products WHERE NOT adult ORDER BY id LIMIT {:n})`).Bind(dbx.Params{"n": records}).Execute()
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Absorb(); err != nil {
		b.Fatal(err)
	}
}

// busy makes villagers clerks of so many stalls each, whose own circles are then in
// their standing.
func (p *place) busy(b *testing.B, villagers, stalls int) {
	b.Helper()
	_, err := p.App.NonconcurrentDB().NewQuery(`INSERT INTO duties (id, person, role, place, [[from]])
		SELECT substr('d' || lower(hex(randomblob(8))), 1, 15), p.id, 'clerk', s.id, '2026-01-01'
		FROM (SELECT id FROM persons WHERE status = 'active' ORDER BY id LIMIT {:n}) p, (SELECT id FROM stalls ORDER BY id LIMIT {:m}) s`).
		Bind(dbx.Params{"n": villagers, "m": stalls}).Execute()
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Settle(); err != nil {
		b.Fatal(err)
	}
}
