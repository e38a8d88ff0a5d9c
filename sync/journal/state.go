package journal

import (
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

// State looks a record up inside the transaction of an edit. Absorb must have
// run in it, or a write that is not yet absorbed would be overwritten unseen.
func (j *Journal) State(tx core.App, coll, id string) (State, error) {
	db := &writer{db: tx.NonconcurrentDB()}
	defer db.close()
	ss, err := j.load(db)
	if err != nil {
		return State{}, err
	}
	sh := ss.byName[coll]
	if sh == nil {
		return State{}, nil
	}
	known, err := recordsByID(db, sh.no, []string{id})
	if err != nil {
		return State{}, err
	}
	if known[id] == nil {
		var st State
		return st, scanOne(db, `SELECT floor FROM journal_meta`, nil, &st.floor)
	}
	k := known[id]
	st := State{Exists: k.gone == 0, Was: true, Seq: k.seq, fields: map[string]fieldState{}}
	for _, f := range k.fields {
		if i, ok := sh.byNo[f.no]; ok {
			st.fields[sh.columns[i].name] = f
		}
	}
	return st, nil
}

// Forgotten tells whether a record that is not there may have been, for a phone
// that saw the state at base: what went before the floor is forgotten.
func (s State) Forgotten(base int64) bool { return !s.Exists && base > 0 && base <= s.floor }

// Apart tells whether the field was changed after base by another than phone.
func (s State) Apart(field string, base, phone int64) bool {
	f, ok := s.fields[field]
	return ok && f.seq > base && f.by != phone
}
