package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pocketbase/dbx"

	"langso/sync/sum"
)

// ErrBusy is returned when the records are changing faster than they can be
// absorbed: no exact state can be read just now.
var ErrBusy = errors.New("journal busy")

// Reader is an exact state of all shared records at one number: one read
// transaction in which nothing is touched. It must be closed soon, and before a
// byte goes to a slow phone: an open reader keeps the write-ahead log growing.
type Reader struct {
	Head
	Floor  int64 // what went up to there is forgotten
	j      *Journal
	tx     *sql.Tx
	shapes *shapes
}

// Idle tells whether a phone that stands in circles and is complete at cursor has
// nothing to be told; then Head is where it is complete now. It is the commonest
// question of all, and mostly one small statement: the head of the history, and
// whether something was written that has no number yet. What the circles hold is
// on the board, see there.
//
// When the history moves on under each look nothing is known, and Ahead is true.
func (j *Journal) Idle(ctx context.Context, circles []string, cursor int64, watched []string) (q Quiet, err error) {
	db := j.app.ConcurrentDB().(*dbx.DB).DB()
	touched, err := q.look(ctx, db)
	if err != nil {
		return q, err
	}
	known := j.board.read(q.Head, &q, circles, cursor, watched)
	for tries := 0; !known && tries < 4; tries++ {
		if touched, err = j.behind(ctx, db, &q); err != nil {
			return q, err
		}
		known = j.board.read(q.Head, &q, circles, cursor, watched)
	}
	q.Ahead = q.Ahead || !known
	q.Idle = !touched && !q.Ahead
	return q, nil
}

// behind looks again, and brings the board to what is seen.
func (j *Journal) behind(ctx context.Context, db *sql.DB, q *Quiet) (touched bool, err error) {
	then := j.board.at()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }() // it wrote nothing
	if touched, err = q.look(ctx, tx); err != nil {
		return false, err
	}
	j.putBack(then, q.Head)
	return touched, j.board.write(ctx, tx, q.Head)
}

// putBack looks whether a state that was opened after the board was seen to be of
// then is before that: only a database that was put back can be. What is remembered
// of its future is forgotten.
func (j *Journal) putBack(then, at Head) {
	if then.Epoch == at.Epoch && at.Seq < then.Seq {
		j.forgetAll()
	}
}

// forgetAll drops what is remembered of the tables.
func (j *Journal) forgetAll() {
	j.board.forget()
	j.recent.forget()
	j.rests.Clear()
}

// look reads the head, and whether something is touched.
func (q *Quiet) look(ctx context.Context, db interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}) (touched bool, err error) {
	// Too short to be interrupted: to watch for that would cost more.
	err = db.QueryRowContext(context.WithoutCancel(ctx), `SELECT epoch, seq, floor, EXISTS (SELECT 1 FROM journal_touched) FROM journal_meta`).
		Scan(&q.Epoch, &q.Seq, &q.Floor, &touched)
	return touched, err
}

// Quiet is what [Journal.Idle] found.
type Quiet struct {
	Head
	Floor int64   // what went up to there is forgotten
	Last  int64   // the latest change in one of the watched collections
	Sum   sum.Sum // over the circles
	Ahead bool    // the circles hold something above the cursor
	Idle  bool    // nothing to be told, and nothing written that was not numbered yet
}

// lastOf is the latest number in one of the collections, whose names are those
// of declarations.
func lastOf(names []string) string {
	return `(SELECT coalesce(max(last), 0) FROM journal_collections WHERE name IN ('` + strings.Join(names, "','") + `'))`
}

// Last returns the number of the latest change in one of the collections.
func (j *Journal) Last(names []string) (last int64, err error) {
	err = j.app.ConcurrentDB().NewQuery(`SELECT ` + lastOf(names)).Row(&last)
	return last, err
}

// Last returns the number of the latest change in one of the collections, in
// the state being read.
func (r *Reader) Last(names []string) (last int64, err error) {
	err = r.tx.QueryRow(`SELECT ` + lastOf(names)).Scan(&last)
	return last, err
}

// Head returns the history's name and the last number given.
func (j *Journal) Head() (h Head, err error) {
	err = j.app.ConcurrentDB().NewQuery(`SELECT epoch, seq FROM journal_meta`).Row(&h.Epoch, &h.Seq)
	return h, err
}

