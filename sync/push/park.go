package push

import (
	"encoding/json"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/wire"
)

// decidable are the reasons to wait that a person settles by choosing a value.
// The others wait for an upgrade or for the maker; administrators see them all.
var decidable = []string{"needs_person", "changed_since"}

// show writes on a parked edit who made it and which circles may decide it.
func (s *session) show(tx core.App, parked *core.Record) error {
	parked.Set("at", commune.Moment(s.now))
	parked.Set("maker", clip(s.personName(tx, s.author.Person)))
	return s.regroup(tx, parked)
}

// regroup sets the circles that may decide a parked edit, by the record as it
// stands now: it is shown to nobody else.
func (j *Judge) regroup(tx core.App, parked *core.Record) error {
	circles, seq := []string{}, int64(0)
	if _, decl := commune.Find(j.Domains, parked.GetString("coll")); decl != nil && slices.Contains(decidable, parked.GetString("code")) {
		state, err := j.Journal.State(tx, decl.Name, parked.GetString("record"))
		if err != nil {
			return err
		}
		seq = state.Seq
		r, err := tx.FindRecordById(decl.Name, parked.GetString("record"))
		if err != nil && !notFound(err) {
			return err
		}
		if err == nil {
			for _, c := range decl.Settlers().Of(r) {
				circles = append(circles, string(c))
			}
		}
	}
	parked.Set("circles", circles)
	parked.Set("seq", seq)
	return nil
}

// Follow keeps parked edits with those who may decide about their records: a
// record that moved to another station takes along what waits about it. It costs
// one look when nothing moved.
func (j *Judge) Follow(app core.App) error {
	var ids []string
	err := app.ConcurrentDB().NewQuery(`SELECT p.id FROM parked_edits p JOIN journal_collections c ON c.name = p.coll
		JOIN journal_records r ON r.coll = c.no AND r.rid = p.record
		WHERE p.state = 'waiting' AND p.code IN ('needs_person', 'changed_since') AND r.seq > p.seq`).Column(&ids)
	if err != nil || len(ids) == 0 {
		return err
	}
	return app.RunInTransaction(func(tx core.App) error {
		for _, id := range ids {
			parked, err := tx.FindRecordById("parked_edits", id)
			if err != nil {
				return err
			}
			if err := j.regroup(tx, parked); err != nil {
				return err
			}
			if err := tx.SaveNoValidate(parked); err != nil {
				return err
			}
		}
		return nil
	})
}

// personName is what officers call the maker; "" where nobody is called anything.
func (j *Judge) personName(tx core.App, id string) (name string) {
	if j.Called == nil {
		return ""
	}
	return j.Called(tx, id)
}

// withdraw: the maker gives a parked edit up, so nobody need decide it.
func (s *session) withdraw(tx core.App, e *wire.Edit) (wire.Verdict, error) {
	var ask struct {
		N int64 `json:"n"`
	}
	if json.Unmarshal(e.Args, &ask) != nil {
		return wire.Verdict{}, errArgs
	}
	_, err := tx.NonconcurrentDB().NewQuery(`UPDATE parked_edits SET state = 'dropped', circles = '[]' WHERE state = 'waiting' AND phone = {:phone} AND n = {:n}`).
		Bind(dbx.Params{"phone": s.phone.ID, "n": ask.N}).Execute()
	return wire.Verdict{N: e.N, Is: wire.Taken}, err
}
