// Package simulation plays weeks in a small commune: twenty-odd phones edit at
// random, through a network that loses, repeats and cuts, against a server that
// is killed between commit and answer, while officers write in the dashboard,
// SQL runs, and duties and households change. What must hold is checked all
// along. One number, the seed, decides everything; a failure prints the command
// that plays it again.
package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"langso/commune"
	"langso/phone"
	"langso/sync/wire"
	"langso/villagetest"
)

var (
	seeds = flag.Int("seeds", 12, "how many histories to play")
	first = flag.Uint64("seed", 1, "the first seed")
)

// The simulation has a small domain of its own, with every policy in it.
const (
	counters = "products"       // stock is a sum above 0, price merges
	notes    = "drafts"         // private to the person; merge
	entries  = "health_entries" // append only
)

func TestHistories(t *testing.T) {
	for i := range *seeds {
		seed := *first + uint64(i)
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, seed)
			defer func() {
				if t.Failed() {
					t.Logf("play it again: go test ./sync/simulation -run TestHistories -seed %d -seeds 1", seed)
				}
			}()
			for w.step = range 220 {
				w.act()
				if t.Failed() {
					return
				}
			}
			w.heal()
		})
	}
}

type world struct {
	t      *testing.T
	rnd    *rand.Rand
	server *villagetest.Server
	phones []*member
	step   int
	people []string
	stalls []string
	// what the world knows for certain
	asked map[string]string // "<phone>/<n>" → the record it would make, for creates
}

// member is one phone with its person.
type member struct {
	*phone.Phone
	id, person string
	seen       map[int64]wire.Verdict
	down       bool // no network at all just now
}

const (
	nPeople = 11
	nPhones = 22
)

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, rnd: rand.New(rand.NewPCG(seed, 7)), asked: map[string]string{}}
	w.server = villagetest.New(t, domains())
	s := w.server
	for i := range 3 {
		v := fmt.Sprintf("village%08d", i)
		s.Put(t, "villages", v, map[string]any{"name": fmt.Sprint("Thôn ", i)})
		for k := range 2 {
			s.Put(t, "households", fmt.Sprintf("house%05d%05d", i, k), map[string]any{"name": "Hộ", "village": v})
		}
	}
	for i := range nPeople {
		id := fmt.Sprintf("person%09d", i)
		w.people = append(w.people, id)
		s.Put(t, "persons", id, map[string]any{"name": fmt.Sprint("Người ", i), "household": w.house(), "status": "active", "born": "1980"})
	}
	for i := range 3 {
		id := fmt.Sprintf("stall%010d", i)
		w.stalls = append(w.stalls, id)
		s.Put(t, "stalls", id, map[string]any{"name": "Gian", "owner": w.people[i]})
		s.Put(t, "duties", "", map[string]any{"person": w.people[i], "role": "seller", "place": id})
		for k := range 3 {
			s.Put(t, "products", fmt.Sprintf("product%04d%04d", i, k), map[string]any{"stall": id, "name": "Vải", "stock": 10, "price": 1000})
		}
	}
	s.Put(t, "duties", "", map[string]any{"person": w.people[4], "role": "village_health", "place": "village00000000"})
	s.Put(t, "procedures", "procedure000001", map[string]any{"name": "Khai sinh", "code": "1", "active": true})
	for i := range nPhones {
		m := &member{person: w.people[i%nPeople], seen: map[int64]wire.Verdict{}}
		n := &villagetest.Network{Fault: func() villagetest.Fault { return w.fault(m) }}
		m.Phone = s.PhoneAt(t, filepath.Join(t.TempDir(), "phone"), m.person, n)
		m.id, _, _ = m.Self()
		w.phones = append(w.phones, m)
	}
	return w
}

func (w *world) house() string {
	return fmt.Sprintf("house%05d%05d", w.rnd.IntN(3), w.rnd.IntN(2))
}

func (w *world) fault(m *member) (f villagetest.Fault) {
	if m.down {
		return villagetest.Fault{Drop: true}
	}
	switch w.rnd.IntN(10) {
	case 0:
		f.Drop = true
	case 1:
		f.Lose = true
	case 2:
		f.Repeat = true
	case 3:
		f.Cut = func(n int) int { return w.rnd.IntN(n + 1) }
	case 4:
		f.Captive = true
	case 5:
		// Killed between commit and answer.
		if w.rnd.IntN(4) == 0 {
			f.Lose = true
			f.Between = func() { w.server.Restart(w.t) }
		}
	}
	return f
}

