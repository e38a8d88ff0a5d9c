package simulation

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/pocketbase/dbx"

	"langso/commune"
	"langso/phone"
	"langso/villagetest"
)

// checkVerdicts: a verdict, once seen, never becomes another.
func (w *world) checkVerdicts(m *member, edits []*phone.Pending) {
	for _, e := range edits {
		if e.State == "waiting" {
			continue
		}
		is := e.Verdict.Final()
		if was, ok := m.seen[e.N]; ok && was != is {
			w.t.Errorf("step %d: verdict %d of %s was %s and is %s", w.step, e.N, m.name, was, is)
		}
		m.seen[e.N] = is
		w.told.answered(m, e.N, e.State == "taken" || e.State == "merged")
	}
	w.told.stock(w, m, edits)
}

// holding is what a phone has of the server: collection → record → its fields.
type holding map[string]map[string]string

func (w *world) holding(m *member) holding {
	out := holding{}
	colls, err := m.Collections()
	w.must(err)
	for _, coll := range colls {
		out[coll] = map[string]string{}
		all, err := m.Held(coll)
		w.must(err)
		for _, r := range all {
			text, err := json.Marshal(r.Fields)
			w.must(err)
			out[coll][r.ID] = string(text)
		}
	}
	return out
}

// checkHolds: a phone that is complete holds what its person may see and
// nothing else, each record as the table has it.
func (w *world) checkHolds(m *member, held holding) {
	standing, err := w.server.Engine.Circles(m.person)
	w.must(err)
	filled := w.filled()
	known := map[string]bool{}
	for _, d := range domains() {
		for _, c := range d.Collections {
			known[c.Name] = true
			want, got := map[string]string{}, held[c.Name]
			if slices.Contains(filled, c.Name) {
				want = w.visible(c, standing)
			}
			for id := range got {
				if _, may := want[id]; !may {
					w.t.Errorf("step %d: %s holds %s/%s, which is not theirs (standing %v)", w.step, m.name, c.Name, id, standing)
				}
			}
			for id, text := range want {
				if got[id] != text {
					w.t.Errorf("step %d: %s holds %s/%s as\n  %s\nthe server has\n  %s", w.step, m.name, c.Name, id, got[id], text)
				}
			}
		}
	}
	for coll := range held {
		if !known[coll] {
			w.t.Errorf("step %d: %s holds records of %s, which nobody declares", w.step, m.name, coll)
		}
	}
}

// visible computes from the tables alone, by the declaration, what a standing sees.
func (w *world) visible(c commune.Collection, standing []string) map[string]string {
	out := map[string]string{}
	records, err := w.server.App.FindAllRecords(c.Name)
	w.must(err)
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

// anyIn asks in one statement which declared tables have a record: most have none.
var anyIn = sync.OnceValue(func() string {
	var each []string
	for _, d := range domains() {
		for _, c := range d.Collections {
			each = append(each, "SELECT '"+c.Name+"' WHERE EXISTS (SELECT 1 FROM {{"+c.Name+"}})")
		}
	}
	return strings.Join(each, " UNION ALL ")
})

func (w *world) filled() (names []string) {
	w.must(w.server.App.DB().NewQuery(anyIn()).Column(&names))
	return names
}

var anyWord = regexp.MustCompile(`zq[0-9a-f]{8}q`)

// checkDisk: no byte of a record that the person may not see is left in the
// phone's files, once the phone has been told. What was typed here may stay.
func (w *world) checkDisk(m *member, held holding, edits []*phone.Pending) {
	may, shown := map[string]bool{}, map[string]bool{}
	for coll, records := range held {
		for id, text := range records {
			may[coll+"/"+id] = true
			for _, word := range anyWord.FindAllString(text, -1) {
				shown[word] = true // some records name what others are about
			}
		}
	}
	told, found := map[string]bool{}, map[string]bool{}
	for _, e := range edits { // what a verdict told stays with the edit
		text, err := json.Marshal(e.Verdict)
		w.must(err)
		for _, word := range anyWord.FindAllString(string(text), -1) {
			told[word] = true
		}
	}
	files, err := villagetest.ReadFolder(m.dir)
	w.must(err)
	for name, raw := range files {
		for _, word := range anyWord.FindAllString(string(raw), -1) {
			if !m.typed[word] && !told[word] && !shown[word] && !may[w.words[word]] && !found[word] {
				found[word] = true
				w.t.Errorf("step %d: %s of %s still holds %s, a word of %s", w.step, name, m.name, word, w.words[word])
			}
		}
	}
}

// checkEffects: a create that the phone was told is taken made its record, which
// only a delete may have removed.
func (w *world) checkEffects() {
	deleted := map[string]bool{}
	for _, m := range w.phones {
		edits, err := m.Edits("taken", "merged")
		w.must(err)
		for _, e := range edits {
			if e.Delete {
				deleted[e.Coll+"/"+e.ID] = true
			}
		}
	}
	for _, m := range w.phones {
		self, _, err := m.Self()
		w.must(err)
		edits, err := m.Edits("taken", "merged")
		w.must(err)
		for _, e := range edits {
			made, ok := w.made[fmt.Sprint(self, "/", e.N, "/", e.ID)]
			if !ok || deleted[made] {
				continue
			}
			coll, id, _ := strings.Cut(made, "/")
			if _, err := w.server.App.FindRecordById(coll, id); err != nil && !w.told.gone[id] {
				w.t.Errorf("edit %d of %s was taken, but %s is not there", e.N, m.name, made)
			}
		}
	}
}

// checkStock: what the verdicts say was added is what stands, never below zero:
// each edit was done once.
func (w *world) checkStock() {
	want := map[string]float64{}
	for i := range 2 {
		for k := range 2 {
			want[product(i, k)] = 10
		}
	}
	for edit, d := range w.told.added {
		id, _, _ := strings.Cut(edit, " ")
		want[id] += d
	}
	for i := range 2 {
		for k := range 2 {
			id := product(i, k)
			r, err := w.server.App.FindRecordById("products", id)
			w.must(err)
			if got := r.GetFloat("stock"); got != want[id] || got < 0 {
				w.t.Errorf("stock of %s is %v, the taken edits make %v", id, got, want[id])
			}
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
