package journal

import (
	"fmt"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// State is what the journal remembers of a record's fields, for the judge of an
// edit: who changed what, and when.
type State struct {
	Exists bool // the record is there
	Was    bool // it was there once
	Seq    int64
	floor  int64
	fields map[string]fieldState
}

// View looks records up, and absorbs, inside a transaction of edits. It prepares
// its statements once; it must be closed before the transaction ends.
type View struct {
	journal *Journal
	tx      core.App
	db      *writer
	shapes  *shapes
}

// View opens a view on a transaction. What others wrote must have been absorbed
// in it, or a write that is not yet absorbed would be overwritten unseen.
func (j *Journal) View(tx core.App) (*View, error) {
	v := &View{journal: j, tx: tx, db: &writer{db: tx.NonconcurrentDB()}}
	var err error
	v.shapes, err = j.load(v.db)
	return v, err
}

// Close frees the view's statements.
func (v *View) Close() { v.db.close() }

// State looks one record up inside a transaction, see [Journal.View].
func (j *Journal) State(tx core.App, coll, id string) (State, error) {
	v, err := j.View(tx)
	if err != nil {
		return State{}, err
	}
	defer v.Close()
	return v.State(coll, id)
}

// State returns what the journal knows of a record.
func (v *View) State(coll, id string) (State, error) {
	sh := v.shapes.byName[coll]
	if sh == nil {
		return State{}, nil
	}
	k, err := recordByID(v.db, sh.no, id)
	if err != nil {
		return State{}, err
	}
	if k == nil {
		var st State
		return st, scanOne(v.db, `SELECT floor FROM journal_meta`, nil, &st.floor)
	}
	st := State{Exists: k.gone == 0, Was: true, Seq: k.seq, fields: map[string]fieldState{}}
	for _, f := range k.fields {
		if i, ok := sh.byNo[f.no]; ok {
			st.fields[sh.columns[i].name] = f
		}
	}
	return st, nil
}

// Touched tells whether a record was written and is not absorbed yet.
func (v *View) Touched(coll, id string) (touched bool, err error) {
	sh := v.shapes.byName[coll]
	if sh == nil {
		return false, nil
	}
	err = scanOne(v.db, `SELECT EXISTS (SELECT 1 FROM journal_touched WHERE coll = {:p0} AND rid = {:p1})`, []any{sh.id, id}, &touched)
	return touched, err
}

// TouchedAny tells whether any record of some collections was.
func (v *View) TouchedAny(colls []string) (touched bool, err error) {
	for _, coll := range colls {
		sh := v.shapes.byName[coll]
		if sh == nil {
			continue
		}
		err = scanOne(v.db, `SELECT EXISTS (SELECT 1 FROM journal_touched WHERE coll = {:p0})`, []any{sh.id}, &touched)
		if err != nil || touched {
			return touched, err
		}
	}
	return false, nil
}

// Absorb gives numbers to what was written in the transaction, as [Journal.Absorb]
// does.
func (v *View) Absorb(by int64) error {
	var any bool
	if err := scanOne(v.db, `SELECT EXISTS (SELECT 1 FROM journal_touched)`, nil, &any); err != nil || !any {
		return err
	}
	if v.journal.measure != nil {
		defer func(begun time.Time) { v.journal.measure(time.Since(begun)) }(time.Now())
	}
	a := &absorption{journal: v.journal, by: by, db: v.db, shapes: v.shapes}
	if _, err := a.run(v.tx, true); err != nil {
		return fmt.Errorf("absorb: %w", err)
	}
	return nil
}

// Changes counts the rows written so far on the transaction's connection.
func (v *View) Changes() (n int64, err error) {
	err = scanOne(v.db, `SELECT total_changes()`, nil, &n)
	return n, err
}

// Forgotten tells whether a record that is not there may have been, for a phone
// that saw the state at base: what went before the floor is forgotten.
func (s State) Forgotten(base int64) bool { return !s.Exists && base > 0 && base <= s.floor }

// Apart tells whether the field was changed after base by another than phone.
func (s State) Apart(field string, base, phone int64) bool {
	f, ok := s.fields[field]
	return ok && f.seq > base && f.by != phone
}
