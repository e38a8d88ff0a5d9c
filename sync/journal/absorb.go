package journal

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// batch is how many touched records one transaction absorbs when nobody waits
// inside it: the writer must not be held for long.
const batch = 500

// Absorb gives numbers to everything that was touched and truly changed. Given
// a transaction's app it is part of that transaction and leaves nothing
// touched; given the app itself it works in transactions of its own, some
// hundred records each. by is the number of the phone whose edit it was, 0 the
// server's.
func (j *Journal) Absorb(app core.App, by int64) error {
	// Mostly nothing is touched, and a reader can see that without the writer.
	var any bool
	if err := app.ConcurrentDB().NewQuery(`SELECT EXISTS (SELECT 1 FROM journal_touched)`).Row(&any); err != nil || !any {
		return err
	}
	if j.measure != nil {
		defer func(begun time.Time) { j.measure(time.Since(begun)) }(time.Now())
	}
	for {
		done := false
		a := &absorption{journal: j, by: by}
		err := app.RunInTransaction(func(tx core.App) error {
			var err error
			done, err = a.run(tx, app.IsTransactional())
			return err
		})
		if err != nil {
			return fmt.Errorf("absorb: %w", err)
		}
		if !app.IsTransactional() {
			a.committed()
		}
		if done {
			return nil
		}
	}
}

// absorption is one transaction's work.
type absorption struct {
	journal *Journal
	by      int64

	db      *writer // nil: one of its own
	shapes  *shapes // nil: as they are now
	seq     int64
	circles map[string]int64 // made in this transaction, not yet committed
	names   map[int64]string // of circles, read or made in this transaction
	tally   tally
}

// touched is one record to look at.
type touched struct{ coll, rid string }

func (a *absorption) run(tx core.App, all bool) (done bool, err error) {
	if a.db == nil {
		a.db = &writer{db: tx.NonconcurrentDB()}
		defer a.db.close()
	}
	a.circles, a.names, a.tally = map[string]int64{}, map[int64]string{}, tally{}
	first := true
	for {
		ts, err := a.next()
		if err != nil || len(ts) == 0 {
			return err == nil, err
		}
		if first {
			first = false
			if a.shapes == nil {
				if a.shapes, err = a.journal.load(a.db); err != nil {
					return false, err
				}
			}
			if err = scanOne(a.db, `SELECT seq FROM journal_meta`, nil, &a.seq); err != nil {
				return false, err
			}
		}
		// First all marks of the batch go: what routes touch below, in it or not,
		// is looked at again.
		last := ts[len(ts)-1]
		if err = a.db.exec(`DELETE FROM journal_touched WHERE (coll, rid) <= ({:p0}, {:p1})`, last.coll, last.rid); err != nil {
			return false, err
		}
		before := a.seq
		for start := 0; start < len(ts); {
			end := start
			for end < len(ts) && ts[end].coll == ts[start].coll {
				end++
			}
			if err := a.collection(ts[start].coll, ts[start:end]); err != nil {
				return false, err
			}
			start = end
		}
		if a.seq != before {
			if err := a.db.exec(`UPDATE journal_meta SET seq = {:p0}`, a.seq); err != nil {
				return false, err
			}
			if err := a.tally.store(a.db); err != nil {
				return false, err
			}
			if err := a.tell(tx); err != nil {
				return false, err
			}
			a.tally = tally{}
		}
		if !all {
			return len(ts) < batch && !a.again(), nil
		}
	}
}

// again tells whether routes touched more records.
func (a *absorption) again() bool {
	var more bool
	err := scanOne(a.db, `SELECT EXISTS (SELECT 1 FROM journal_touched)`, nil, &more)
	return err != nil || more
}

func (a *absorption) next() ([]touched, error) {
	var ts []touched
	err := scanAll(a.db, `SELECT coll, rid FROM journal_touched ORDER BY coll, rid LIMIT {:p0}`, []any{batch}, func(rows *dbx.Rows) error {
		var t touched
		err := rows.Scan(&t.coll, &t.rid)
		ts = append(ts, t)
		return err
	})
	return ts, err
}

