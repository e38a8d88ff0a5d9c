package signin

import (
	"database/sql"
	"errors"
	"net/http"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/sync/wire"
)

// Phone is who asks: a phone whose key has signed the request.
type Phone struct {
	ID, Person string
	Check      bool // the administrator asks it to compare all it holds
}

// Blocked tells whether an error is that of a blocked phone.
func Blocked(err error) bool { return err == error(errBlocked) }

var (
	errUnknown   = refuse(http.StatusUnauthorized, "unknown_phone", "Máy này chưa đăng nhập. Xin đăng nhập lại, việc chưa gửi vẫn còn.")
	errSignature = refuse(http.StatusUnauthorized, "signature", "Không xác nhận được điện thoại, hãy đăng nhập lại. Dữ liệu chưa gửi vẫn còn.")
	errBlocked   = &Failure{Status: http.StatusForbidden, Failure: wire.Failure{Code: "phone_blocked", Say: "Máy này đã bị chặn. Xin liên hệ Ủy ban xã.", Wipe: true}}
)

// Authenticate tells which phone signed a request; body is as it was sent. It
// reads one row and is on the path of every exchange. The error is a *[Failure]
// unless the database failed; beside that of a blocked phone stands the phone,
// which may still hand in what it has.
func Authenticate(app core.App, r *http.Request, body []byte) (*Phone, error) {
	id, sig, ok := wire.ParseAuthorization(r.Header.Get("Authorization"))
	if !ok {
		return nil, errUnknown
	}
	return Known(app, id, sig, wire.SigningBytes(r.Method, r.URL.Path, body))
}

// Known tells whether sig is the signature over signed of the phone with that
// id, for requests that came by another road. Results are as Authenticate's.
func Known(app core.App, id string, sig, signed []byte) (*Phone, error) {
	p := &Phone{ID: id}
	var key string
	var blocked bool
	err := app.ConcurrentDB().NewQuery(`SELECT person, public_key, blocked, deep_check = 'asked' FROM phones WHERE id = {:id}`).
		Bind(dbx.Params{"id": id}).Row(&p.Person, &key, &blocked, &p.Check)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errUnknown
	}
	if err != nil {
		return nil, err
	}
	public, err := wire.ParseKey(key)
	if err != nil || !public.Verify(signed, sig) {
		return nil, errSignature
	}
	if blocked {
		return p, errBlocked
	}
	return p, nil
}
