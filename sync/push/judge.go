package push

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/wire"
)

// clean says how a judgment ended: ok when everything written is to stay; else
// nothing may stay, and err is set when it is the server that failed.
type clean struct {
	ok  bool
	err error
}

// judge decides one edit and does what it asks.
func (s *session) judge(tx core.App, e numbered) (v wire.Verdict, how clean) {
	defer func() {
		// A bug of a domain must not stop the queue of a phone for ever: the edit
		// is kept for a person and the next one is judged.
		if bug := recover(); bug != nil {
			s.App.Logger().Error("judging an edit panicked", "phone", s.phone.ID, "n", e.n, "panic", fmt.Sprint(bug))
			v, how = broken(e.n), clean{}
		}
	}()
	edit, err := wire.DecodeEdit(e.raw)
	switch {
	case errors.Is(err, wire.ErrEditBig):
		return refused(e.n, "too_big", "Nội dung quá lớn, hãy gửi ảnh riêng hoặc viết ngắn lại."), clean{}
	case errors.Is(err, wire.ErrEditDeep):
		return refused(e.n, "bad_value", "Nội dung lồng nhau quá nhiều lớp, máy chủ không nhận được."), clean{}
	case err != nil:
		return refused(e.n, "bad_edit", "Máy chủ không đọc được việc này."), clean{}
	}
	if s.phone.Blocked {
		return wire.Verdict{N: e.n, Is: wire.Parked, Code: "phone_blocked", Say: "Máy này đã bị chặn, người phụ trách sẽ xem việc này."}, clean{}
	}
	if blocked, err := s.waits(tx, edit); err != nil || blocked != nil {
		if err != nil {
			return v, clean{err: err}
		}
		return *blocked, clean{}
	}
	if err := s.settled(edit); err != nil {
		return v, clean{err: err}
	}
	if edit.Do != "" {
		v, err = s.act(tx, edit)
	} else {
		v, err = s.write(tx, edit)
	}
	if err == nil {
		if edit.Fixes > 0 {
			err = s.settle(tx, edit.Fixes)
		}
		if err == nil {
			return v, clean{ok: true}
		}
	}
	return s.explain(edit.N, v, err)
}

// settled absorbs what earlier edits of this ask wrote, if this one may look at
// it: at its own record, at what a field of that follows, or, when it is an action
// or builds on another edit, at any. Else all edits of an ask are absorbed together
// at the end, which is much cheaper than one by one.
func (s *session) settled(e *wire.Edit) error {
	if e.Do == "" && len(e.After) == 0 {
		touched, err := s.view.Touched(e.Coll, e.ID)
		if err == nil && !touched && e.Create == nil { // what is created looks where its fields come from as it is saved
			touched, err = s.view.TouchedAny(commune.Sources(s.Domains, e.Coll))
		}
		if err != nil || !touched {
			return err
		}
	}
	if err := s.view.Absorb(s.phone.No); err != nil {
		return err
	}
	var err error
	s.before, err = s.view.Changes() // what was absorbed stays, whatever becomes of this edit
	return err
}

// explain makes a verdict of an error.
func (s *session) explain(n int64, v wire.Verdict, err error) (wire.Verdict, clean) {
	if r := commune.Refused(err); r != nil {
		return wire.Verdict{N: n, Is: wire.Refused, Code: r.Code, Say: r.Sentence, Met: v.Met}, clean{}
	}
	if p := commune.Parked(err); p != nil {
		return wire.Verdict{N: n, Is: wire.Parked, Code: p.Code, Say: p.Sentence, Met: v.Met}, clean{}
	}
	if r := invalid(err); r != nil {
		return wire.Verdict{N: n, Is: wire.Refused, Code: r.Code, Say: r.Sentence}, clean{}
	}
	if ofServer(err) {
		return v, clean{err: err}
	}
	s.App.Logger().Error("judging an edit failed", "phone", s.phone.ID, "n", n, "error", err)
	return broken(n), clean{}
}

// ofServer tells whether an error would befall any edit just now.
func ofServer(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) {
		return true
	}
	text := err.Error()
	for _, sign := range []string{"disk is full", "disk I/O", "database is locked", "SQLITE_BUSY", "readonly database", "unable to open"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

func refused(n int64, code, say string) wire.Verdict {
	return wire.Verdict{N: n, Is: wire.Refused, Code: code, Say: say}
}

func broken(n int64) wire.Verdict {
	return wire.Verdict{N: n, Is: wire.Parked, Code: "internal", Say: "Máy chủ gặp lỗi khi làm việc này, người phụ trách sẽ xem. Nội dung vẫn được giữ."}
}

// waits parks an edit that makes no sense without an earlier one that failed.
func (s *session) waits(tx core.App, e *wire.Edit) (*wire.Verdict, error) {
	for _, n := range e.After {
		if n <= 0 || n >= e.N {
			v := refused(e.N, "bad_edit", "Máy chủ không đọc được việc này.")
			return &v, nil
		}
		if v, ok := s.judged[n]; ok {
			if v.Is == wire.Refused || v.Is == wire.Parked {
				return waits(e.N), nil
			}
			continue
		}
		var text string
		err := tx.NonconcurrentDB().NewQuery(`SELECT verdict FROM sync_verdicts WHERE phone = {:phone} AND n = {:n}`).
			Bind(dbx.Params{"phone": s.phone.ID, "n": n}).Row(&text)
		if notFound(err) {
			continue // judged long ago and forgotten: it was confirmed
		}
		if err != nil {
			return nil, err
		}
		var v wire.Verdict
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return nil, err
		}
		if v.Is == wire.Refused || v.Is == wire.Parked {
			return waits(e.N), nil
		}
	}
	return nil, nil
}

func waits(n int64) *wire.Verdict {
	return &wire.Verdict{N: n, Is: wire.Parked, Code: "waits_for", Say: "Việc này chờ mục trước được sửa."}
}

// act does a named action.
func (s *session) act(tx core.App, e *wire.Edit) (wire.Verdict, error) {
	switch e.Do {
	case commune.SettleAction:
		return s.decide(tx, e)
	case commune.WithdrawAction:
		return s.withdraw(tx, e)
	}
	for _, d := range s.Domains {
		for _, a := range d.Actions {
			if a.Name != e.Do || a.Do == nil {
				continue
			}
			call := commune.NewCall(tx, s.author, e.Args, s.now, s.when(e.At), s.Sign)
			if err := a.Do(call); err != nil {
				return wire.Verdict{}, err
			}
			return wire.Verdict{N: e.N, Is: wire.Taken, Result: call.Result}, nil
		}
	}
	return wire.Verdict{}, commune.Park("unknown_action", "Máy chủ chưa biết việc này, sẽ làm khi được nâng cấp.")
}

// settle notes that a parked edit was replaced by this one.
func (s *session) settle(tx core.App, n int64) error {
	_, err := tx.NonconcurrentDB().NewQuery(`UPDATE parked_edits SET state = 'settled', circles = '[]' WHERE state = 'waiting' AND phone = {:phone} AND n = {:n}`).
		Bind(dbx.Params{"phone": s.phone.ID, "n": n}).Execute()
	return err
}

// when corrects a time of the phone's clock: it is data, never later than now.
func (s *session) when(at string) time.Time {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return s.now
	}
	t = t.Add(s.skew)
	if t.After(s.now) || t.Year() < 2000 {
		return s.now
	}
	return t.UTC()
}

func notFound(err error) bool { return errors.Is(err, sql.ErrNoRows) }