// collection absorbs touched records of one collection, in order of their ids.
func (a *absorption) collection(id string, ts []touched) error {
	var no int64
	sh := a.shapes.byID[id]
	if sh != nil {
		no = sh.no
	} else if err := scanOne(a.db, `SELECT coalesce(max(no), 0) FROM journal_collections WHERE coll = {:p0}`, []any{id}, &no); err != nil || no == 0 {
		return err
	}
	ids := make([]string, len(ts))
	for i, t := range ts {
		ids[i] = t.rid
	}
	var err error
	rows := map[string]Row{}
	if sh != nil {
		if rows, err = sh.rowsByID(a.db, ids); err != nil {
			return err
		}
	}
	olds, err := recordsByID(a.db, no, ids)
	if err != nil {
		return err
	}
	before := a.seq
	for _, rid := range ids {
		row, exists := rows[rid]
		old, known := olds[rid]
		switch {
		case !exists && known && old.live():
			err = a.leave(no, old)
		case exists && (!known || old.gone != 0):
			err = a.enter(sh, row, old)
		case exists:
			err = a.compare(sh, row, old)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", rid, err)
		}
	}
	if a.seq == before {
		return nil
	}
	return a.db.exec(`UPDATE journal_collections SET last = {:p0} WHERE no = {:p1}`, a.seq, no)
}

// record is what the journal holds of one record.
type record struct {
	rid             string
	seq, born, gone int64
	fields          []fieldState
	places          []place
}

func recordsByID(q rower, no int64, ids []string) (map[string]*record, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*record, len(ids))
	err = scanAll(q, `SELECT rid, seq, born, gone, fields, circles FROM journal_records WHERE coll = {:p0} AND rid IN (SELECT value FROM json_each({:p1}))`,
		[]any{no, string(list)}, func(rows *dbx.Rows) error {
			r, err := scanRecord(rows)
			if err == nil {
				out[r.rid] = r
			}
			return err
		})
	return out, err
}

// recordByID is nil for a record that was never there.
func recordByID(q rower, no int64, id string) (r *record, err error) {
	err = scanAll(q, `SELECT rid, seq, born, gone, fields, circles FROM journal_records WHERE coll = {:p0} AND rid = {:p1}`,
		[]any{no, id}, func(rows *dbx.Rows) error {
			r, err = scanRecord(rows)
			return err
		})
	return r, err
}

func scanRecord(rows *dbx.Rows) (*record, error) {
	var r record
	var fields, places []byte
	if err := rows.Scan(&r.rid, &r.seq, &r.born, &r.gone, &fields, &places); err != nil {
		return nil, err
	}
	var err error
	if r.fields, err = unpackFields(r.born, fields); err != nil {
		return nil, err
	}
	r.places, err = unpackPlaces(places)
	return &r, err
}

// live tells whether the record is in some circle still.
func (r *record) live() bool {
	return r.gone == 0 || slices.ContainsFunc(r.places, func(p place) bool { return p.left == 0 })
}

// leave: the row is gone. It leaves every circle it was in.
func (a *absorption) leave(no int64, r *record) error {
	s := a.number()
	for i, p := range r.places {
		if p.left != 0 {
			continue
		}
		if err := a.move(no, r.rid, p, r.seq, s, true, false); err != nil {
			return err
		}
		r.places[i].left = s
	}
	r.seq, r.gone, r.fields = s, s, nil
	if err := a.store(no, r); err != nil {
		return err
	}
	sh := a.shapes.byNo[no]
	if sh == nil {
		return nil
	}
	// Who followed it follows nothing now.
	return a.reroute(sh, Row{ID: r.rid, shape: sh, values: make([]any, len(sh.columns))}, sh.columns)
}

// enter: the row is new, or there again after it was gone.
func (a *absorption) enter(sh *shape, row Row, old *record) error {
	if again, err := a.fillRoutes(sh, row, nil); again || err != nil {
		return err
	}
	s := a.number()
	r := &record{rid: row.ID, seq: s, born: s}
	for i, c := range sh.columns {
		if c.mode == off {
			continue
		}
		if h := hash(a.shapes.salt, c.kind.wire(row.values[i])); h != 0 {
			r.fields = append(r.fields, fieldState{no: c.no, seq: s, by: a.by, hash: h})
		}
	}
	if old != nil {
		for _, p := range old.places {
			if p.left != 0 {
				r.places = append(r.places, p)
				continue
			}
			// It is to be sent whole: it enters anew where it was.
			if err := a.db.exec(`DELETE FROM journal_entries WHERE circle = {:p0} AND seq = {:p1}`, p.circle, old.seq); err != nil {
				return err
			}
			if err := a.counted(p.circle, sh.Name, row.ID, old.seq, -1); err != nil {
				return err
			}
		}
	}
	if err := a.place(sh, row, r, r.seq); err != nil {
		return err
	}
	return a.reroute(sh, row, sh.columns) // raw SQL may have written the followers first
}

