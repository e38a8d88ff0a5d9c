// Package phones knows who asks: which phone signed a request, and whose it is.
//
// A phone is a row of the collection phones: its public key, its person, whether
// an administrator has blocked it. How the row came to be, by a code sent to a
// number or by an account's token, is another's matter (packages signin and
// sync/attach); from then on the key is all that counts, and everything that
// speaks to phones asks here.
package phones

import (
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/sync/wire"
)

// Phone is who asks: a phone whose key has signed the request.
type Phone struct {
	ID, Person string
	Key        string // the public key, as [wire.ParseKey] reads it
	App        string // name and version of its program, as it said last
	Check      bool   // the administrator asks it to compare all it holds
}

// Book is the collection phones of an app.
type Book struct {
	App core.App
	// People is the collection in which a phone's person must still be.
	People string
	// Words are the app's own sentences for codes of sync, see [Words].
	Words Words
}

// Words are sentences by the code that they go with: what sync says on its own, in
// the words of an app. Sync names nobody: where people turn, a town hall or a
// school, only the app knows.
type Words map[string]string

// Of returns the app's sentence for a code, or else say.
func (w Words) Of(code, say string) string {
	if own, ok := w[code]; ok {
		return own
	}
	return say
}

// Refusal returns err in the app's words.
func (w Words) Refusal(err error) error {
	var a *wire.AskError
	if !errors.As(err, &a) || w[a.Code] == "" {
		return err
	}
	said := *a
	said.Say = w[a.Code]
	return &said
}

var (
	errUnknown   = refuse(http.StatusUnauthorized, "unknown_phone", "Máy này chưa đăng nhập. Xin đăng nhập lại, việc chưa gửi vẫn còn.")
	errSignature = refuse(http.StatusUnauthorized, "signature", "Không xác nhận được điện thoại, hãy đăng nhập lại. Dữ liệu chưa gửi vẫn còn.")
	errBusy      = &wire.AskError{Status: http.StatusServiceUnavailable, Failure: wire.Failure{Code: "busy", Say: "Máy chủ đang bận, sẽ tự gửi lại sau."}}
)

// ErrBlocked is told to a phone that an administrator shut out, and to one whose
// person is no more: neither keeps what is not theirs.
var ErrBlocked = &wire.AskError{Status: http.StatusForbidden, Failure: wire.Failure{Code: "phone_blocked", Say: "Máy này đã bị chặn. Xin liên hệ người quản lý.", Wipe: true}}

// Blocked tells whether an error is [ErrBlocked].
func Blocked(err error) bool { return errors.Is(err, ErrBlocked) }

func refuse(status int, code, say string) error {
	return &wire.AskError{Status: status, Failure: wire.Failure{Code: code, Say: say}}
}

// Signed tells which phone signed a request; body is as it was sent. It reads one
// row and is on the path of every exchange. The error is a *[wire.AskError] unless
// the database failed; beside [ErrBlocked] stands the phone, which may still hand
// in what it has.
func (b Book) Signed(r *http.Request, body []byte) (*Phone, error) {
	id, sig, ok := wire.ParseAuthorization(r.Header.Get("Authorization"))
	if !ok {
		return nil, errUnknown
	}
	return b.Known(id, sig, wire.SigningBytes(r.Method, r.URL.Path, body))
}

// Known tells whether sig is the signature over signed of the phone with that id,
// for requests that came by another road. Results are as Signed's.
func (b Book) Known(id string, sig, signed []byte) (*Phone, error) {
	p, err := b.Find(id)
	if p == nil {
		return nil, err
	}
	public, wrong := wire.ParseKey(p.Key)
	if wrong != nil || !public.Verify(signed, sig) {
		return nil, errSignature
	}
	return p, err
}

// Find returns a phone that nobody has proved to be yet. Errors are as Signed's.
func (b Book) Find(id string) (*Phone, error) {
	p := &Phone{ID: id}
	var blocked, here bool
	err := b.App.ConcurrentDB().NewQuery(`SELECT person, public_key, app, blocked, deep_check = 'asked', EXISTS (SELECT 1 FROM {{`+b.People+`}} p WHERE p.id = phones.person) FROM phones
		WHERE id = {:id}`).
		Bind(dbx.Params{"id": id}).Row(&p.Person, &p.Key, &p.App, &blocked, &p.Check, &here)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, errUnknown
	case err != nil:
		return nil, err
	case blocked, !here:
		return p, ErrBlocked
	}
	return p, nil
}

// WriteError writes err as the protocol's refusal. What is no *[wire.AskError] is
// the server's own trouble and is answered 503, without telling what it was.
func WriteError(w http.ResponseWriter, err error) error {
	var a *wire.AskError
	if !errors.As(err, &a) {
		a = errBusy
		w.Header().Set("Retry-After", "20")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.Status)
	return json.NewEncoder(w).Encode(a.Failure)
}

// Refuse is WriteError that also logs the server's own trouble, for the
// administrator.
func (b Book) Refuse(w http.ResponseWriter, err error) error {
	var a *wire.AskError
	if !errors.As(err, &a) {
		b.App.Logger().Error("a phone could not be answered", "error", err)
	}
	return WriteError(w, b.Words.Refusal(err))
}

// Forget makes a phone's key worth nothing, and its address, as when its person
// signs out. The row stays: edits and verdicts are under its id.
func (b Book) Forget(id string) error {
	_, err := b.App.NonconcurrentDB().NewQuery(`UPDATE phones SET public_key = 'out:' || id, transport = 'none', address = '' WHERE id = {:id}`).
		Bind(dbx.Params{"id": id}).Execute()
	return err
}
