package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// AskError says why an ask as a whole cannot be read; nothing of it was done.
type AskError struct {
	Status int
	Failure
}

func (e *AskError) Error() string { return e.Code }

// DecodeAsk reads an ask. It believes nothing: the version, the sizes and the
// number of edits are checked before anything is looked at. The error is an *AskError.
func DecodeAsk(body []byte) (*Ask, error) {
	if len(body) > MaxBody {
		return nil, tooBig(MaxBody)
	}
	if !utf8.Valid(body) {
		return nil, badAsk(firstInvalid(body))
	}
	// The version first: an ask of a later protocol may have any other shape.
	var head struct {
		V json.RawMessage `json:"v"`
	}
	err := json.Unmarshal(body, &head)
	var shelf []json.RawMessage
	if err != nil { // it may be one edit that no parser takes
		if body, shelf = shelved(body); len(shelf) > 0 {
			err = json.Unmarshal(body, &head)
		}
	}
	if err != nil {
		return nil, badAsk(offset(err, body))
	}
	if string(head.V) != "1" {
		return nil, &AskError{400, Failure{Code: "version", Say: "Ứng dụng và máy chủ khác phiên bản, xin cập nhật ứng dụng.", Versions: []int{Version}}}
	}
	var ask Ask
	if err := json.Unmarshal(body, &ask); err != nil {
		return nil, badAsk(offset(err, body))
	}
	ask.unshelve(shelf)
	return ask.checked()
}

// checked refuses what is out of bounds and fills in the budget.
func (ask *Ask) checked() (*Ask, error) {
	if len(ask.Edits) > MaxEdits {
		return nil, tooBig(MaxEdits)
	}
	if ask.Cursor < 0 || ask.Confirmed < 0 || len(ask.Epoch) > 64 || len(ask.Standing) > 64 || len(ask.Told) > 64 || len(ask.Shape) > 64 || len(ask.Resume) > 256 {
		return nil, badAsk(0)
	}
	if listed(ask.Check) > MaxListed || len(ask.Loaded) > 1000 || len(ask.Lost) > 1000 {
		return nil, tooBig(MaxListed)
	}
	switch {
	case ask.Want <= 0:
		ask.Want = WantUsual
	case ask.Want < WantLeast:
		ask.Want = WantLeast
	case ask.Want > WantMost:
		ask.Want = WantMost
	}
	return ask, nil
}

// listed counts what a check lists.
func listed(c *Check) (n int) {
	if c == nil {
		return 0
	}
	for _, l := range c.Lists {
		n += len(l.Has) + len(l.Parts) + 1
	}
	return n + len(c.Sums)
}

func badAsk(at int64) *AskError {
	return &AskError{400, Failure{Code: "bad_ask", Say: "Gói dữ liệu hỏng, máy sẽ gửi lại.", At: &at}}
}

func tooBig(limit int) *AskError {
	return &AskError{413, Failure{Code: "too_big", Say: "Gói dữ liệu quá lớn, hãy gửi ít hơn.", Limit: limit}}
}

func firstInvalid(b []byte) int64 {
	at := 0
	for at < len(b) {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		at += n
	}
	return int64(at)
}

func offset(err error, body []byte) int64 {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return syntax.Offset
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return kind.Offset
	}
	return int64(len(body))
}

// Errors of one edit. The edit's number, where it could be read, is kept.
var (
	ErrEdit    = errors.New("bad_edit")
	ErrEditBig = errors.New("too_big")
	// ErrEditDeep is of an edit whose values are nested deeper than MaxNested.
	ErrEditDeep = errors.New("bad_value")
)

// EditNumber reads only the number of an edit; false when there is none.
func EditNumber(raw json.RawMessage) (int64, bool) {
	var e struct {
		N json.Number `json:"n"`
	}
	if json.Unmarshal(raw, &e) != nil && (!deep(raw, MaxNested+inEdit) || json.Unmarshal(flat(raw), &e) != nil) {
		return 0, false
	}
	n, err := e.N.Int64()
	return n, err == nil && n > 0
}

// DecodeEdit reads one edit and checks its shape: exactly one kind, ids and
// texts without NUL, sizes. It knows no collection.
func DecodeEdit(raw json.RawMessage) (*Edit, error) {
	if len(raw) > MaxEdit {
		return nil, ErrEditBig
	}
	if deep(raw, MaxNested+inEdit) {
		return nil, ErrEditDeep
	}
	var e Edit
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrEdit, err)
	}
	if e.N <= 0 || e.Base < 0 || len(e.After) > MaxAfter || len(e.Create)+len(e.Change)+len(e.Add) > MaxFields {
		return nil, ErrEdit
	}
	kinds := 0
	for _, is := range []bool{e.Create != nil, e.Change != nil || e.Add != nil, e.Delete, e.Do != ""} {
		if is {
			kinds++
		}
	}
	if kinds != 1 || (e.Do == "") != (e.Coll != "" && e.ID != "") {
		return nil, ErrEdit
	}
	// A NUL ends a text in C: no field, id or argument may hold one.
	if bytes.Contains(raw, []byte(`\u0000`)) || bytes.IndexByte(raw, 0) >= 0 {
		return nil, ErrEdit
	}
	return &e, nil
}
