package journal

import (
	"context"
	"slices"

	"github.com/pocketbase/dbx"

	"langso/sync/sum"
)

// Total is what lies in one circle: how many records, and their sum.
type Total struct {
	N   int
	Sum sum.Sum
}

// tally is what an absorption adds to the totals, by circle.
type tally map[int64]*added

// added is what comes to one circle, and the greatest number at which it does.
type added struct {
	Total
	last int64
}

func (t tally) add(circle int64, s sum.Sum, n int, at int64) {
	c := t[circle]
	if c == nil {
		c = &added{}
		t[circle] = c
	}
	c.N += n
	c.last = max(c.last, at)
	if n > 0 {
		c.Sum = c.Sum.Plus(s)
	} else {
		c.Sum = c.Sum.Minus(s)
	}
}

// store adds the tally to the circles. Lanes are modulo 2³².
func (t tally) store(db *writer) error {
	for no, c := range t {
		err := db.exec(`UPDATE journal_circles SET n = n + {:p0}, a = (a + {:p1}) & 4294967295, b = (b + {:p2}) & 4294967295, last = max(last, {:p4}) WHERE no = {:p3}`,
			c.N, int64(c.Sum.A), int64(c.Sum.B), no, c.last)
		if err != nil {
			return err
		}
	}
	return nil
}

// counted notes that a record is (n = 1) or is no longer (n = −1) in a circle
// at a number.
func (a *absorption) counted(circle int64, coll, rid string, seq int64, n int) error {
	name, err := a.circleName(circle)
	if err != nil {
		return err
	}
	// What leaves does so at the number that was given last; an entry has it too.
	a.tally.add(circle, sum.Place{Circle: name, Coll: coll, ID: rid, Seq: seq}.Sum(), n, max(seq, a.seq))
	return nil
}

func (a *absorption) circleName(no int64) (string, error) {
	a.journal.mu.RLock()
	name, ok := a.journal.names[no]
	a.journal.mu.RUnlock()
	if ok {
		return name, nil
	}
	if name, ok = a.names[no]; ok {
		return name, nil
	}
	if err := scanOne(a.db, `SELECT name FROM journal_circles WHERE no = {:p0}`, []any{no}, &name); err != nil {
		return "", err
	}
	a.names[no] = name
	return name, nil
}

// totals recomputes all circles from their entries.
func totals(db *writer) (tally, error) {
	t := tally{}
	err := scanAll(db, `SELECT e.circle, c.name, k.name, e.rid, e.seq FROM journal_entries e JOIN journal_circles c ON c.no = e.circle JOIN journal_collections k ON k.no = e.coll WHERE e.out = 0`,
		nil, func(rows *dbx.Rows) error {
			var no int64
			var p sum.Place
			if err := rows.Scan(&no, &p.Circle, &p.Coll, &p.ID, &p.Seq); err != nil {
				return err
			}
			t.add(no, p.Sum(), 1, p.Seq)
			return nil
		})
	return t, err
}

// sumUp makes the totals of a journal that has none yet.
func (j *Journal) sumUp(db *writer) error {
	var summed bool
	if err := scanOne(db, `SELECT summed FROM journal_meta`, nil, &summed); err != nil || summed {
		return err
	}
	t, err := totals(db)
	if err != nil {
		return err
	}
	// With what left, too: a phone below that is to be told.
	if err := db.exec(`UPDATE journal_circles SET n = 0, a = 0, b = 0, last = max(last, (SELECT coalesce(max(seq), 0) FROM journal_entries WHERE circle = no))`); err != nil {
		return err
	}
	if err := t.store(db); err != nil {
		return err
	}
	return db.exec(`UPDATE journal_meta SET summed = 1`)
}

// Totals returns what lies in each of the circles; one that nothing was ever in
// has a zero Total.
func (r *Reader) Totals(ctx context.Context, circles []string) (map[string]Total, error) {
	list, numbers, err := r.j.numbers(ctx, r.tx, circles)
	if err != nil {
		return nil, err
	}
	rows, err := r.tx.QueryContext(ctx, `SELECT name, n, a, b FROM journal_circles WHERE no IN (`+list+`)`, numbers...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[string]Total, len(circles))
	for rows.Next() {
		var name string
		var t Total
		if err := rows.Scan(&name, &t.N, &t.Sum.A, &t.Sum.B); err != nil {
			return nil, err
		}
		out[name] = t
	}
	return out, rows.Err()
}

// Sum is the sum over all records in each of the circles.
func (r *Reader) Sum(ctx context.Context, circles []string) (s sum.Sum, err error) {
	var q Quiet
	if r.j.board.read(r.Head, &q, circles, 0, nil) {
		return q.Sum, nil
	}
	all, err := r.Totals(ctx, circles)
	for _, t := range all {
		s = s.Plus(t.Sum)
	}
	return s, err
}

// Growth tells how many records a circle has, and how many entries of it are
// above a number.
func (j *Journal) Growth(ctx context.Context, circle string, since int64) (n, fresh int, err error) {
	err = j.app.ConcurrentDB().(*dbx.DB).DB().QueryRowContext(ctx, `SELECT coalesce(max(c.n), 0), (SELECT count(*) FROM journal_entries WHERE circle = c.no AND seq > ?) FROM journal_circles c WHERE name = ?`, since, circle).
		Scan(&n, &fresh)
	return n, fresh, err
}

// Member is one record of a circle.
type Member struct {
	Coll, ID string
	Seq      int64
}

// Members returns the records in a circle, in order of collection and id.
func (r *Reader) Members(ctx context.Context, circle string) ([]Member, error) {
	entries, err := r.Entries(ctx, []string{circle}, 0)
	if err != nil {
		return nil, err
	}
	out := make([]Member, 0, len(entries))
	for _, e := range entries {
		if !e.Left {
			out = append(out, Member{e.Coll, e.ID, e.Seq})
		}
	}
	slices.SortFunc(out, func(a, b Member) int { return compareMembers(a, b) })
	return out, nil
}

func compareMembers(a, b Member) int {
	if a.Coll != b.Coll {
		if a.Coll < b.Coll {
			return -1
		}
		return 1
	}
	if a.ID < b.ID {
		return -1
	}
	return 1
}

// Content is the sum over the record's fields, as phones know them.
func (rec *Record) Content() (sum.Sum, error) { return sum.Content(rec.Whole()) }
