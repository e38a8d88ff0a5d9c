package simulation

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/phone"
	"langso/villagetest"
)

// common are the acts of every history, as often as they stand here.
var common = []string{
	"sync", "sync", "sync", "sync", "sync", "sync", "sync", "sync",
	"write note", "write note", "write note", "change note", "change note", "change note", "change note", "delete note",
	"write entry", "set price", "move stock", "move stock", "move stock",
	"office sets price", "family moves", "duty", "duty", "guardian", "replace", "road",
}

// rare are those of which a history has a few kinds only: what is rare together
// is found together.
var rare = []string{"jump", "absence", "phone clock", "replay", "kill", "restart", "backup", "restore", "clone", "schema", "schema", "disk full", "room"}

func acts(rnd *rand.Rand) []string {
	deck := common
	for range 3 {
		k := rnd.IntN(len(rare))
		deck = append(deck[:len(deck):len(deck)], rare[k], rare[k])
		if rare[k] == "backup" || rare[k] == "restore" {
			deck = append(deck, "backup", "restore")
		}
	}
	return deck
}

// act lets one step happen.
func (w *world) act(x step) {
	w.step, w.rnd = x.place, rand.New(rand.NewPCG(x.seed, 3))
	m := w.phones[w.rnd.IntN(len(w.phones))]
	w.server.Clock.Add(time.Duration(w.rnd.IntN(3600)) * time.Second)
	switch x.do {
	case "sync":
		w.sync(m)
	case "write note":
		v, id := w.word(m), w.id()
		n, err := m.CreateAs(notes, id, phone.Values{"person": m.person, "procedure": procedure, "note": v})
		w.must(err)
		w.makes(m, n, notes, id, v)
		w.told.owner[id] = m.person
		w.told.wrote(m, n, id, v)
	case "write entry":
		v, id := w.word(m), w.id()
		n, err := m.CreateAs(entries, id, phone.Values{"person": m.person, "kind": "measurement", "code": "weight",
			"data": map[string]any{"value": 50 + w.rnd.IntN(20)}, "note": v, "occurred_on": "2026-11-01", "source": "told"})
		w.must(err)
		w.makes(m, n, entries, id, v)
	case "change note":
		if id := w.some(m, notes); id != "" {
			v := w.word(m)
			w.words[v] = notes + "/" + id
			n, err := m.Change(notes, id, phone.Values{"note": v})
			w.must(err)
			w.told.wrote(m, n, id, v)
		}
	case "delete note":
		if id := w.some(m, notes); id != "" {
			n, err := m.Delete(notes, id)
			w.must(err)
			w.told.wrote(m, n, id, "")
		}
	case "set price":
		if id := w.some(m, counters); id != "" {
			_, err := m.Change(counters, id, phone.Values{"price": 1000 + w.rnd.IntN(9)*100})
			w.must(err)
		}
	case "move stock":
		if id := w.some(m, counters); id != "" {
			_, err := m.Add(counters, id, map[string]float64{"stock": float64(w.rnd.IntN(7) - 4)})
			w.must(err)
		}
	case "road":
		m.down = !m.down && w.rnd.IntN(2) == 0
	default:
		w.happens(x.do, m)
	}
	w.told.versions(w)
}

// happens is everything that no person with a phone does.
func (w *world) happens(do string, m *member) {
	switch do {
	case "office sets price":
		w.sql(`UPDATE products SET price = price + 1 WHERE id = {:id}`, dbx.Params{"id": product(w.rnd.IntN(2), w.rnd.IntN(2))})
	case "family moves":
		w.sql(`UPDATE persons SET household = {:h} WHERE id = {:id}`, dbx.Params{"h": house(w.rnd.IntN(4)), "id": w.people[w.rnd.IntN(len(w.people))]})
	case "duty":
		w.sql(`UPDATE duties SET [[to]] = {:day} WHERE role = {:role}`, dbx.Params{"day": []string{"", "2026-01-01"}[w.rnd.IntN(2)], "role": []string{"seller", "village_health"}[w.rnd.IntN(2)]})
	case "guardian":
		w.sql(`UPDATE guardians SET [[to]] = {:day}, person = {:p}`, dbx.Params{"day": []string{"", "2026-01-01"}[w.rnd.IntN(2)], "p": w.people[w.rnd.IntN(2)]})
	case "replace": // what some tools write for an update
		w.sql(`REPLACE INTO villages (id, name) VALUES ('village00000001', {:name})`, dbx.Params{"name": fmt.Sprint("Thôn ", w.step)})
	case "jump": // the server's clock was years off, or is
		if !w.restores() {
			w.server.Clock.Add(time.Duration(w.rnd.IntN(6*365)-3*365) * 24 * time.Hour)
		}
	case "phone clock":
		if !w.restores() {
			m.skew = time.Duration(w.rnd.IntN(20*365)-10*365) * 24 * time.Hour
		}
	case "absence":
		if !w.restores() {
			m.down = true
			w.server.Clock.Add(30 * 24 * time.Hour)
		}
	case "replay":
		m.network.Replay(w.rnd.IntN)
	case "kill":
		w.server.Kill(w.t)
		w.full = false
	case "restart":
		w.server.Restart(w.t)
		w.full = false
	case "backup":
		if w.restores() {
			w.backup = &backup{w.server.Backup(w.t), w.server.Clock.Now()}
		}
	case "restore":
		w.restore()
	case "clone":
		w.clone(m)
	case "schema":
		w.schema()
	case "disk full":
		w.sql(`PRAGMA max_page_count = 1`, nil) // SQLite takes the size it has: no more pages
		w.full = true
	case "room":
		w.room()
	}
}