// Seq returns the last number given.
func (j *Journal) Seq() (int64, error) {
	h, err := j.Head()
	return h.Seq, err
}

// Raise begins a new history above a number: what phones know of an older one is
// compared, not trusted. Numbers between are never given, so that a base of the
// old history is below everything that is written in the new.
func (j *Journal) Raise(above int64) error {
	_, err := j.app.NonconcurrentDB().NewQuery(`UPDATE journal_meta SET epoch = {:epoch}, seq = max(seq, {:above})`).
		Bind(dbx.Params{"epoch": newEpoch(), "above": above}).Execute()
	if err != nil {
		return fmt.Errorf("raise epoch: %w", err)
	}
	return nil
}

// Read opens an exact state, absorbing first what is touched.
func (j *Journal) Read(ctx context.Context) (*Reader, error) {
	for range 3 {
		r, err := j.open(ctx)
		if err != nil || r != nil {
			return r, err
		}
		if err := j.Absorb(j.app, 0); err != nil {
			return nil, err
		}
	}
	// Writers keep coming between our absorbing and our reading. Held once, the
	// writer lets us open the reader in between.
	var r *Reader
	err := j.app.NonconcurrentDB().(*dbx.DB).Transactional(func(*dbx.Tx) error {
		var err error
		r, err = j.open(ctx)
		return err
	})
	if err == nil && r == nil {
		err = ErrBusy
	}
	return r, err
}

// open returns nil when something is touched.
func (j *Journal) open(ctx context.Context) (*Reader, error) {
	then := j.board.at()
	tx, err := j.app.ConcurrentDB().(*dbx.DB).DB().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	r := &Reader{j: j, tx: tx}
	var busy bool
	err = tx.QueryRowContext(ctx, `SELECT epoch, seq, floor, EXISTS (SELECT 1 FROM journal_touched) FROM journal_meta`).Scan(&r.Epoch, &r.Seq, &r.Floor, &busy)
	if err == nil && !busy {
		if r.shapes, err = j.load(r); err == nil {
			j.keep(r.shapes)
			j.putBack(then, r.Head)
			err = j.board.write(ctx, tx, r.Head)
		}
		if err == nil {
			return r, nil
		}
	}
	r.Close()
	return nil, err
}

// Close ends the read transaction.
func (r *Reader) Close() { _ = r.tx.Rollback() } // it wrote nothing

// query gives the shapes' loader the read transaction. Its statements are
// written with {:p0} and dbx quoting; here they are put in SQLite's own way.
func (r *Reader) query(query string, args ...any) (*dbx.Rows, error) {
	rows, err := r.tx.Query(plain(query), args...)
	if err != nil {
		return nil, err
	}
	return &dbx.Rows{Rows: rows}, nil
}

func plain(query string) string {
	if done, ok := plains.Load(query); ok {
		return done.(string)
	}
	out := query
	for i := range 10 {
		out = strings.ReplaceAll(out, "{:p"+strconv.Itoa(i)+"}", "?"+strconv.Itoa(i+1))
	}
	out = strings.NewReplacer("[[", "`", "]]", "`", "{{", "`", "}}", "`").Replace(out)
	plains.Store(query, out)
	return out
}

// plains are texts that were translated. They hold no values, so there are few:
// those of this package, and one for each state of a shared collection's fields.
var plains sync.Map

// numbers returns the circles' numbers as an SQL list with its arguments; circles
// that nothing was ever in have none. The list is filled up to a few lengths, or
// there would be a text to compile for each size of a standing.
func (j *Journal) numbers(ctx context.Context, db interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}, circles []string) (list string, args []any, err error) {
	args = make([]any, 0, len(circles)+few)
	for _, name := range circles {
		j.mu.RLock()
		no, ok := j.circles[name]
		j.mu.RUnlock()
		if !ok {
			err := db.QueryRowContext(ctx, `SELECT no FROM journal_circles WHERE name = ?`, name).Scan(&no)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return "", nil, err
			}
			j.mu.Lock()
			j.circles[name], j.names[no] = no, name
			j.mu.Unlock()
		}
		args = append(args, no)
	}
	for len(args) == 0 || len(args)%few != 0 {
		args = append(args, int64(0)) // no circle has this number
	}
	return strings.Repeat(",?", len(args))[1:], args, nil
}

