package attach

import (
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/sync/phones"
	"langso/sync/server"
	"langso/sync/wire"
)

// bodyMost is far above what these requests need.
const bodyMost = 16 << 10

var (
	errBody = &wire.AskError{Status: http.StatusBadRequest, Failure: wire.Failure{Code: "bad_ask", Say: "Máy chủ không đọc được yêu cầu này."}}
	errKey  = &wire.AskError{Status: http.StatusBadRequest, Failure: wire.Failure{Code: "bad_key", Say: "Khóa của máy không hợp lệ, xin mở lại ứng dụng."}}
)

// bindSignIn opens the way in, by a token of the app's own accounts, and the way out.
func bindSignIn(se *core.ServeEvent, s *server.Server, auth string) {
	se.Router.POST("/api/sync/phone", func(e *core.RequestEvent) error {
		phone, err := admit(s.App, e)
		if err != nil {
			return s.Phones.Refuse(e.Response, err)
		}
		answer := map[string]any{"phone": phone.Id, "person": e.Auth.Id}
		if load := s.Engine.Load(e.Auth.Id); len(load) > 0 {
			answer["load"] = load
		}
		return e.JSON(http.StatusOK, answer)
	}).Bind(apis.RequireAuth(auth))
	se.Router.POST("/api/phones/sign-out", func(e *core.RequestEvent) error {
		body, err := io.ReadAll(io.LimitReader(e.Request.Body, bodyMost))
		if err != nil {
			return phones.WriteError(e.Response, errBody)
		}
		p, err := s.Phones.Signed(e.Request, body)
		if err == nil {
			err = s.Phones.Forget(p.ID)
		}
		if err != nil {
			return s.Phones.Refuse(e.Response, err)
		}
		s.Hints.Drop(p.ID)
		return e.JSON(http.StatusOK, map[string]string{})
	}).Unbind(apis.DefaultLoadAuthTokenMiddlewareId)
}

// admit makes the row of a phone for the account of the request's token, or finds
// it by its key: {"key":"ed25519:…","label":"Ann's phone"}.
func admit(app core.App, e *core.RequestEvent) (phone *core.Record, err error) {
	var ask struct{ Key, Label string }
	body, err := io.ReadAll(io.LimitReader(e.Request.Body, bodyMost))
	if err != nil || json.Unmarshal(body, &ask) != nil || !utf8.ValidString(ask.Label) || strings.ContainsRune(ask.Label, 0) {
		return nil, errBody
	}
	if _, err := wire.ParseKey(ask.Key); err != nil {
		return nil, errKey
	}
	err = app.RunInTransaction(func(tx core.App) error {
		phone, err = tx.FindFirstRecordByData("phones", "public_key", ask.Key)
		if errors.Is(err, sql.ErrNoRows) {
			coll, err := tx.FindCachedCollectionByNameOrId("phones")
			if err != nil {
				return err
			}
			phone = core.NewRecord(coll)
			phone.Set("public_key", ask.Key)
			phone.Set("person", e.Auth.Id)
		} else if err != nil {
			return err
		}
		switch {
		case phone.GetBool("blocked"):
			return phones.ErrBlocked
		case phone.GetString("person") != e.Auth.Id: // one key is one person for ever: its edits are numbered as theirs
			return errKey
		}
		if label := clip(strings.TrimSpace(ask.Label), labelMost); label != "" || phone.IsNew() {
			phone.Set("label", label)
		}
		return tx.Save(phone)
	})
	return phone, err
}

// labelMost is the longest name of a phone, in characters.
const labelMost = 120

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}
