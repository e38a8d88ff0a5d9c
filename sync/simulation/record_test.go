package simulation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"langso/phone"
	"langso/sync/causal"
)

// record is what was done, told and seen of the notes, for the causal checker,
// and of the stock, for the sums.
type record struct {
	history causal.History
	stands  map[string]string  // note → its text in the table
	owner   map[string]string  // note → whose it is
	gone    map[string]bool    // notes that were there
	by      map[string]author  // text → who wrote it
	answer  map[string]bool    // "<member> <n>" → what was told last
	added   map[string]float64 // "<product> <phone>/<n>…" → what a taken edit added
	writes  map[string][]causal.Op
}

type author struct {
	member string
	n      int64
}

// start begins a history with the table as it is.
func (r *record) start(w *world) {
	if r.owner == nil {
		r.owner, r.gone, r.by, r.added = map[string]string{}, map[string]bool{}, map[string]author{}, map[string]float64{}
	}
	r.history, r.answer, r.writes = causal.History{}, map[string]bool{}, map[string][]causal.Op{}
	r.stands = map[string]string{}
	clear(r.gone)
	r.versions(w)
}

// wrote notes an edit that a phone stored.
func (r *record) wrote(m *member, n int64, id, text string) {
	if text != "" {
		r.by[text] = author{m.name, n}
	}
	op := causal.Op{Session: m.name, Write: &causal.Write{N: n, Key: id, Value: text}}
	r.history.Ops = append(r.history.Ops, op)
	r.writes[m.name] = append(r.writes[m.name], op)
}

// copied tells that another phone has the same edits.
func (r *record) copied(from, to string) {
	for _, op := range r.writes[from] {
		op.Session = to
		r.history.Ops = append(r.history.Ops, op)
		key := fmt.Sprint(from, " ", op.Write.N)
		if effect, ok := r.answer[key]; ok {
			r.history.Ops = append(r.history.Ops, causal.Op{Session: to, Answer: &causal.Answer{N: op.Write.N, Effect: effect}})
		}
	}
}

func (r *record) answered(m *member, n int64, effect bool) {
	key := fmt.Sprint(m.name, " ", n)
	if was, ok := r.answer[key]; ok && was == effect {
		return
	}
	r.answer[key] = effect
	r.history.Ops = append(r.history.Ops, causal.Op{Session: m.name, Answer: &causal.Answer{N: n, Effect: effect}})
}

// versions looks at what the last step made of the table. One step holds at most
// one phone's edits, which stand in the order of their numbers.
func (r *record) versions(w *world) {
	var rows []struct{ ID, Note string }
	w.must(w.server.App.DB().NewQuery(`SELECT id, note FROM drafts`).All(&rows))
	now := make(map[string]string, len(rows))
	var fresh []causal.Version
	for _, row := range rows {
		now[row.ID] = row.Note
		if r.stands[row.ID] != row.Note {
			who := r.by[row.Note]
			fresh = append(fresh, causal.Version{Key: row.ID, Value: row.Note, Session: who.member, N: who.n})
		}
	}
	for id := range r.stands {
		if _, there := now[id]; !there {
			r.gone[id] = true
			fresh = append(fresh, causal.Version{Key: id})
		}
	}
	slices.SortFunc(fresh, func(a, b causal.Version) int { return cmp.Or(cmp.Compare(a.N, b.N), strings.Compare(a.Key, b.Key)) })
	r.history.Versions = append(r.history.Versions, fresh...)
	r.stands = now
}

// look notes what a phone shows after a complete answer: of its person's notes,
// also which are not there.
func (r *record) look(w *world, m *member) {
	r.versions(w)
	held, seen := map[string]string{}, map[string]string{}
	for id, who := range r.owner {
		if who == m.person {
			held[id] = ""
			if !r.gone[id] { // an edit of what somebody deleted has nothing to show on
				seen[id] = ""
			}
		}
	}
	all, err := m.Held(notes)
	w.must(err)
	for _, n := range all {
		held[n.ID], _ = n.Fields["note"].(string)
	}
	if all, err = m.List(notes); err != nil {
		w.must(err)
	}
	for _, n := range all {
		if _, ok := seen[n.ID]; ok {
			seen[n.ID], _ = n.Fields["note"].(string)
		}
	}
	if m.renumbered {
		clear(seen)
	}
	r.history.Ops = append(r.history.Ops, causal.Op{Session: m.name, Look: &causal.Look{Held: held, Seen: seen}})
}

func (r *record) judge(w *world) {
	for _, v := range causal.Check(r.history) {
		w.t.Errorf("step %d: %s", w.step, v)
	}
}

// stock notes what an answered edit added, once however many phones have it.
func (r *record) stock(w *world, m *member, edits []*phone.Pending) {
	self, _, err := m.Self()
	w.must(err)
	for _, e := range edits {
		d, ok := e.Add["stock"]
		if !ok || e.State == "waiting" {
			continue
		}
		key := fmt.Sprint(e.ID, " ", self, "/", e.N, " ", d, " ", e.At)
		delta, err := d.Float64()
		w.must(err)
		if e.State != "taken" && e.State != "merged" {
			delta = 0
		}
		r.added[key] = delta
	}
}
