package push

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"langso/commune"
	"langso/sync/wire"
)

// What a person may take of two values.
const (
	takeTheirs = "theirs" // what stands
	takeMine   = "mine"   // what the edit brought
	takeValue  = "value"  // another
)

var (
	errArgs  = commune.Refuse("bad_args", "Nội dung của việc này không đọc được.")
	errAgain = commune.Refuse("changed_again", "Mục này vừa có người sửa sau khi bác xem. Mời bác xem lại rồi chọn.")
)

// words of a decision, for who comes second and for the maker.
var words = map[string]string{takeTheirs: "giữ giá trị đang có", takeMine: "lấy giá trị người gửi", takeValue: "ghi giá trị khác"}

// Decision is what a person settles a parked edit with.
type Decision struct {
	Take   string // mine, theirs or value
	Fields map[string]json.RawMessage
	Author commune.Author
	Name   string // how the maker knows who decided
	Now    time.Time
	At     time.Time // when they pressed
	Say    string    // told to the maker

	base, phone int64 // what the author saw, where a phone says so
	looked      bool
	ctx         context.Context
}

// decide is an officer's decision from a phone.
func (s *session) decide(tx core.App, e *wire.Edit) (wire.Verdict, error) {
	var ask struct {
		Phone  string                     `json:"phone"`
		N      int64                      `json:"n"`
		Take   string                     `json:"take"`
		Fields map[string]json.RawMessage `json:"fields"`
	}
	if json.Unmarshal(e.Args, &ask) != nil || words[ask.Take] == "" {
		return wire.Verdict{}, errArgs
	}
	var id string
	err := tx.NonconcurrentDB().NewQuery(`SELECT id FROM parked_edits WHERE phone = {:phone} AND n = {:n}`).
		Bind(dbx.Params{"phone": ask.Phone, "n": ask.N}).Row(&id)
	if notFound(err) {
		return wire.Verdict{}, errNotFound
	}
	if err != nil {
		return wire.Verdict{}, err
	}
	parked, err := tx.FindRecordById("parked_edits", id)
	if err != nil {
		return wire.Verdict{}, err
	}
	d := Decision{Take: ask.Take, Fields: ask.Fields, Author: s.author, Name: s.personName(tx, s.author.Person), Now: s.now, At: s.when(e.At),
		base: int64(e.Base), phone: s.phone.No, looked: true, ctx: s.ctx}
	if s.phone.Foreign {
		d.base = 0
	}
	if err := s.Settle(tx, parked, d); err != nil {
		return wire.Verdict{}, err
	}
	if err := tx.SaveNoValidateWithContext(commune.WithAuthor(s.ctx, s.author, d.At), parked); err != nil {
		return wire.Verdict{}, err
	}
	return wire.Verdict{N: e.N, Is: wire.Taken, Result: map[string]any{"take": ask.Take}}, nil
}

// Settle carries a decision out: it writes the record, notes on the parked edit
// what was decided and tells its maker's phone. The caller saves the parked edit,
// in the same transaction. An error is a refusal, and then nothing was written.
func (j *Judge) Settle(tx core.App, parked *core.Record, d Decision) error {
	if d.ctx == nil {
		d.ctx = context.Background()
	}
	_, decl := commune.Find(j.Domains, parked.GetString("coll"))
	admin := d.Author.Admin != ""
	var r *core.Record
	if decl != nil {
		var err error
		if r, err = tx.FindRecordById(decl.Name, parked.GetString("record")); err != nil && !notFound(err) {
			return err
		}
	}
	may := admin || r != nil && slices.ContainsFunc(decl.Settlers().Of(r), d.Author.Stands)
	if !may {
		return errNotFound // it may not even be known to be there
	}
	if parked.GetString("state") != "waiting" {
		return settledBefore(parked)
	}
	if d.Take != takeTheirs || len(d.Fields) > 0 || r != nil && slices.Contains(decidable, parked.GetString("code")) {
		if r == nil {
			return commune.Refuse("record_gone", "Hồ sơ đã bị xóa hoặc chuyển đi, không ghi vào được nữa.")
		}
		w := &settlement{judge: j, tx: tx, decl: decl, record: r, decision: d}
		if err := w.write(parked); err != nil {
			return err
		}
	}
	parked.Set("state", "settled")
	parked.Set("circles", []string{})
	parked.Set("take", d.Take)
	parked.Set("value", d.Fields)
	parked.Set("by", d.Author.Person+d.Author.Admin)
	parked.Set("by_name", clip(d.Name))
	parked.Set("settled_at", commune.Moment(d.Now))
	return tell(tx, parked, d)
}

func settledBefore(parked *core.Record) error {
	who := parked.GetString("by_name")
	if who == "" || words[parked.GetString("take")] == "" {
		return commune.Refuse("settled_before", "Việc này đã được giải quyết rồi.")
	}
	return commune.Refuse("settled_before", "%s đã quyết việc này trước: %s.", who, words[parked.GetString("take")])
}