// compare: only what truly differs gets a number.
func (a *absorption) compare(sh *shape, row Row, r *record) error {
	known := make(map[int64]int, len(r.fields))
	for i, f := range r.fields {
		known[f.no] = i
	}
	var changed []column
	was := r.seq
	s := a.seq + 1
	for i, c := range sh.columns {
		var h uint64
		if c.mode != off {
			h = hash(a.shapes.salt, c.kind.wire(row.values[i]))
		}
		at, have := known[c.no]
		switch {
		case have && r.fields[at].hash != h:
			r.fields[at] = fieldState{no: c.no, seq: s, by: a.by, hash: h}
		case !have && h != 0:
			r.fields = append(r.fields, fieldState{no: c.no, seq: s, by: a.by, hash: h})
		default:
			continue
		}
		changed = append(changed, c)
	}
	if again, err := a.fillRoutes(sh, row, changed); again || err != nil {
		return err
	}
	circlesSame, err := a.sameCircles(sh, row, r)
	if err != nil || (len(changed) == 0 && circlesSame) {
		return err
	}
	a.seq, r.seq = s, s
	if err := a.place(sh, row, r, was); err != nil {
		return err
	}
	return a.reroute(sh, row, changed)
}

func (a *absorption) number() int64 { a.seq++; return a.seq }

func (a *absorption) sameCircles(sh *shape, row Row, r *record) (bool, error) {
	live := 0
	for _, p := range r.places {
		if p.left == 0 {
			live++
		}
	}
	now := sh.Circles(row)
	if len(now) != live {
		return false, nil
	}
	for _, name := range now {
		no, err := a.circle(name)
		if err != nil {
			return false, err
		}
		if !slices.ContainsFunc(r.places, func(p place) bool { return p.circle == no && p.left == 0 }) {
			return false, nil
		}
	}
	return true, nil
}

// place puts the record into the circles of its row at number r.seq. was is its
// number before, under which its live entries stand.
func (a *absorption) place(sh *shape, row Row, r *record, was int64) error {
	now := map[int64]bool{}
	for _, name := range sh.Circles(row) {
		no, err := a.circle(name)
		if err != nil {
			return err
		}
		now[no] = true
	}
	for i, p := range r.places {
		switch {
		case p.left == 0 && now[p.circle]: // stays
			if err := a.move(sh.no, r.rid, p, was, r.seq, true, true); err != nil {
				return err
			}
		case p.left == 0: // leaves
			if err := a.move(sh.no, r.rid, p, was, r.seq, true, false); err != nil {
				return err
			}
			r.places[i].left = r.seq
		case now[p.circle]: // comes back
			back := place{circle: p.circle, entered: r.seq}
			if err := a.move(sh.no, r.rid, back, p.left, r.seq, false, true); err != nil {
				return err
			}
			r.places[i] = back
		}
		delete(now, p.circle)
	}
	fresh := make([]int64, 0, len(now))
	for no := range now {
		fresh = append(fresh, no)
	}
	slices.Sort(fresh)
	for _, no := range fresh {
		p := place{circle: no, entered: r.seq}
		if err := a.move(sh.no, r.rid, p, 0, r.seq, false, true); err != nil {
			return err
		}
		r.places = append(r.places, p)
	}
	return a.store(sh.no, r)
}