// act lets something happen.
func (w *world) act() {
	m := w.phones[w.rnd.IntN(len(w.phones))]
	w.server.Clock.Add(time.Duration(w.rnd.IntN(3600)) * time.Second)
	switch w.rnd.IntN(16) {
	case 0, 1, 2, 3:
		w.sync(m)
	case 4, 5:
		w.create(m, notes, phone.Values{"person": m.person, "procedure": "procedure000001", "note": w.word()})
	case 6:
		w.create(m, entries, phone.Values{"person": m.person, "kind": "measurement", "code": "weight", "data": map[string]any{"value": 50 + w.rnd.IntN(20)}, "occurred_on": "2026-11-01", "source": "told"})
	case 7, 8:
		w.change(m, notes, func() phone.Values { return phone.Values{"note": w.word()} })
	case 9:
		w.change(m, counters, func() phone.Values { return phone.Values{"price": 1000 + w.rnd.IntN(9)*100} })
	case 10:
		if id := w.some(m, counters); id != "" {
			_, err := m.Add(counters, id, map[string]float64{"stock": float64(w.rnd.IntN(7) - 4)})
			w.must(err)
		}
	case 11:
		if id := w.some(m, notes); id != "" && w.rnd.IntN(3) == 0 {
			_, err := m.Delete(notes, id)
			w.must(err)
		}
	case 12: // an officer in the dashboard, or SQL: neither asks the phones
		w.sql(`UPDATE products SET price = price + 1 WHERE id = {:id}`, dbx.Params{"id": fmt.Sprintf("product%04d%04d", w.rnd.IntN(3), w.rnd.IntN(3))})
	case 13: // a family moves
		w.sql(`UPDATE persons SET household = {:h} WHERE id = {:id}`, dbx.Params{"h": w.house(), "id": w.people[w.rnd.IntN(nPeople)]})
	case 14: // a duty begins or ends
		w.sql(`UPDATE duties SET [[to]] = {:day} WHERE role = {:role}`, dbx.Params{"day": []string{"", "2026-01-01"}[w.rnd.IntN(2)], "role": []string{"seller", "village_health"}[w.rnd.IntN(2)]})
	case 15:
		m.down = !m.down && w.rnd.IntN(2) == 0
	}
}

func (w *world) word() string {
	return fmt.Sprintf("lời %d của bước %d", w.rnd.IntN(100), w.step)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("step %d: %v", w.step, err)
	}
}

func (w *world) sql(text string, p dbx.Params) {
	_, err := w.server.App.NonconcurrentDB().NewQuery(text).Bind(p).Execute()
	w.must(err)
}

func (w *world) create(m *member, coll string, v phone.Values) {
	id := fmt.Sprintf("%015x", w.rnd.Uint64()>>4)
	n, err := m.CreateAs(coll, id, v)
	w.must(err)
	w.asked[fmt.Sprint(m.id, "/", n)] = coll + "/" + id
}

func (w *world) change(m *member, coll string, v func() phone.Values) {
	if id := w.some(m, coll); id != "" {
		_, err := m.Change(coll, id, v())
		w.must(err)
	}
}

// some picks a record that the phone sees.
func (w *world) some(m *member, coll string) string {
	all, err := m.List(coll)
	w.must(err)
	if len(all) == 0 {
		return ""
	}
	return all[w.rnd.IntN(len(all))].ID
}

// sync meets the server once, over whatever network there is, and checks what
// must hold on this phone whatever happened.
func (w *world) sync(m *member) {
	report, err := m.Sync(context.Background())
	if err != nil && !errors.Is(err, phone.ErrNoServer) && !errors.Is(err, phone.ErrCut) {
		// A cut may also fall inside the compressed stream.
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			w.t.Errorf("step %d: %s: %v", w.step, m.person, err)
			return
		}
	}
	w.checkVerdicts(m)
	if report.Complete {
		w.checkHolds(m)
	}
}

// checkVerdicts: a verdict, once seen, never becomes another.
func (w *world) checkVerdicts(m *member) {
	edits, err := m.Edits()
	w.must(err)
	for _, e := range edits {
		if e.State == "waiting" {
			continue
		}
		if was, ok := m.seen[e.N]; ok && was.Final() != e.Verdict.Final() {
			w.t.Errorf("step %d: verdict %d of %s was %s and is %s", w.step, e.N, m.person, was.Final(), e.Verdict.Final())
		}
		m.seen[e.N] = e.Verdict
	}
}

// checkHolds: a phone that is complete holds what its person may see and
// nothing else, each record as the table has it.
func (w *world) checkHolds(m *member) {
	standing, err := w.server.Engine.Circles(m.person)
	w.must(err)
	for _, d := range domains() {
		for _, c := range d.Collections {
			want := w.visible(c, standing)
			got := map[string]string{}
			all, err := m.Held(c.Name)
			w.must(err)
			for _, r := range all {
				text, err := json.Marshal(r.Fields)
				w.must(err)
				got[r.ID] = string(text)
			}
			for id := range got {
				if _, may := want[id]; !may {
					w.t.Errorf("step %d: %s holds %s/%s, which is not theirs (standing %v)", w.step, m.person, c.Name, id, standing)
				}
			}
			for id, text := range want {
				if got[id] != text {
					w.t.Errorf("step %d: %s holds %s/%s as\n  %s\nthe server has\n  %s", w.step, m.person, c.Name, id, got[id], text)
				}
			}
		}
	}
}

