// Package pull decides what a phone has to be told: what left its circles, what
// came into them, and what changed there since its cursor.
//
// A phone names the cursor C up to which it is complete and the circles it held
// then. The journal has one entry for each record and circle, at the number of
// the record's last change, so everything new stands above C: of the circles
// held then, above C; of circles the person entered since, from the beginning.
// Entries are gathered by record. A record with a live entry is sent: only the
// fields changed after C when the phone surely has it (it was in a held circle
// at C), whole otherwise. A record that left all circles is gone.
//
// An answer has a budget. It is filled in the order of the records' numbers; if
// it does not suffice it ends with a resume token: how far it came, and at which
// state. The next answer goes on from there while fields are still chosen by C,
// since choosing them by the token would lose those changed before it.
package pull

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"langso/sync/journal"
	"langso/sync/wire"
)

// Phone is how far a phone is.
type Phone struct {
	Cursor int64
	Held   []string // circles at Cursor; nil when they are not known
	Now    []string // circles now, sorted; wire.Row.In points into it
	Resume string
	Want   int // budget of row bytes
}

// rowsALine keeps lines small enough to be useful when an answer is cut.
const rowsALine = 100

// Make reads from an exact state what goes down to a phone after the verdicts
// and the standing: gone, changes, and at the end more or complete. rank orders
// collections within it, smaller first.
func Make(ctx context.Context, r *journal.Reader, p Phone, rank func(coll string) int) ([]wire.Line, error) {
	from, seen := resume(p, r.Head)
	groups, err := gather(ctx, r, p, from, seen)
	if err != nil {
		return nil, err
	}
	var lines []wire.Line
	page := page{phone: p, held: map[string]bool{}}
	for c := range set(p.Held) {
		page.held[c] = slices.Contains(p.Now, c) // what was held and is lost, the phone drops
	}
	for start := 0; start < len(groups) && !page.full(); {
		end := min(start+500, len(groups))
		n, err := page.fill(r, groups[start:end])
		if err != nil {
			return nil, err
		}
		start += n
	}
	if len(page.gone) > 0 {
		lines = append(lines, wire.Line{Gone: page.gone})
	}
	lines = append(lines, page.changes(rank)...)
	if page.cut {
		lines = append(lines, wire.Line{More: token(page.last, r.Head, p.Now)})
	} else {
		lines = append(lines, wire.Line{Complete: &wire.Complete{Cursor: wire.Cursor(r.Seq), Epoch: r.Epoch}})
	}
	return lines, nil
}

// token says that records up to number last were sent, at a state of a history,
// to a phone standing so. It is opaque to phones.
func token(last int64, at journal.Head, now []string) string {
	return strings.Join([]string{strconv.FormatInt(last, 36), strconv.FormatInt(at.Seq, 36), wire.StandingHash(now), at.Epoch}, ".")
}

// Fits tells whether a token was given in this history, at a state that it has
// passed. What a phone got with any other token is worth nothing.
func Fits(resume string, at journal.Head) bool {
	_, seen, _, epoch, ok := parse(resume)
	return ok && epoch == at.Epoch && seen <= at.Seq
}

func parse(resume string) (from, seen int64, standing, epoch string, ok bool) {
	parts := strings.Split(resume, ".")
	if len(parts) != 4 {
		return 0, 0, "", "", false
	}
	from, err1 := strconv.ParseInt(parts[0], 36, 64)
	seen, err2 := strconv.ParseInt(parts[1], 36, 64)
	return from, seen, parts[2], parts[3], err1 == nil && err2 == nil && from >= 0 && seen >= from
}

// resume reads the token: the number up to which was sent, and the latest state
// from which. With another standing the filling starts again, but what was sent
// is not forgotten: the phone may have to be told that it is gone.
func resume(p Phone, at journal.Head) (from, seen int64) {
	if !Fits(p.Resume, at) {
		return 0, 0
	}
	from, seen, standing, _, _ := parse(p.Resume)
	if standing != wire.StandingHash(p.Now) {
		from = 0
	}
	return from, seen
}

// group is one record's entries that the phone may not know of.
type group struct {
	coll    string
	id      string
	last    int64 // greatest number among them: its place in the order
	live    bool
	had     bool // the phone may have it
	circles bool // its circles changed since the cursor
}

