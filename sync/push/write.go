package push

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/wire"
)

var (
	errNotFound = commune.Refuse("not_found", "Không tìm thấy mục này.")
	errNotYours = commune.Refuse("not_yours", "Bác không có quyền sửa mục này.")
	errGone     = commune.Park("record_gone", "Hồ sơ đã bị xóa hoặc chuyển đi. Những gì bác ghi vẫn được giữ.")
	errAction   = commune.Refuse("by_action_only", "Mục này không sửa trực tiếp được. Mời bác bấm nút việc cần làm.")
)

// write applies an edit of a record.
func (s *session) write(tx core.App, e *wire.Edit) (wire.Verdict, error) {
	_, decl := commune.Find(s.Domains, e.Coll)
	if decl == nil {
		return wire.Verdict{}, commune.Park("unknown_collection", "Máy chủ chưa biết loại mục này, sẽ nhận khi được nâng cấp.")
	}
	if len(decl.Write) == 0 {
		return wire.Verdict{}, errAction
	}
	w := &writing{session: s, tx: tx, decl: decl, edit: e, verdict: wire.Verdict{N: e.N, Is: wire.Taken}}
	old := w.rename(s.now)
	var err error
	switch {
	case e.Create != nil:
		err = w.create()
	case e.Delete:
		err = w.delete()
	default:
		err = w.change()
	}
	w.oldNames(old)
	return w.verdict, err
}

// rename puts names of now for those that an older app gave its fields, and
// returns the old ones.
func (w *writing) rename(now time.Time) map[string]string {
	if len(w.decl.Aliases) == 0 {
		return nil
	}
	e := *w.edit
	all := map[string]string{}
	var old map[string]string
	if e.Create, old = commune.Renamed(w.decl.Aliases, e.Create, now); old != nil {
		maps.Copy(all, old)
	}
	if e.Change, old = commune.Renamed(w.decl.Aliases, e.Change, now); old != nil {
		maps.Copy(all, old)
	}
	if e.Add, old = commune.Renamed(w.decl.Aliases, e.Add, now); old != nil {
		maps.Copy(all, old)
	}
	w.edit = &e
	return all
}

// oldNames tells the older app what was met in the words that it knows.
func (w *writing) oldNames(old map[string]string) {
	for field, name := range old {
		if met, ok := w.verdict.Met[field]; ok {
			delete(w.verdict.Met, field)
			w.verdict.Met[name] = met
		}
	}
}

// writing is one edit of one record.
type writing struct {
	*session
	tx      core.App
	decl    *commune.Collection
	edit    *wire.Edit
	verdict wire.Verdict
}

func (w *writing) create() error {
	if !commune.ValidID(w.edit.ID) {
		return commune.Refuse("bad_id", "Mã của mục không hợp lệ.")
	}
	coll, err := w.tx.FindCachedCollectionByNameOrId(w.decl.Name)
	if err != nil {
		return err
	}
	state, err := w.view.State(w.decl.Name, w.edit.ID)
	if err != nil {
		return err
	}
	if state.Was && !state.Exists {
		return errGone
	}
	r := core.NewRecord(coll)
	r.Id = w.edit.ID
	for _, field := range slices.Sorted(maps.Keys(w.edit.Create)) {
		value, err := w.value(coll, field, w.edit.Create[field])
		if err != nil {
			return err
		}
		r.Set(field, value)
	}
	if state.Exists {
		return w.again(r)
	}
	if err := w.save(r); err != nil {
		return err
	}
	// The rules look at the record as it was stored, with the server's own
	// fields: they must hold after the edit.
	if !w.stands(w.decl.Write, r) {
		return errNotYours
	}
	return nil
}

// again: the record is there. The same once more is no news, another is refused.
func (w *writing) again(mine *core.Record) error {
	theirs, err := w.tx.FindRecordById(w.decl.Name, w.edit.ID)
	if err != nil {
		return err
	}
	if err := w.mayWrite(theirs, commune.Refuse("exists", "Mã này đã có rồi, xin ghi lại mục mới.")); err != nil {
		return err
	}
	for field := range w.edit.Create {
		if !commune.Same(plainValue(theirs, field), plainValue(mine, field)) {
			return commune.Refuse("exists", "Mã này đã có rồi, xin ghi lại mục mới.")
		}
	}
	return nil
}

// load reads the record of a change or deletion, if the author may write it.
func (w *writing) load() (*core.Record, error) {
	r, err := w.tx.FindRecordById(w.decl.Name, w.edit.ID)
	if notFound(err) {
		state, err := w.view.State(w.decl.Name, w.edit.ID)
		if err != nil {
			return nil, err
		}
		if state.Was || state.Forgotten(int64(w.edit.Base)) {
			return nil, errGone
		}
		return nil, errNotFound
	}
	if err != nil {
		return nil, err
	}
	return r, w.mayWrite(r, errNotYours)
}