// visible computes from the tables alone, by the declaration, what a standing sees.
func (w *world) visible(c commune.Collection, standing []string) map[string]string {
	records, err := w.server.App.FindAllRecords(c.Name)
	w.must(err)
	out := map[string]string{}
	for _, r := range records {
		in := c.Read.Of(r)
		if !slices.ContainsFunc(in, func(x commune.Circle) bool { return slices.Contains(standing, string(x)) }) {
			continue
		}
		fields := map[string]any{}
		for _, f := range r.Collection().Fields {
			name := f.GetName()
			if r, routed := c.Routes[name]; routed && !r.Shown || name == "id" || f.GetHidden() || f.Type() == "autodate" {
				continue
			}
			raw, err := json.Marshal(r.Get(name))
			w.must(err)
			var v any
			w.must(json.Unmarshal(raw, &v))
			if !commune.Empty(v) {
				fields[name] = v
			}
		}
		text, err := json.Marshal(fields)
		w.must(err)
		out[r.Id] = string(text)
	}
	return out
}

// heal gives everybody a good network and checks the end of the history.
func (w *world) heal() {
	for _, m := range w.phones {
		m.down = false
	}
	w.rnd = rand.New(quiet{}) // no fault any more
	for range 2 {
		for _, m := range w.phones {
			w.sync(m)
		}
	}
	for _, m := range w.phones {
		status, err := m.Status()
		w.must(err)
		if status.Waiting > 0 {
			w.t.Errorf("%s still has %d edits waiting", m.person, status.Waiting)
		}
		w.checkExactlyOnce(m)
	}
	w.checkStock()
	w.checkJournal()
}

// quiet makes every random choice one that does no harm.
type quiet struct{}

func (quiet) Uint64() uint64 { return ^uint64(0) }

// checkExactlyOnce: every edit has exactly one stored verdict, in order, and a
// taken create made its record (which only a delete may have removed).
func (w *world) checkExactlyOnce(m *member) {
	var ns []int64
	err := w.server.App.DB().NewQuery(`SELECT n FROM sync_verdicts WHERE phone = {:p} ORDER BY n`).Bind(dbx.Params{"p": m.id}).Column(&ns)
	w.must(err)
	for i, n := range ns {
		if n != int64(i+1) {
			w.t.Errorf("%s: verdicts have a hole at %d", m.person, i+1)
			return
		}
	}
	edits, err := m.Edits()
	w.must(err)
	deleted := map[string]bool{}
	for _, other := range w.phones {
		theirs, err := other.Edits("taken", "merged")
		w.must(err)
		for _, e := range theirs {
			if e.Delete {
				deleted[e.Coll+"/"+e.ID] = true
			}
		}
	}
	for _, e := range edits {
		made, ok := w.asked[fmt.Sprint(m.id, "/", e.N)]
		if !ok || e.State != "taken" && e.State != "merged" || deleted[made] {
			continue
		}
		coll, id, _ := strings.Cut(made, "/")
		if _, err := w.server.App.FindRecordById(coll, id); err != nil {
			w.t.Errorf("edit %d of %s was taken, but %s is not there", e.N, m.person, made)
		}
	}
}

// checkStock: what the verdicts say was added is what stands, never below zero.
func (w *world) checkStock() {
	want := map[string]float64{}
	for i := range 3 {
		for k := range 3 {
			want[fmt.Sprintf("product%04d%04d", i, k)] = 10
		}
	}
	for _, m := range w.phones {
		edits, err := m.Edits("taken", "merged")
		w.must(err)
		for _, e := range edits {
			if d, ok := e.Add["stock"]; ok {
				f, err := d.Float64()
				w.must(err)
				want[e.ID] += f
			}
		}
	}
	ids := make([]string, 0, len(want))
	for id := range want {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		r, err := w.server.App.FindRecordById("products", id)
		w.must(err)
		if got := r.GetFloat("stock"); got != want[id] || got < 0 {
			w.t.Errorf("stock of %s is %v, the taken edits make %v", id, got, want[id])
		}
	}
}

// checkJournal: the journal equals its recomputation: looking at every record
// again finds nothing to number.
func (w *world) checkJournal() {
	var before, after int64
	w.must(w.server.Absorb())
	w.must(w.server.App.DB().NewQuery(`SELECT seq FROM journal_meta`).Row(&before))
	for _, d := range domains() {
		for _, c := range d.Collections {
			w.sql(`INSERT INTO journal_touched (coll, rid) SELECT (SELECT id FROM _collections WHERE name = {:name}), id FROM {{`+c.Name+`}} WHERE true ON CONFLICT DO NOTHING`, dbx.Params{"name": c.Name})
		}
	}
	w.must(w.server.Absorb())
	w.must(w.server.App.DB().NewQuery(`SELECT seq FROM journal_meta`).Row(&after))
	if before != after {
		w.t.Errorf("looking at every record again gave %d new numbers", after-before)
	}
}
