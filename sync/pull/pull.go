// Package pull decides what a phone has to be told: what left its circles, what
// came into them, and what changed there since its cursor.
//
// A phone names the cursor C up to which it is complete and the circles it held
// then. The journal has one entry for each record and circle, at the number of
// the record's last change, so everything new stands above C: of the circles
// held then, above C; of circles the person entered since, from the beginning; of
// a circle that was loaded from a snapshot file, above the file's number.
// Entries are gathered by record. A record with a live entry is sent: only the
// fields changed after C when the phone surely has it (it was in a held circle
// at C), whole otherwise. A record that left all circles is gone.
//
// An answer is made of chunks, in order of importance: what is gone, the inbox,
// what is confidential, the person's own, the village's, the catalogue; within each in order of the
// records' numbers. Each chunk ends with a token that says how far each class has
// come. Whatever befalls the answer, the next one goes on from the last chunk
// kept, while fields are still chosen by C, since choosing them by the token
// would lose those changed before it.
package pull

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"langso/sync/journal"
	"langso/sync/wire"
)

// Phone is how far a phone is.
type Phone struct {
	Cursor int64
	Held   []string         // circles at Cursor; nil when they are not known
	Loaded map[string]int64 // circles whose snapshot file it has loaded, and the file's number
	Now    []string         // circles now, sorted; wire.Row.In points into it
	Whole  bool             // what it has may be of another history: rows are sent whole
	Resume string
	Want   int // budget of row bytes
}

// Collections is what must be known of the collections.
type Collections struct {
	Rank  func(coll string) int // -2 to 2: which comes first; each is compressed apart
	Alone map[string]bool       // those of which each record is compressed by itself
	Files map[string][]string   // circle → collections whose records are in its snapshot file
}

// batch is how many records are read at once.
const batch = 256

// Make reads from an exact state what goes down to a phone after the verdicts
// and the standing, in chunks; full tells that the last line is a More, else the
// caller says what ends the answer.
func Make(ctx context.Context, r *journal.Reader, p Phone, colls Collections) (lines []wire.Line, full bool, err error) {
	a := &answer{Rows: NewRows(r, p, colls), at: resume(p, r.Head), sets: map[string][]wire.Row{}}
	groups, err := a.gather(ctx)
	if err != nil {
		return nil, false, err
	}
	a.at.seen = r.Seq
	for part := range slices.Chunk(groups, batch) {
		if full, err := a.fill(part); full || err != nil {
			return a.lines, full, err
		}
	}
	if len(a.gone) > 0 {
		a.mark()
	}
	a.flush()
	return a.lines, false, nil
}

// group is one record's entries that the phone may not know of.
type group struct {
	coll    string
	id      string
	class   int
	last    int64 // greatest number among them: its place in the order
	live    bool
	had     bool // the phone may have it
	circles bool // its circles changed since the phone heard of it
}

// answer is being made.
type answer struct {
	*Rows
	at       place
	standing string // hash of the phone's, once a token was written
	lines    []wire.Line

	gone  map[string][]string
	colls []string // of this chunk, in order of appearance
	sets  map[string][]wire.Row
	size  int  // of this chunk
	of    int  // the class that it is of
	alone bool // it is of one record
	apart bool // the chunk begins another class, or what is alone
	spent int
}

// heard is a set of entries with the number up to which the phone knows them.
type heard struct {
	entries []journal.Entry
	upTo    int64
	fresh   bool // of a circle that is new to the phone
}

// entries reads what may be news.
func (a *answer) entries(ctx context.Context) ([]heard, error) {
	var kept, fresh []string
	var out []heard
	read := func(h heard, err error) error {
		out = append(out, h)
		return err
	}
	for _, c := range a.phone.Now {
		if s, ok := a.phone.Loaded[c]; ok {
			news, err := a.r.Entries(ctx, []string{c}, s)
			if err := read(heard{news, s, false}, err); err != nil {
				return nil, err
			}
			private, err := a.r.EntriesExcept(ctx, c, s, a.known.Files[c])
			if err := read(heard{private, 0, true}, err); err != nil {
				return nil, err
			}
		} else if a.held[c] {
			kept = append(kept, c)
		} else {
			fresh = append(fresh, c)
		}
	}
	news, err := a.r.Entries(ctx, kept, a.phone.Cursor)
	if err := read(heard{news, a.phone.Cursor, false}, err); err != nil {
		return nil, err
	}
	all, err := a.r.Entries(ctx, fresh, 0)
	return out, read(heard{all, 0, true}, err)
}