// mayWrite holds when the author stands in one of the record's write circles.
// Who may not even read it is told that it is not there.
func (w *writing) mayWrite(r *core.Record, no error) error {
	if w.stands(w.decl.Write, r) {
		return nil
	}
	if !w.stands(w.decl.Read, r) && errors.Is(no, errNotYours) {
		return errNotFound
	}
	return no
}

func (w *writing) stands(rules commune.Circles, r *core.Record) bool {
	return slices.ContainsFunc(rules.Of(r), w.author.Stands)
}

func (w *writing) change() error {
	r, err := w.load()
	if err != nil {
		return err
	}
	if w.decl.Conflict == commune.AppendOnly {
		return commune.Refuse("append_only", "Mục đã ghi thì không sửa. Hãy ghi một mục đính chính.")
	}
	state, err := w.view.State(w.decl.Name, w.edit.ID)
	if err != nil {
		return err
	}
	var asked error
	write := false
	for _, field := range slices.Sorted(maps.Keys(w.edit.Change)) {
		if w.policy(field).IsSum() {
			return commune.Refuse("bad_value", "Mục này chỉ cộng hoặc trừ, không ghi đè.")
		}
		mine, err := w.changed(r.Collection(), field)
		if err != nil {
			return err
		}
		write, err = w.settle(r, field, mine, state.Apart(field, w.base(), w.phone.No), write)
		if commune.Parked(err) != nil {
			asked = err // and on: a person is to see at once all that was met
			continue
		}
		if err != nil {
			return err
		}
	}
	for _, field := range slices.Sorted(maps.Keys(w.edit.Add)) {
		if !w.policy(field).IsSum() {
			return commune.Refuse("bad_value", "Mục này không cộng trừ được.")
		}
		delta, err := w.edit.Add[field].Float64()
		if err != nil {
			return commune.Refuse("bad_value", "Số không đọc được, xin nhập lại.")
		}
		if _, err := w.value(r.Collection(), field, json.RawMessage(w.edit.Add[field])); err != nil {
			return err
		}
		if write, err = w.settle(r, field, delta, state.Apart(field, w.base(), w.phone.No), write); err != nil {
			return err
		}
	}
	if asked != nil {
		return asked
	}
	if !write {
		return nil
	}
	if err := w.save(r); err != nil {
		return err
	}
	if !w.stands(w.decl.Write, r) {
		return errNotYours // and after: nobody moves a record into another's circle, or a stranger's into his own
	}
	return nil
}

// changed reads a field's new value, or for a list what is added and taken out.
func (w *writing) changed(coll *core.Collection, field string) (any, error) {
	raw := w.edit.Change[field]
	if !w.policy(field).IsSet() {
		return w.value(coll, field, raw)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, commune.Refuse("bad_value", "Ô «%s» không nhận giá trị này.", field)
	}
	d, ok := commune.ParseDifference(v)
	if !ok {
		return w.value(coll, field, raw)
	}
	for _, items := range [][]any{d.Plus, d.Minus} {
		list, err := json.Marshal(append([]any{}, items...))
		if err != nil {
			return nil, err
		}
		if _, err := w.value(coll, field, list); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// settle lets the field's policy decide and notes what was met.
func (w *writing) settle(r *core.Record, field string, mine any, apart, write bool) (bool, error) {
	theirs := plainValue(r, field)
	got, err := w.policy(field).Settle(field, theirs, mine, apart)
	if got.Merged || commune.Parked(err) != nil {
		w.verdict.Is = wire.Merged
		if w.verdict.Met == nil {
			w.verdict.Met = map[string]wire.Met{}
		}
		w.verdict.Met[field] = wire.Met{Theirs: theirs}
	}
	if err != nil {
		return write, err
	}
	if got.Write {
		r.Set(field, got.Value)
		return true, nil
	}
	return write, nil
}

func (w *writing) policy(field string) commune.Policy {
	if p, ok := w.decl.Fields[field]; ok {
		return p
	}
	return w.decl.Conflict
}

// delete removes a record, unless somebody else changed it since: then a person
// decides, and no edit is lost.
func (w *writing) delete() error {
	r, err := w.load()
	if err != nil {
		return err
	}
	if w.decl.Conflict == commune.AppendOnly {
		return commune.Refuse("append_only", "Mục đã ghi thì không xóa. Hãy ghi một mục hủy.")
	}
	state, err := w.view.State(w.decl.Name, w.edit.ID)
	if err != nil {
		return err
	}
	for _, f := range r.Collection().Fields {
		if state.Apart(f.GetName(), w.base(), w.phone.No) {
			return commune.Park("changed_since", "Có người vừa sửa mục này, người phụ trách sẽ xem trước khi xóa.")
		}
	}
	return w.tx.DeleteWithContext(w.context(), r)
}

// base is what the person saw when they typed, as a number of this history.
func (w *writing) base() int64 {
	if w.phone.Foreign {
		return 0
	}
	return int64(w.edit.Base)
}

func (w *writing) save(r *core.Record) error { return w.tx.SaveWithContext(w.context(), r) }

func (w *writing) context() context.Context {
	return commune.WithAuthor(w.ctx, w.author, w.when(w.edit.At))
}