// few is the step in which lists of circles grow.
const few = 4

// Entry is a record's place in one circle: where it stands in the order of
// changes, since when it is there, and whether it left.
type Entry struct {
	Circle  string
	Seq     int64
	Coll    string // its name, or its last one
	CollNo  int64
	ID      string
	Entered int64
	Left    bool
}

// Entries returns the entries of the circles with after < seq.
func (r *Reader) Entries(ctx context.Context, circles []string, after int64) ([]Entry, error) {
	if circles = r.j.board.moved(r.Head, circles, after); len(circles) == 0 {
		return nil, nil
	}
	return r.entries(ctx, circles, `seq > ?`, after)
}

// EntriesExcept returns the entries of one circle up to a number, but for those
// of some collections. Every new phone asks for the same of the circles that have a
// snapshot file, and mostly there are none.
func (r *Reader) EntriesExcept(ctx context.Context, circle string, upTo int64, colls []string) ([]Entry, error) {
	skip := []string{"0"}
	for _, name := range colls {
		if sh := r.shapes.byName[name]; sh != nil {
			skip = append(skip, strconv.FormatInt(sh.no, 10))
		}
	}
	except := strings.Join(skip, ",")
	is := rest{circle: circle, upTo: upTo, except: except, epoch: r.Epoch, shapes: r.shapes}
	var known bool
	if is.last, known = r.j.board.lastOf(r.Head, circle); known {
		if got, ok := r.j.rests.Load(is); ok {
			return got.([]Entry), nil
		}
	}
	entries, err := r.entries(ctx, []string{circle}, `seq <= ? AND coll NOT IN (`+except+`)`, upTo)
	if err != nil || !known || len(entries) > mostRest {
		return entries, err
	}
	if r.j.restsKept.Add(1) > mostRests {
		r.j.rests.Clear()
		r.j.restsKept.Store(1)
	}
	r.j.rests.Store(is, slices.Clip(entries))
	return entries, nil
}

// rest names what lies in a circle up to a number and outside its snapshot file, as
// long as nothing moved in it: entries leave a place only for a greater number.
type rest struct {
	circle, except, epoch string
	upTo, last            int64
	shapes                *shapes
}

// Of how many rests, and up to how many entries each, are remembered.
const mostRests, mostRest = 50, 100