func (a *answer) gather(ctx context.Context) ([]*group, error) {
	sets, err := a.entries(ctx)
	if err != nil {
		return nil, err
	}
	type key struct {
		coll int64
		id   string
	}
	byKey := map[key]*group{}
	var out []*group
	for _, h := range sets {
		for _, e := range h.entries {
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
			g.circles = g.circles || e.Left || e.Entered > h.upTo || h.fresh
			// It had, or may have had, the record: in a held circle at some time, or in
			// an earlier part of a filling. To be told of a loss it never had is harmless.
			g.had = g.had || !h.fresh && h.upTo > 0 || a.at.seen > 0
		}
	}
	out = slices.DeleteFunc(out, func(g *group) bool {
		if g.live {
			g.class = a.class(g.coll)
		}
		return g.last <= a.at.upTo[g.class] || !g.live && !g.had
	})
	slices.SortFunc(out, func(a, b *group) int { return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.last, b.last)) })
	return out, nil
}

// fill adds groups, closing chunks as they get full, until the budget is spent.
func (a *answer) fill(groups []*group) (full bool, err error) {
	ids, seqs := map[string][]string{}, map[string][]int64{}
	for _, g := range groups {
		if g.live { // its entries stand at the record's own number
			ids[g.coll], seqs[g.coll] = append(ids[g.coll], g.id), append(seqs[g.coll], g.last)
		}
	}
	records := map[string]map[string]*journal.Record{}
	for coll, list := range ids {
		if records[coll], err = a.r.RecordsAt(coll, list, seqs[coll]); err != nil {
			return false, err
		}
	}
	for _, g := range groups {
		if a.spent >= a.phone.Want {
			a.flush()
			a.lines = append(a.lines, wire.Line{More: a.token()})
			return true, nil
		}
		// What is lost is a chunk of its own: it must not wait for the rest. So is
		// what is a person's own: it is not compressed with what others wrote.
		alone := g.live && a.known.Alone[g.coll]
		parts := g.class != a.of || alone || a.alone
		if a.size >= wire.ChunkSize || a.size > 0 && parts {
			a.mark()
		}
		a.apart, a.of, a.alone = a.apart || parts, g.class, alone
		a.add(g, records[g.coll][g.id])
		a.at.upTo[g.class] = g.last
	}
	return false, nil
}

// mark ends the chunk.
func (a *answer) mark() {
	a.flush()
	token := a.token()
	a.lines = append(a.lines, wire.Line{Mark: &token})
}

func (a *answer) token() string {
	if a.standing == "" {
		a.standing = wire.StandingHash(a.phone.Now)
	}
	return a.at.token(a.r.Epoch, a.standing)
}

// add puts one record into the chunk.
func (a *answer) add(g *group, rec *journal.Record) {
	n := len(g.id) + 3
	if g.live && rec != nil {
		row := a.row(g.coll, rec, g.circles)
		if a.sets[g.coll] == nil {
			a.colls = append(a.colls, g.coll)
		}
		a.sets[g.coll] = append(a.sets[g.coll], row)
		n = 30 + size(row.Set)
	} else {
		if a.gone == nil {
			a.gone = map[string][]string{}
		}
		a.gone[g.coll] = append(a.gone[g.coll], g.id)
	}
	a.size += n
	a.spent += n
}

// flush writes the chunk's lines.
func (a *answer) flush() {
	from := len(a.lines)
	if len(a.gone) > 0 {
		a.lines = append(a.lines, wire.Line{Gone: a.gone})
	}
	for _, coll := range a.colls {
		a.lines = append(a.lines, changes(coll, a.sets[coll])...)
	}
	if from < len(a.lines) {
		a.lines[from].Apart, a.apart = a.apart, false
	}
	a.gone, a.colls, a.sets, a.size = nil, nil, map[string][]wire.Row{}, 0
}

func changes(coll string, rows []wire.Row) []wire.Line {
	columns := wire.Columns(coll, rows)
	lines := make([]wire.Line, len(columns))
	for i := range columns {
		lines[i].Changes = &columns[i]
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
