package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"

	"langso/phone"
	"langso/sync/wire"
	"langso/villagetest"
)

// world is a commune in which a history is played.
type world struct {
	t      *trial
	size   size
	seed   uint64
	rnd    *rand.Rand // of the step under way
	server *villagetest.Server
	phones []*member
	step   int
	people []string

	made    map[string]string // "<phone>/<n>" → the record that the edit makes
	words   map[string]string // word → "<collection>/<record>" that holds it
	backup  *backup
	full    bool   // the server's disk
	extra   string // a field that an administrator made, by name and id
	extraID string
	told    record

	wentBack bool // a backup was restored
}

// backup is a copy of the data folder, with when it was taken.
type backup struct {
	files villagetest.Folder
	at    time.Time
}

// member is one phone with its person.
type member struct {
	*phone.Phone
	name, person string
	dir          string
	network      *villagetest.Network
	seen         map[int64]wire.Is
	typed        map[string]bool // words typed here: they may stay
	skew         time.Duration   // the phone's clock against the server's
	down         bool            // no network at all just now
	stale        bool            // it was given an old answer, and is not whole
	calm         bool            // no faults
	renumbered   bool            // a copy had used its numbers: they name other edits than when they were typed
}

const (
	procedure = "procedure000001"
	counters  = "products"       // stock is a sum above 0, price merges
	notes     = "drafts"         // private to the person; merge
	entries   = "health_entries" // append only
)

// founded is a commune as it begins, made once for each size.
type founded struct {
	server, mark villagetest.Folder
	phones       []villagetest.Folder
	words        map[string]string
}

var (
	founding sync.Mutex
	begun    = map[size]*founded{}
)

func found(tb testing.TB, s size) *founded {
	founding.Lock()
	defer founding.Unlock()
	if begun[s] != nil {
		return begun[s]
	}
	f := &founded{words: map[string]string{}}
	failures := run(tb, func(t *trial) { f.make(t, s) })
	if len(failures) > 0 {
		tb.Fatalf("found the commune: %s", strings.Join(failures, "\n"))
	}
	begun[s] = f
	return f
}

// word is a text that is nowhere else, so that it can be looked for on a disk.
func word(i uint64) string { return fmt.Sprintf("zq%08xq", uint32(i)) }

func person(i int) string { return fmt.Sprintf("person%09d", i) }
func house(i int) string  { return fmt.Sprintf("house%010d", i%4) }

func (f *founded) make(t *trial, s size) {
	server := villagetest.New(t, domains())
	put := func(coll, id string, fields map[string]any) { server.Put(t, coll, id, fields) }
	for i := range 2 {
		put("villages", fmt.Sprintf("village%08d", i), map[string]any{"name": fmt.Sprint("Thôn ", i)})
	}
	for i := range 4 {
		put("households", house(i), map[string]any{"name": "Hộ", "village": fmt.Sprintf("village%08d", i%2)})
	}
	for i := range s.people {
		name := word(uint64(i))
		f.words[name] = "persons/" + person(i)
		put("persons", person(i), map[string]any{"name": name, "household": house(i), "status": "active", "born": "1980"})
	}
	for i := range 2 {
		stall := fmt.Sprintf("stall%010d", i)
		put("stalls", stall, map[string]any{"name": "Gian", "owner": person(i)})
		put("duties", fmt.Sprintf("duty%011d", i), map[string]any{"person": person(i), "role": "seller", "place": stall})
		for k := range 2 {
			put("products", product(i, k), map[string]any{"stall": stall, "name": "Vải", "stock": 10, "price": 1000})
		}
	}
	put("duties", "duty00000health", map[string]any{"person": person(s.people - 1), "role": "village_health", "place": "village00000000"})
	put("guardians", "guardian0000001", map[string]any{"person": person(1), "guardian": person(2), "kind": "granted", "from": "2026-01-01"})
	put("procedures", procedure, map[string]any{"name": "Khai sinh", "code": "1", "active": true})
	for i := range s.phones {
		dir := t.TempDir()
		p, err := phone.Open(dir, "http://commune.test")
		if err != nil {
			t.Fatal(err)
		}
		key, err := p.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		id, who := fmt.Sprintf("phone%010d", i), person(i%s.people)
		put("phones", id, map[string]any{"person": who, "label": "Máy thử", "public_key": key})
		if err := errors.Join(p.Adopt(id, who), p.Close()); err != nil {
			t.Fatal(err)
		}
		files, err := villagetest.ReadFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		f.phones = append(f.phones, files)
	}
	if err := server.Absorb(); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	var err error
	if f.server, err = villagetest.ReadFolder(server.Dir()); err != nil {
		t.Fatal(err)
	}
	mark, err := os.ReadFile(server.Dir() + ".mark")
	if err != nil {
		t.Fatal(err)
	}
	f.mark = villagetest.Folder{"data.mark": mark}
}

func product(stall, k int) string { return fmt.Sprintf("product%04d%04d", stall, k) }