func (w *world) room() {
	w.sql(`PRAGMA max_page_count = 1073741823`, nil)
	w.full = false
}

// restore puts the last backup back, when it is less than six days old: a phone
// keeps what was taken for seven.
func (w *world) restore() {
	if w.backup == nil || w.server.Clock.Now().Sub(w.backup.at) > 6*24*time.Hour {
		return
	}
	w.wentBack = true
	w.told.judge(w)
	w.server.Restore(w.t, w.backup.files)
	w.full = false
	for _, m := range w.phones {
		clear(m.seen) // what was lost is judged anew
	}
	if w.extraID != "" { // the field may be gone or back
		w.extra, w.extraID = w.extraIn()
	}
	w.told.start(w)
}

// clone is a phone set up from another's backup; both go on.
func (w *world) clone(m *member) {
	if len(w.phones) > w.size.phones {
		return
	}
	w.must(m.Close())
	files, err := villagetest.ReadFolder(m.dir)
	w.must(err)
	dir := w.t.TempDir()
	w.must(files.Write(dir))
	again := w.join(m.name, m.person, m.dir)
	again.skew, again.down, again.seen, again.typed = m.skew, m.down, m.seen, m.typed
	w.phones = w.phones[:len(w.phones)-1]
	for i, other := range w.phones {
		if other == m {
			w.phones[i] = again
		}
	}
	copied := w.join(m.name+"'s copy", m.person, dir)
	copied.seen, copied.typed = maps.Clone(m.seen), maps.Clone(m.typed)
	w.told.copied(m.name, copied.name)
}

// schema is an administrator who adds, renames, hides and drops a field.
func (w *world) schema() {
	if w.full {
		return
	}
	w.must(w.server.Absorb()) // as happens twice a second: an administrator is slower
	c, err := w.server.App.FindCollectionByNameOrId(notes)
	w.must(err)
	field, _ := c.Fields.GetById(w.extraID).(*core.TextField)
	switch k := w.rnd.IntN(4); {
	case field == nil:
		w.extra = fmt.Sprintf("extra%d", w.rnd.IntN(1000))
		w.extraID = "text" + w.extra
		c.Fields.Add(&core.TextField{Id: w.extraID, Name: w.extra})
	case k == 0:
		w.extra = fmt.Sprintf("extra%d", w.rnd.IntN(1000))
		field.Name = w.extra
	case k == 1:
		field.Hidden = !field.Hidden
	case k == 2:
		c.Fields.RemoveById(w.extraID)
		w.extra = ""
	}
	w.must(w.server.App.Save(c))
	if w.extra != "" {
		w.sql(`UPDATE drafts SET [[`+w.extra+`]] = {:v} WHERE rowid % 2 = {:k}`, dbx.Params{"v": fmt.Sprint("thêm ", w.step), "k": w.rnd.IntN(2)})
	}
}

func (w *world) extraIn() (name, id string) {
	c, err := w.server.App.FindCollectionByNameOrId(notes)
	w.must(err)
	if f := c.Fields.GetById(w.extraID); f != nil {
		return f.GetName(), w.extraID
	}
	return "", ""
}

func (w *world) id() string { return fmt.Sprintf("%015x", w.rnd.Uint64()>>4) }

// word is a new word typed on a phone.
func (w *world) word(m *member) string {
	v := word(w.rnd.Uint64())
	m.typed[v] = true
	return v
}

func (w *world) makes(m *member, n int64, coll, id, v string) {
	self, _, err := m.Self()
	w.must(err)
	w.made[fmt.Sprint(self, "/", n, "/", id)] = coll + "/" + id
	w.words[v] = coll + "/" + id
}

// some picks a record that the phone shows.
func (w *world) some(m *member, coll string) string {
	all, err := m.List(coll)
	w.must(err)
	if len(all) == 0 {
		return ""
	}
	return all[w.rnd.IntN(len(all))].ID
}