// move puts the record's entry in a circle from number was to number s; an entry
// that was live until now has wasLive.
func (a *absorption) move(coll int64, rid string, p place, was, s int64, wasLive, live bool) error {
	name := a.shapes.names[coll]
	if was != 0 {
		if err := a.db.exec(`DELETE FROM journal_entries WHERE circle = {:p0} AND seq = {:p1}`, p.circle, was); err != nil {
			return err
		}
	}
	if wasLive {
		if err := a.counted(p.circle, name, rid, was, -1); err != nil {
			return err
		}
	}
	left := 1
	if live {
		left = 0
		if err := a.counted(p.circle, name, rid, s, 1); err != nil {
			return err
		}
	}
	return a.db.exec(`INSERT INTO journal_entries (circle, seq, coll, rid, entered, out) VALUES ({:p0}, {:p1}, {:p2}, {:p3}, {:p4}, {:p5})`,
		p.circle, s, coll, rid, p.entered, left)
}

func (a *absorption) store(coll int64, r *record) error {
	return a.db.exec(`INSERT INTO journal_records (coll, rid, seq, born, gone, fields, circles) VALUES ({:p0}, {:p1}, {:p2}, {:p3}, {:p4}, {:p5}, {:p6})
		ON CONFLICT (coll, rid) DO UPDATE SET seq = excluded.seq, born = excluded.born, gone = excluded.gone, fields = excluded.fields, circles = excluded.circles`,
		coll, r.rid, r.seq, r.born, r.gone, packFields(r.born, r.fields), packPlaces(r.places))
}

// circle returns the number of a circle, making one when it is new. Numbers
// made in a transaction are remembered only once it is committed.
func (a *absorption) circle(name string) (int64, error) {
	if no, ok := a.circles[name]; ok {
		return no, nil
	}
	a.journal.mu.RLock()
	no, ok := a.journal.circles[name]
	a.journal.mu.RUnlock()
	if ok {
		return no, nil
	}
	if err := a.db.exec(`INSERT INTO journal_circles (name) VALUES ({:p0}) ON CONFLICT DO NOTHING`, name); err != nil {
		return 0, err
	}
	if err := scanOne(a.db, `SELECT no FROM journal_circles WHERE name = {:p0}`, []any{name}, &no); err != nil {
		return 0, err
	}
	a.circles[name], a.names[no] = no, name
	return no, nil
}

func (a *absorption) committed() {
	j := a.journal
	j.mu.Lock()
	for name, no := range a.circles {
		j.circles[name], j.names[no] = no, name
	}
	j.mu.Unlock()
	if a.shapes != nil {
		j.keep(a.shapes)
	}
}

// fillRoutes sets the routed fields of a record that is new or whose Via field
// changed (changed is nil for a new one). When it had to, the record is touched
// again and this look at it was in vain.
func (a *absorption) fillRoutes(sh *shape, row Row, changed []column) (again bool, err error) {
	for _, route := range sh.Routes {
		if changed != nil && !slices.ContainsFunc(changed, func(c column) bool { return c.name == route.Via || c.name == route.Field }) {
			continue
		}
		via := row.GetString(route.Via)
		want := ""
		if of := a.shapes.byName[route.Of]; of != nil && via != "" {
			err := scanOne(a.db, `SELECT coalesce(max([[`+route.From+`]]), '') FROM {{`+route.Of+`}} WHERE [[id]] = {:p0}`, []any{via}, &want)
			if err != nil {
				return false, err
			}
		}
		if row.GetString(route.Field) == want {
			continue
		}
		again = true
		if err := a.db.exec(`UPDATE {{`+sh.Name+`}} SET [[`+route.Field+`]] = {:p0} WHERE [[id]] = {:p1}`, want, row.ID); err != nil {
			return false, err
		}
	}
	return again, nil
}

// reroute rewrites the fields of other records that follow a changed field of
// this one.
func (a *absorption) reroute(sh *shape, row Row, changed []column) error {
	for _, other := range a.shapes.byName {
		for _, route := range other.Routes {
			if route.Of != sh.Name || !slices.ContainsFunc(changed, func(c column) bool { return c.name == route.From }) {
				continue
			}
			err := a.db.exec(`UPDATE {{`+other.Name+`}} SET [[`+route.Field+`]] = {:p0} WHERE [[`+route.Via+`]] = {:p1} AND [[`+route.Field+`]] IS NOT {:p0}`,
				row.GetString(route.From), row.ID)
			if err != nil {
				return err
			}
		}
	}
	return nil
}
