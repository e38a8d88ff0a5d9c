package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/pocketbase/dbx"

	"langso/phone"
)

// workload is the commune in which a phone's bytes are counted. They do not
// depend on the commune's size (BenchmarkServer shows the time does not either).
const workload = 250

func BenchmarkFirstSync(b *testing.B) {
	p := communeOf(b, workload)
	b.Run("langso", func(b *testing.B) {
		m := newMeter()
		rows := 0
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			ph := p.newPhone(b, m)
			b.StartTimer()
			rows += mustSync(b, ph).Changed
		}
		m.report(b, rows)
	})
	b.Run("naive", func(b *testing.B) {
		n := naiveOf(b, p)
		rows := 0
		b.ReportAllocs()
		for b.Loop() {
			rows += n.pull(b, "")
		}
		n.meter.report(b, rows)
	})
}

func BenchmarkIdleSync(b *testing.B) {
	p := communeOf(b, workload)
	b.Run("langso", func(b *testing.B) {
		m := newMeter()
		ph := p.newPhone(b, m)
		mustSync(b, ph)
		m.reset()
		b.ReportAllocs()
		for b.Loop() {
			mustSync(b, ph)
		}
		m.report(b, 0)
	})
	b.Run("naive", func(b *testing.B) {
		n := naiveOf(b, p)
		n.pull(b, "")
		since := n.latest
		n.meter.reset()
		b.ReportAllocs()
		for b.Loop() {
			n.pull(b, since)
		}
		n.meter.report(b, 0)
	})
}

// BenchmarkDelta: 20 records of the catalogue and the person's own, scattered,
// one field each.
func BenchmarkDelta(b *testing.B) {
	p := communeOf(b, workload)
	change := func(b *testing.B, db dbx.Builder, i int, stamp string) {
		b.Helper()
		for _, sql := range []string{
			`UPDATE products SET price = price + 100` + stamp + ` WHERE id IN (SELECT id FROM products ORDER BY substr(id, 7) LIMIT 14 OFFSET {:i})`,
			`UPDATE stalls SET pickup = 'Nhà văn hóa số ' || {:i}` + stamp + ` WHERE id IN (SELECT id FROM stalls ORDER BY substr(id, 7) LIMIT 3 OFFSET {:i})`,
			`UPDATE orders SET note = 'Giao buổi sáng ' || {:i}` + stamp + ` WHERE id IN (SELECT id FROM orders WHERE buyer = {:p} ORDER BY id LIMIT 3 OFFSET {:i} % 30)`,
		} {
			if _, err := db.NewQuery(sql).Bind(dbx.Params{"i": i % 100, "p": p.person}).Execute(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("langso", func(b *testing.B) {
		m := newMeter()
		ph := p.newPhone(b, m)
		mustSync(b, ph)
		m.reset()
		rows, i := 0, 0
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			change(b, p.App.NonconcurrentDB(), i, "")
			i++
			b.StartTimer()
			rows += mustSync(b, ph).Changed
		}
		m.report(b, rows)
	})
	b.Run("naive", func(b *testing.B) {
		n := naiveOf(b, p)
		n.pull(b, "")
		n.meter.reset()
		rows, i := 0, 0
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			since := n.latest
			change(b, n.app.NonconcurrentDB(), i, `, updated = strftime('%Y-%m-%d %H:%M:%fZ', 'now', '+1 hours')`)
			i++
			b.StartTimer()
			rows += n.pull(b, since)
			n.age(b)
		}
		n.meter.report(b, rows)
	})
}

// BenchmarkPush: 20 edits made offline go up; their verdicts come in the same answer.
func BenchmarkPush(b *testing.B) {
	p := communeOf(b, workload)
	b.Run("langso", func(b *testing.B) {
		m := newMeter()
		ph := p.newPhone(b, m)
		mustSync(b, ph)
		m.reset()
		verdicts := 0
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			for i := range 20 {
				_, _, err := ph.Create("health_entries", phone.Values{"person": p.person, "kind": "measurement", "code": "weight",
					"data": map[string]any{"value": 50 + i}, "occurred_on": "2026-11-01", "source": "told"})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.StartTimer()
			r := mustSync(b, ph)
			verdicts += len(r.Verdicts)
			for _, v := range r.Verdicts {
				if v.Is != "taken" {
					b.Fatalf("%+v", v)
				}
			}
		}
		m.report(b, verdicts)
	})
	b.Run("naive", func(b *testing.B) {
		n := naiveOf(b, p)
		n.meter.reset()
		b.ReportAllocs()
		for b.Loop() {
			for i := range 20 {
				n.post(b, "health_entries", map[string]any{"person": p.person, "kind": "measurement", "code": "weight",
					"data": map[string]any{"value": 50 + i}, "occurred_on": "2026-11-01", "source": "told"})
			}
		}
		n.meter.report(b, 20*b.N)
	})
}

// BenchmarkServer: exchanges a second of many phones at once, in a commune and
// in one ten times as large. A delta brings 20 changed records.
func BenchmarkServer(b *testing.B) {
	for _, size := range sizes {
		p := communeOf(b, size)
		phones := p.askers(b, 500)
		b.Run(fmt.Sprintf("idle/households=%d", size), func(b *testing.B) { p.storm(b, phones, 0) })
		_, err := p.App.NonconcurrentDB().NewQuery(`UPDATE products SET price = price + 1 WHERE id IN (SELECT id FROM products WHERE NOT adult ORDER BY id LIMIT 20)`).Execute()
		if err != nil {
			b.Fatal(err)
		}
		if err := p.Absorb(); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("delta/households=%d", size), func(b *testing.B) { p.storm(b, phones, 20) })
	}
}

// storm lets the phones ask again and again.
func (p *place) storm(b *testing.B, phones []*asker, rows int) {
	m := newMeter()
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			a := phones[int(next.Add(1))%len(phones)]
			body := a.exchange(b, m, p.url)
			if got := bytes.Count(body, []byte(`"seq":`)); got != rows {
				b.Errorf("an answer with %d rows, want %d: %.300s", got, rows, body)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "syncs/s")
	m.report(b, rows*b.N)
}

func (a *asker) exchange(b *testing.B, m *meter, url string) []byte {
	r, err := http.NewRequest(http.MethodPost, url+"/api/sync", bytes.NewReader(a.body))
	if err != nil {
		b.Error(err)
		return nil
	}
	r.Header.Set("Authorization", a.head)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept-Encoding", "identity")
	response, err := m.client.Do(r)
	if err != nil {
		b.Error(err)
		return nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.Error(err)
	}
	return body
}

func mustSync(b *testing.B, ph *phone.Phone) phone.Report {
	r, err := ph.Sync(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	if !r.Complete {
		b.Fatal("not complete")
	}
	return r
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts always marshal
	}
	return string(text)
}
