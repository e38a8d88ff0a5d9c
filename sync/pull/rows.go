package pull

import (
	"slices"

	"langso/sync/journal"
	"langso/sync/wire"
)

// Rows makes the rows of records for one phone.
type Rows struct {
	r     *journal.Reader
	phone Phone
	known Collections
	held  map[string]bool
}

// NewRows prepares to make rows from a state.
func NewRows(r *journal.Reader, p Phone, colls Collections) *Rows {
	rows := &Rows{r: r, phone: p, known: colls, held: map[string]bool{}}
	for _, c := range p.Held {
		_, now := slices.BinarySearch(p.Now, c)
		rows.held[c] = now // what was held and is lost, the phone drops
	}
	return rows
}

// class is where a collection's records come in an answer: 0 is for what is gone.
func (s *Rows) class(coll string) int {
	const least = -2 // rank
	return 1 - least + min(max(s.known.Rank(coll), least), classes-2+least)
}

// row is what the phone is told of a record: what changed since it surely had
// it, else the whole.
func (s *Rows) row(coll string, rec *journal.Record, circles bool) wire.Row {
	since, sure := s.since(coll, rec)
	if !sure {
		return s.whole(rec)
	}
	row := wire.Row{ID: rec.ID, Seq: wire.Cursor(rec.Seq), Set: rec.Since(since)}
	if circles {
		row.In = s.in(rec)
	}
	return row
}

func (s *Rows) whole(rec *journal.Record) wire.Row {
	return wire.Row{ID: rec.ID, Seq: wire.Cursor(rec.Seq), Whole: true, In: s.in(rec), Set: rec.Whole()}
}

// since is the latest number at which the phone surely has the record.
func (s *Rows) since(coll string, rec *journal.Record) (number int64, sure bool) {
	if s.phone.Whole {
		return 0, false
	}
	for c, entered := range rec.Circles {
		if s.held[c] && entered <= s.phone.Cursor {
			number, sure = max(number, s.phone.Cursor), true
		}
		if at, ok := s.phone.Loaded[c]; ok && entered <= at && slices.Contains(s.known.Files[c], coll) {
			number, sure = max(number, at), true
		}
	}
	return number, sure
}

// in are the record's circles as the phone counts them.
func (s *Rows) in(rec *journal.Record) []int {
	in := []int{}
	for c := range rec.Circles {
		if i, is := slices.BinarySearch(s.phone.Now, c); is {
			in = append(in, i)
		}
	}
	slices.Sort(in)
	return in
}