func (r *Reader) entries(ctx context.Context, circles []string, where string, args ...any) ([]Entry, error) {
	list, numbers, err := r.j.numbers(ctx, r.tx, circles)
	if err != nil {
		return nil, err
	}
	rows, err := r.tx.QueryContext(ctx, `SELECT circle, seq, coll, rid, entered, out FROM journal_entries WHERE circle IN (`+list+`) AND `+where, append(numbers, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Entry
	for rows.Next() {
		var e Entry
		var circle int64
		if err := rows.Scan(&circle, &e.Seq, &e.CollNo, &e.ID, &e.Entered, &e.Left); err != nil {
			return nil, err
		}
		r.j.mu.RLock()
		e.Circle = r.j.names[circle]
		r.j.mu.RUnlock()
		e.Coll = r.shapes.names[e.CollNo]
		out = append(out, e)
	}
	return out, rows.Err()
}

// Record is what the journal and the table say of one record, as of the number of
// its last change. It is shared: nobody changes it.
type Record struct {
	ID      string
	Seq     int64
	Circles map[string]int64 // circle → since which number it is in
	shape   *shape
	wire    []json.RawMessage // by column, as phones read it; nil is a zero
	changed []int64           // by column: the number of its last change
}

// Records reads records of one collection. Those that are gone are not in it.
func (r *Reader) Records(coll string, ids []string) (map[string]*Record, error) {
	sh := r.shapes.byName[coll]
	if sh == nil {
		return nil, nil
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*Record, len(ids))
	if err := r.content(sh, string(list), out); err != nil {
		return nil, fmt.Errorf("read %s: %w", coll, err)
	}
	if err := r.known(sh, string(list), out); err != nil {
		return nil, fmt.Errorf("read journal of %s: %w", coll, err)
	}
	for id, rec := range out {
		if rec.Seq == 0 {
			return nil, fmt.Errorf("read %s/%s: %w", coll, id, errBlob)
		}
	}
	return out, nil
}

// RecordsAt is Records for who knows the numbers of their last changes, seqs beside
// ids. What many phones are told of is read once: in one history a record is the
// same at the same number, for everybody, as long as its collection is.
func (r *Reader) RecordsAt(coll string, ids []string, seqs []int64) (map[string]*Record, error) {
	sh := r.shapes.byName[coll]
	if sh == nil {
		return nil, nil
	}
	here := make(map[string]*Record, len(ids))
	var wanted []string
	for i, id := range ids {
		if rec := r.j.recent.get(r.Epoch, sh, id, seqs[i]); rec != nil {
			here[id] = rec
		} else {
			wanted = append(wanted, id)
		}
	}
	if len(wanted) == 0 {
		return here, nil
	}
	read, err := r.Records(coll, wanted)
	if err != nil {
		return nil, err
	}
	r.j.recent.put(r.Epoch, sh, read)
	maps.Copy(here, read)
	return here, nil
}

// content reads what the table says. Ids travel as one JSON argument, since raw SQL
// may have given records any id at all.
func (r *Reader) content(sh *shape, list string, out map[string]*Record) error {
	var id string
	values, into := make([]any, len(sh.columns)), make([]any, 1, 1+len(sh.columns))
	into[0] = &id
	for i := range values {
		into = append(into, &values[i])
	}
	return scanAll(r, sh.query+"[[id]] IN (SELECT value FROM json_each({:p0}))", []any{list}, func(rows *dbx.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		rec := &Record{ID: id, shape: sh, wire: make([]json.RawMessage, len(values)), changed: make([]int64, len(values))}
		for i, c := range sh.columns {
			if c.mode == sent {
				rec.wire[i] = c.kind.wire(values[i])
			}
		}
		out[id] = rec
		return nil
	})
}

// known adds what the journal says.
func (r *Reader) known(sh *shape, list string, out map[string]*Record) error {
	return scanAll(r, `SELECT rid, seq, born, fields, circles FROM journal_records WHERE coll = {:p0} AND rid IN (SELECT value FROM json_each({:p1})) AND gone = 0`,
		[]any{sh.no, list}, func(rows *dbx.Rows) error {
			var id string
			var seq, born int64
			var packed, circles []byte
			if err := rows.Scan(&id, &seq, &born, &packed, &circles); err != nil {
				return err
			}
			fields, err := unpackFields(born, packed)
			if err != nil {
				return err
			}
			places, err := unpackPlaces(circles)
			if err != nil {
				return err
			}
			rec := out[id]
			if rec == nil {
				return nil // its table has it not: it goes with the next absorption
			}
			rec.Seq, rec.Circles = seq, make(map[string]int64, len(places))
			for _, f := range fields {
				if i, ok := sh.byNo[f.no]; ok {
					rec.changed[i] = f.seq
				}
			}
			for _, p := range places {
				if p.left != 0 {
					continue
				}
				name, err := r.circleName(p.circle)
				if err != nil {
					return err
				}
				rec.Circles[name] = p.entered
			}
			return nil
		})
}

func (r *Reader) circleName(no int64) (string, error) {
	r.j.mu.RLock()
	name, ok := r.j.names[no]
	r.j.mu.RUnlock()
	if ok {
		return name, nil
	}
	if err := r.tx.QueryRow(`SELECT name FROM journal_circles WHERE no = ?`, no).Scan(&name); err != nil {
		return "", err
	}
	r.j.mu.Lock()
	r.j.circles[name], r.j.names[no] = no, name
	r.j.mu.Unlock()
	return name, nil
}

// Whole returns all fields that are not zero, as phones read them.
func (rec *Record) Whole() map[string]json.RawMessage {
	n := 0
	for _, w := range rec.wire {
		if w != nil {
			n++
		}
	}
	out := make(map[string]json.RawMessage, n)
	for i, c := range rec.shape.columns {
		if w := rec.wire[i]; w != nil {
			out[c.name] = w
		}
	}
	return out
}

// Since returns the fields that changed after a number; a field that is zero
// now is null. It is empty when only the record's circles changed.
func (rec *Record) Since(after int64) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for i, c := range rec.shape.columns {
		if rec.changed[i] <= after || c.mode == tracked {
			continue
		}
		if out[c.name] = rec.wire[i]; out[c.name] == nil {
			out[c.name] = json.RawMessage("null") // also a field that is hidden since
		}
	}
	return out
}
