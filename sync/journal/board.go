package journal

import (
	"context"
	"database/sql"
	"sync"

	"langso/sync/sum"
)

// board is what hangs on the wall: of every circle its sum and the last number
// given in it, as of one number of the history. It spares an exchange a look into
// the tables for each circle that its person stands in; a person of the commune has
// six of them, an officer sixty.
//
// It is never believed by itself. Whoever asks has read the head from the database,
// and what has changed in the tables since the board was written has a greater
// number: those circles are read again, whoever wrote, this program or another. A
// head that is older than the board, of a reader that began before, is answered from
// the tables.
type board struct {
	mu      sync.RWMutex
	head    Head // what the board says is of here; no epoch: nothing was read yet
	circles map[string]top
	last    map[string]int64 // by collection: the last number given in it
}

// top is a circle's part of the board.
type top struct {
	last int64 // no entry of the circle has a greater number
	sum  sum.Sum
}

// forget makes the next who asks read all of it.
func (b *board) forget() {
	b.mu.Lock()
	b.head = Head{}
	b.mu.Unlock()
}

// at is the place in the history that the board is of.
func (b *board) at() Head {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.head
}

// read answers a question of circles, when the board is of this place in the history.
func (b *board) read(at Head, q *Quiet, circles []string, cursor int64, watched []string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.head != at {
		return false
	}
	q.Last, q.Sum, q.Ahead = 0, sum.Sum{}, false
	for _, name := range circles {
		c := b.circles[name]
		q.Sum = q.Sum.Plus(c.sum)
		q.Ahead = q.Ahead || c.last > cursor
	}
	for _, name := range watched {
		q.Last = max(q.Last, b.last[name])
	}
	return true
}

// lastOf is the last number of a circle, when the board is of this very place.
func (b *board) lastOf(at Head, circle string) (last int64, known bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.circles[circle].last, b.head == at
}

// moved are those of the circles that hold something above a number, for a reader
// of a state; all of them when the board cannot tell.
func (b *board) moved(at Head, circles []string, after int64) []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.head.Epoch != at.Epoch || b.head.Seq < at.Seq {
		return circles
	}
	// A board that is newer may name a circle too many, never one too few.
	var out []string
	for _, name := range circles {
		if b.circles[name].last > after {
			out = append(out, name)
		}
	}
	return out
}

// write brings the board to the state that tx reads, which is at a place in the
// history and has nothing touched. A board that is newer stays as it is.
func (b *board) write(ctx context.Context, tx *sql.Tx, at Head) error {
	from := b.at()
	if from.Epoch != at.Epoch {
		from = Head{Seq: -1}
	}
	if from.Seq >= at.Seq {
		return nil
	}
	circles, last := map[string]top{}, map[string]int64{}
	rows, err := tx.QueryContext(ctx, `SELECT name, last, a, b FROM journal_circles WHERE last > ?`, from.Seq)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var c top
		if err := rows.Scan(&name, &c.last, &c.sum.A, &c.sum.B); err != nil {
			return err
		}
		circles[name] = c
	}
	if err := rows.Err(); err != nil {
		return err
	}
	of, err := tx.QueryContext(ctx, `SELECT name, last FROM journal_collections`)
	if err != nil {
		return err
	}
	defer of.Close()
	for of.Next() {
		var name string
		var n int64
		if err := of.Scan(&name, &n); err != nil {
			return err
		}
		last[name] = max(last[name], n) // one that is gone may have had the name
	}
	if err := of.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case from.Seq < 0 && b.head.Epoch != at.Epoch:
		b.circles = circles
	case b.head.Epoch != at.Epoch || b.head.Seq < from.Seq || b.head.Seq >= at.Seq:
		return nil // written meanwhile, or to be read whole again
	default:
		for name, c := range circles {
			b.circles[name] = c
		}
	}
	b.head, b.last = at, last
	return nil
}