func newWorld(t *trial, s size, seed uint64) *world {
	f := found(t.TB, s)
	w := &world{t: t, size: s, seed: seed, made: map[string]string{}, words: map[string]string{}}
	for word, record := range f.words {
		w.words[word] = record
	}
	w.must(f.mark.Write(filepath.Join(t.dir, "server")))
	dir := filepath.Join(t.dir, "server", "data")
	w.must(f.server.Write(dir))
	w.server = villagetest.At(t, dir, domains())
	for i := range s.people {
		w.people = append(w.people, person(i))
	}
	for i, files := range f.phones {
		dir := t.TempDir()
		w.must(files.Write(dir))
		w.join(fmt.Sprint("phone ", i), person(i%s.people), dir)
	}
	w.told.start(w)
	return w
}

// join opens the phone in a folder and takes it into the history.
func (w *world) join(name, who, dir string) *member {
	m := &member{name: name, person: who, dir: dir, seen: map[int64]wire.Is{}, typed: map[string]bool{}, network: w.server.Network()}
	m.network.Keep = true
	m.network.Fault = func() villagetest.Fault { return w.fault(m) }
	var err error
	m.Phone, err = phone.Open(dir, "", phone.WithTransport(m.network), phone.WithClock(func() time.Time { return w.server.Clock.Now().Add(m.skew) }))
	w.must(err)
	w.t.Cleanup(func() { _ = m.Close() })
	w.phones = append(w.phones, m)
	return m
}

// fault is what the network does to one request.
func (w *world) fault(m *member) (f villagetest.Fault) {
	if m.calm {
		return f
	}
	if m.down {
		return villagetest.Fault{Drop: true}
	}
	switch w.rnd.IntN(14) {
	case 0:
		f.Drop = true
	case 1:
		f.Lose = true
	case 2:
		f.Repeat = true
	case 3, 4:
		f.Cut = func(n int) int { return w.rnd.IntN(n + 1) }
	case 5:
		f.Captive = true
	case 6: // killed between commit and answer
		if w.rnd.IntN(3) == 0 {
			f.Lose = true
			f.Between = func() { w.server.Kill(w.t) }
		}
	case 7:
		f.Delay = true
	case 8:
		if w.late() {
			f.Stale, m.stale = true, true
		}
	}
	return f
}

// late tells whether this history's network gives old answers to new asks.
func (w *world) late() bool { return w.seed%5 == 0 }

// restores tells whether this history's server is restored from backups; then
// clocks are calm, since a phone keeps what was taken for a week only.
func (w *world) restores() bool { return w.seed%3 == 0 }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("step %d: %v", w.step, err)
	}
}

// sql writes as the SQL console does.
func (w *world) sql(text string, p dbx.Params) {
	w.t.Helper()
	_, err := w.server.App.NonconcurrentDB().NewQuery(text).Bind(p).Execute()
	if err != nil && w.full && strings.Contains(err.Error(), "full") {
		return
	}
	w.must(err)
}

// sync meets the server once, over whatever network there is, and checks what
// must hold on this phone whatever happened.
func (w *world) sync(m *member) {
	m.stale = false
	report, met := m.Sync(context.Background())
	var refused *phone.Failure
	switch {
	case met == nil, errors.Is(met, phone.ErrNoServer), errors.Is(met, phone.ErrCut), errors.Is(met, io.ErrUnexpectedEOF):
	case errors.As(met, &refused) && slices.Contains([]string{"disk_full", "busy"}, refused.Code) && w.full:
	default:
		w.t.Errorf("step %d: %s: %v", w.step, m.name, met)
		return
	}
	// What differs differs because history went back; nothing else may.
	if report.Mismatches > 0 && !w.wentBack {
		w.t.Errorf("step %d: %s held other records than the server though nothing was restored: %+v", w.step, m.name, report)
	}
	m.renumbered = m.renumbered || report.Renumbered > 0
	edits, err := m.Edits()
	w.must(err)
	w.checkVerdicts(m, edits)
	if met != nil || !report.Complete || m.stale {
		return
	}
	held := w.holding(m)
	w.checkHolds(m, held)
	w.checkDisk(m, held, edits)
	w.told.look(w, m)
}

// heal gives everybody a good network and checks the end of the history.
func (w *world) heal() {
	w.step = -1
	w.rnd = rand.New(rand.NewPCG(w.seed, 11))
	w.room()
	for _, m := range w.phones {
		m.down, m.calm = false, true
	}
	for range 2 {
		for _, m := range w.phones {
			w.sync(m)
			w.told.versions(w)
		}
	}
	for _, m := range w.phones {
		status, err := m.Status()
		w.must(err)
		if status.Waiting > 0 {
			w.t.Errorf("%s still has %d edits waiting", m.name, status.Waiting)
		}
	}
	w.checkEffects()
	w.checkStock()
	w.checkJournal()
	w.told.judge(w)
}
