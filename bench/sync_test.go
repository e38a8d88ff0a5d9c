package bench

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"langso/sync/wire"
	"net/http"
	"regexp"
	"strings"
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
		p.change(b, 20)
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
			if got := countRows(body); got != rows {
				b.Errorf("an answer with %d rows, want %d: %.300s", got, rows, body)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "syncs/s")
	m.report(b, rows*b.N)
}

// countRows counts the rows of an answer by its ids, 15 letters each.
func countRows(body []byte) (n int) {
	for _, rest := range bytes.Split(body, []byte(`"ids":"`))[1:] {
		n += bytes.IndexByte(rest, '"') / 15
	}
	return n
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

// BenchmarkEdits: edits a second that are judged, committed to the disk and
// answered for, in batches of 20 from many phones at once.
func BenchmarkEdits(b *testing.B) {
	p := communeOf(b, workload)
	phones := p.askers(b, 200)
	m := newMeter()
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(8)
	before := processor(b)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			k := next.Add(1) - 1
			a := phones[k%int64(len(phones))]
			body := a.sends(b, m, p.url)
			if got := bytes.Count(body, []byte(`"is":"taken"`)); got != 20 {
				b.Errorf("%d of 20 edits taken: %.300s", got, body)
				return
			}
		}
	})
	b.ReportMetric(20*float64(b.N)/b.Elapsed().Seconds(), "edits/s")
	b.ReportMetric((processor(b)-before)*1e6/float64(20*b.N), "cpu-µs/edit") // of both, the phones and the server
	m.report(b, 20*b.N)
}

// sends signs and sends the phone's next 20 edits, and goes on from where the
// answer was complete, as a phone does.
func (a *asker) sends(b *testing.B, m *meter, url string) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	var body bytes.Buffer
	fmt.Fprintf(&body, `%s,"confirmed":%d,"clock":"2026-11-24T01:00:00Z","edits":[`, strings.TrimSuffix(string(a.body), "}"), a.n)
	for i := range 20 {
		if i > 0 {
			body.WriteByte(',')
		}
		a.n++
		fmt.Fprintf(&body, `{"n":%d,"at":"2026-11-24T00:00:00Z","coll":"health_entries","id":%q,"create":{"person":%q,"kind":"measurement","code":"weight","data":{"value":%d},"occurred_on":"2026-11-01","source":"told"}}`,
			a.n, phone.NewID(), a.person, 40+i)
	}
	body.WriteString("]}")
	one := a.plain()
	one.body = body.Bytes()
	one.head = wire.Authorization(a.id, ed25519.Sign(a.key, wire.SigningBytes("POST", "/api/sync", one.body)))
	answer := one.exchange(b, m, url)
	if at := bytes.LastIndex(answer, []byte(`{"complete":{"cursor":`)); at >= 0 {
		var last struct {
			Complete struct{ Cursor json.RawMessage }
		}
		if err := json.Unmarshal(bytes.TrimSpace(answer[at:]), &last); err != nil {
			b.Errorf("the end of an answer: %v", err)
		}
		a.body = cursorIn.ReplaceAll(a.body, fmt.Appendf(nil, `"cursor":%s`, last.Complete.Cursor))
	}
	return answer
}

var cursorIn = regexp.MustCompile(`"cursor":\d+`)