// tell writes the record by which the maker's phone learns of the decision. It
// holds no value: the maker may have no part in the record any more.
func tell(tx core.App, parked *core.Record, d Decision) error {
	coll, err := tx.FindCachedCollectionByNameOrId("settlements")
	if notFound(err) || parked.GetString("person") == "" {
		return nil
	}
	if err != nil {
		return err
	}
	r := core.NewRecord(coll)
	for _, field := range []string{"person", "phone", "n"} {
		r.Set(field, parked.Get(field))
	}
	r.Set("take", d.Take)
	r.Set("by_name", clip(d.Name))
	r.Set("at", commune.Moment(d.Now))
	r.Set("say", d.Say)
	return tx.SaveNoValidate(r)
}

// settlement is one decision being written into its record.
type settlement struct {
	judge    *Judge
	tx       core.App
	decl     *commune.Collection
	record   *core.Record
	decision Decision
}

// write does to the record what was decided. What the edit changed and nobody
// else did is written whatever was decided: it was never in question.
func (w *settlement) write(parked *core.Record) error {
	edit, err := wire.DecodeEdit([]byte(parked.GetString("edit")))
	if err != nil {
		return errArgs
	}
	state, err := w.judge.Journal.State(w.tx, w.decl.Name, w.record.Id)
	if err != nil {
		return err
	}
	if edit.Delete {
		return w.delete(state.Exists)
	}
	maker, err := w.maker(parked)
	if err != nil {
		return err
	}
	met := map[string]json.RawMessage{}
	_ = json.Unmarshal([]byte(parked.GetString("theirs")), &met) // none: then the numbers alone tell
	one := &writing{session: &session{Judge: w.judge, phone: maker}, tx: w.tx, decl: w.decl, edit: edit}
	arrived, err := types.ParseDateTime(parked.GetString("at"))
	if err != nil {
		return err
	}
	for field, name := range one.rename(arrived.Time()) { // it was taken under its old name then
		if v, ok := met[name]; ok {
			met[field] = v
		}
	}
	edit = one.edit
	for field := range w.decision.Fields {
		if _, changed := edit.Change[field]; !changed {
			return errArgs
		}
	}
	for _, field := range slices.Sorted(maps.Keys(edit.Change)) {
		mine, err := one.changed(w.record.Collection(), field)
		if err != nil {
			return err
		}
		_, apart := met[field] // also where the base is of a history that is no more
		apart = apart || state.Apart(field, int64(edit.Base), maker.No)
		if err := w.field(one, field, mine, apart, w.since(state.Apart, field)); err != nil {
			return err
		}
	}
	for _, field := range slices.Sorted(maps.Keys(edit.Add)) {
		delta, err := edit.Add[field].Float64()
		if err != nil {
			return errArgs
		}
		if err := w.field(one, field, delta, false, false); err != nil {
			return err
		}
	}
	return w.save()
}

// since tells whether a field was changed after the decider looked.
func (w *settlement) since(apart func(string, int64, int64) bool, field string) bool {
	return w.decision.looked && apart(field, w.decision.base, w.decision.phone)
}

// field settles one field of the edit: by the decision where two values met,
// else by its policy.
func (w *settlement) field(one *writing, field string, mine any, apart, since bool) error {
	policy, stands := one.policy(field), plainValue(w.record, field)
	if question := apart && (policy.IsAsk() || policy == commune.Merge); question {
		if since {
			return errAgain
		}
		switch value, other := w.decision.Fields[field]; {
		case w.decision.Take == takeMine:
			w.record.Set(field, mine)
		case w.decision.Take == takeValue && other:
			v, err := one.value(w.record.Collection(), field, value)
			if err != nil {
				return err
			}
			w.record.Set(field, v)
		}
		return nil
	}
	got, err := policy.Settle(field, stands, mine, apart)
	if err != nil {
		return err
	}
	if got.Write {
		w.record.Set(field, got.Value)
	}
	return nil
}

func (w *settlement) delete(there bool) error {
	if w.decision.Take == takeValue {
		return errArgs
	}
	if w.decision.Take != takeMine || !there {
		return nil
	}
	state, err := w.judge.Journal.State(w.tx, w.decl.Name, w.record.Id)
	if err != nil {
		return err
	}
	for _, f := range w.record.Collection().Fields {
		if w.since(state.Apart, f.GetName()) {
			return errAgain
		}
	}
	return w.tx.DeleteWithContext(w.context(), w.record)
}

func (w *settlement) save() error {
	if err := w.tx.SaveWithContext(w.context(), w.record); err != nil {
		return err
	}
	if w.decision.Author.Admin == "" && !slices.ContainsFunc(w.decl.Settlers().Of(w.record), w.decision.Author.Stands) {
		return errNotYours // and after: no decision moves a record out of the decider's circles
	}
	return nil
}

func (w *settlement) context() context.Context {
	return commune.WithAuthor(w.decision.ctx, w.decision.Author, w.decision.At)
}

// maker is the phone whose edit it was, to know what others changed.
func (w *settlement) maker(parked *core.Record) (Phone, error) {
	p := Phone{ID: parked.GetString("phone")}
	err := w.tx.NonconcurrentDB().NewQuery(`SELECT no FROM sync_phones WHERE phone = {:phone}`).Bind(dbx.Params{"phone": p.ID}).Row(&p.No)
	if notFound(err) {
		err = nil
	}
	return p, err
}
