package attach

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	_ "langso/dictionary" // known to all native phones

	"langso/sync/exchange"
	"langso/sync/wire"
)

// bindPhone binds a phone's key to the account of the token: {"key":"ed25519:…"}
// gives {"phone":"<id>","person":"<account>"}. The same key gives the same phone.
func (s *Sync) bindPhone(e *core.RequestEvent) error {
	var ask struct {
		Key string `json:"key"`
	}
	if err := e.BindBody(&ask); err != nil {
		return e.BadRequestError("The body is not JSON.", nil)
	}
	if _, err := wire.ParseKey(ask.Key); err != nil {
		return e.BadRequestError("The key is not one of a phone.", map[string]any{"code": "bad_key"})
	}
	_, err := s.app.NonconcurrentDB().NewQuery(`INSERT INTO attach_phones (id, person, public_key) VALUES ({:id}, {:person}, {:key}) ON CONFLICT DO NOTHING`).
		Bind(dbx.Params{"id": core.GenerateDefaultRandomId(), "person": e.Auth.Id, "key": ask.Key}).Execute()
	if err != nil {
		return err
	}
	var id, person string
	err = s.app.NonconcurrentDB().NewQuery(`SELECT id, person FROM attach_phones WHERE public_key = {:key}`).Bind(dbx.Params{"key": ask.Key}).Row(&id, &person)
	if err != nil {
		return err
	}
	if person != e.Auth.Id {
		return e.BadRequestError("The key is another person's.", map[string]any{"code": "bad_key"})
	}
	return e.JSON(http.StatusOK, map[string]string{"phone": id, "person": person})
}

var (
	errUnknown   = &wire.AskError{Status: http.StatusUnauthorized, Failure: wire.Failure{Code: "unknown_phone", Say: "Máy này chưa đăng nhập. Xin đăng nhập lại, việc chưa gửi vẫn còn."}}
	errSignature = &wire.AskError{Status: http.StatusUnauthorized, Failure: wire.Failure{Code: "signature", Say: "Không xác nhận được điện thoại, hãy đăng nhập lại. Dữ liệu chưa gửi vẫn còn."}}
	errBig       = &wire.AskError{Status: http.StatusRequestEntityTooLarge, Failure: wire.Failure{Code: "too_big", Say: "Gói dữ liệu quá lớn, hãy gửi ít hơn.", Limit: wire.MaxBody}}
	errBad       = &wire.AskError{Status: http.StatusBadRequest, Failure: wire.Failure{Code: "bad_ask", Say: "Gói dữ liệu hỏng, máy sẽ gửi lại."}}
	errBusy      = &wire.AskError{Status: http.StatusServiceUnavailable, Failure: wire.Failure{Code: "busy", Say: "Máy chủ đang bận, sẽ tự gửi lại sau."}}
)

// known tells whose phone signed. The account must still be there.
func (s *Sync) known(id string, sig, signed []byte) (exchange.Phone, error) {
	p := exchange.Phone{ID: id}
	var key string
	err := s.app.ConcurrentDB().NewQuery("SELECT p.person, p.public_key FROM attach_phones p JOIN {{"+s.options.Auth+"}} u ON u.id = p.person WHERE p.id = {:id}").
		Bind(dbx.Params{"id": id}).Row(&p.Person, &key)
	if errors.Is(err, sql.ErrNoRows) {
		return p, errUnknown
	}
	if err != nil {
		return p, err
	}
	if public, err := wire.ParseKey(key); err != nil || !public.Verify(signed, sig) {
		return p, errSignature
	}
	return p, nil
}

// sync is the phone's road.
func (s *Sync) sync(e *core.RequestEvent) error {
	body, err := io.ReadAll(io.LimitReader(e.Request.Body, wire.MaxBody+1))
	switch {
	case err != nil:
		return fail(e, errBad)
	case len(body) > wire.MaxBody:
		return fail(e, errBig)
	case wire.IsBinary(body):
		return s.binary(e, body)
	}
	id, sig, ok := wire.ParseAuthorization(e.Request.Header.Get("Authorization"))
	if !ok {
		return fail(e, errUnknown)
	}
	phone, err := s.known(id, sig, wire.SigningBytes(e.Request.Method, e.Request.URL.Path, body))
	if err != nil {
		return fail(e, err)
	}
	if encoding := e.Request.Header.Get("Content-Encoding"); encoding != "" {
		if body, err = wire.Unpack(body, encoding, wire.MaxBody); err != nil {
			return fail(e, errBig)
		}
	}
	ask, err := wire.DecodeAsk(body)
	if err != nil {
		return fail(e, err)
	}
	lines, err := s.engine.Serve(e.Request.Context(), phone, ask)
	if err != nil {
		return s.busy(e, err)
	}
	text, err := wire.Write(lines)
	if err != nil {
		return err
	}
	packed, encoding := text.Pack(e.Request.Header)
	e.Response.Header().Set("Content-Type", wire.ContentAnswer)
	if encoding != "" {
		e.Response.Header().Set("Content-Encoding", encoding)
	}
	return send(e, packed)
}

// binary is the same in the form of native phones.
func (s *Sync) binary(e *core.RequestEvent, body []byte) error {
	b, err := wire.ParseBinaryAsk(body)
	if err != nil {
		return fail(e, errBad)
	}
	phone, err := s.known(b.Phone, b.Signature, wire.SigningBytes(e.Request.Method, e.Request.URL.Path, b.Signed))
	if err != nil {
		return fail(e, err)
	}
	ask, err := b.Ask()
	if err != nil {
		return fail(e, err)
	}
	lines, err := s.engine.Serve(e.Request.Context(), phone, ask)
	if err != nil {
		return s.busy(e, err)
	}
	packed, err := wire.WriteBinary(lines, wire.FindDictionary(b.Version))
	if err != nil {
		return err
	}
	e.Response.Header()["Content-Type"] = nil // the first byte says what it is
	return send(e, packed)
}

func (s *Sync) busy(e *core.RequestEvent, err error) error {
	if errors.Is(err, context.Canceled) {
		return nil // nobody listens any more
	}
	s.app.Logger().Error("an exchange failed", "error", err)
	e.Response.Header().Set("Retry-After", "20")
	return fail(e, errBusy)
}

func send(e *core.RequestEvent, body []byte) error {
	e.Response.Header().Set("Content-Length", strconv.Itoa(len(body)))
	e.Response.WriteHeader(http.StatusOK)
	_, err := e.Response.Write(body)
	return err
}

func fail(e *core.RequestEvent, err error) error {
	var a *wire.AskError
	if !errors.As(err, &a) {
		return err
	}
	e.Response.Header().Set("Content-Type", "application/json")
	e.Response.WriteHeader(a.Status)
	return json.NewEncoder(e.Response).Encode(a.Failure)
}