func gather(ctx context.Context, r *journal.Reader, p Phone, from, seen int64) ([]*group, error) {
	held := set(p.Held)
	var kept, fresh []string
	for _, c := range p.Now {
		if held[c] {
			kept = append(kept, c)
		} else {
			fresh = append(fresh, c)
		}
	}
	entries, err := r.Entries(ctx, kept, p.Cursor)
	if err != nil {
		return nil, err
	}
	more, err := r.Entries(ctx, fresh, 0)
	if err != nil {
		return nil, err
	}
	type key struct {
		coll int64
		id   string
	}
	byKey := map[key]*group{}
	var out []*group
	for i, e := range slices.Concat(entries, more) {
		k := key{e.CollNo, e.ID}
		g := byKey[k]
		if g == nil {
			g = &group{coll: e.Coll, id: e.ID}
			byKey[k] = g
			out = append(out, g)
		}
		g.last = max(g.last, e.Seq)
		g.live = g.live || !e.Left
		// A circle that the person came into is news of the record too.
		g.circles = g.circles || e.Left || e.Entered > p.Cursor || i >= len(entries)
		// It had, or may have had, the record: in a held circle at some time, or in
		// an earlier part of a filling. To be told of a loss it never had is harmless.
		if i < len(entries) && p.Cursor > 0 || seen > 0 {
			g.had = true
		}
	}
	out = slices.DeleteFunc(out, func(g *group) bool {
		return g.last <= from || !g.live && !g.had
	})
	slices.SortFunc(out, func(a, b *group) int { return cmp.Compare(a.last, b.last) })
	return out, nil
}

// page is one answer being filled.
type page struct {
	phone Phone
	held  map[string]bool
	gone  map[string][]string
	sets  map[string][]wire.Row
	bytes int
	last  int64
	cut   bool
}

func (p *page) full() bool { return p.cut }

// fill adds groups until the budget is spent and returns how many it took.
func (p *page) fill(r *journal.Reader, groups []*group) (int, error) {
	ids := map[string][]string{}
	for _, g := range groups {
		if g.live {
			ids[g.coll] = append(ids[g.coll], g.id)
		}
	}
	records := map[string]map[string]*journal.Record{}
	for coll, list := range ids {
		found, err := r.Records(coll, list)
		if err != nil {
			return 0, err
		}
		records[coll] = found
	}
	for i, g := range groups {
		if p.bytes >= p.phone.Want {
			p.cut = true
			return i, nil
		}
		p.last = g.last
		rec := records[g.coll][g.id]
		if !g.live || rec == nil {
			if p.gone == nil {
				p.gone = map[string][]string{}
			}
			p.gone[g.coll] = append(p.gone[g.coll], g.id)
			p.bytes += len(g.id) + 3
			continue
		}
		row := p.row(g, rec)
		if p.sets == nil {
			p.sets = map[string][]wire.Row{}
		}
		p.sets[g.coll] = append(p.sets[g.coll], row)
		p.bytes += 40 + size(row.Set)
	}
	return len(groups), nil
}

func (p *page) row(g *group, rec *journal.Record) wire.Row {
	row := wire.Row{ID: g.id, Seq: wire.Cursor(rec.Seq)}
	sure := false
	for c, entered := range rec.Circles {
		if p.held[c] && entered <= p.phone.Cursor {
			sure = true
		}
	}
	if sure {
		row.Set = rec.Since(p.phone.Cursor)
	} else {
		row.Whole, row.Set = true, rec.Whole()
	}
	if row.Whole || g.circles {
		for i, c := range p.phone.Now {
			if _, in := rec.Circles[c]; in {
				row.In = append(row.In, i)
			}
		}
	}
	return row
}

// changes puts the rows into lines, the collections in order of rank.
func (p *page) changes(rank func(string) int) []wire.Line {
	colls := make([]string, 0, len(p.sets))
	for c := range p.sets {
		colls = append(colls, c)
	}
	slices.SortFunc(colls, func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
	var lines []wire.Line
	for _, c := range colls {
		for rows := range slices.Chunk(p.sets[c], rowsALine) {
			lines = append(lines, wire.Line{Changes: &wire.Changes{Coll: c, Rows: rows}})
		}
	}
	return lines
}

func size(set map[string]json.RawMessage) int {
	n := 0
	for k, v := range set {
		n += len(k) + len(v) + 4
	}
	return n
}

func set(list []string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, s := range list {
		m[s] = true
	}
	return m
}
