package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/sync/exchange"
	"langso/sync/phones"
	"langso/sync/wire"
)

// sync is the phone's road.
func (s *Server) sync(e *core.RequestEvent) error {
	body, err := io.ReadAll(io.LimitReader(e.Request.Body, wire.MaxBody+1))
	if err != nil {
		return s.fail(e, &wire.AskError{Status: http.StatusBadRequest, Failure: wire.Failure{Code: "bad_ask", Say: "Gói dữ liệu hỏng, máy sẽ gửi lại."}})
	}
	if len(body) > wire.MaxBody {
		return s.fail(e, tooLarge)
	}
	if wire.IsBinary(body) {
		return s.syncBinary(e, body)
	}
	phone, err := s.Phones.Signed(e.Request, body)
	blocked := phones.Blocked(err)
	if err != nil && !blocked {
		return s.Phones.Refuse(e.Response, err)
	}
	if encoding := e.Request.Header.Get("Content-Encoding"); encoding != "" {
		if body, err = wire.Unpack(body, encoding, wire.MaxBody); err != nil {
			return s.fail(e, tooLarge)
		}
	}
	ask, err := wire.DecodeAsk(body)
	if err != nil {
		return s.fail(e, err)
	}
	if blocked {
		return s.handIn(e, phone, ask)
	}
	answer, err := s.exchange(e, phone, ask)
	if err != nil {
		return s.busy(e, err)
	}
	text, err := wire.Write(answer)
	if err != nil {
		return err
	}
	packed, encoding := text.Pack(e.Request.Header)
	h := e.Response.Header()
	h.Set("Content-Type", wire.ContentAnswer)
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	s.carried(e, phone.ID, len(packed))
	return send(e, packed)
}

// syncBinary is the same in the form of native phones. Its refusals are JSON.
func (s *Server) syncBinary(e *core.RequestEvent, body []byte) error {
	b, err := wire.ParseBinaryAsk(body)
	if err != nil {
		return s.fail(e, &wire.AskError{Status: http.StatusBadRequest, Failure: wire.Failure{Code: "bad_ask", Say: "Gói dữ liệu hỏng, máy sẽ gửi lại."}})
	}
	phone, err := s.Phones.Known(b.Phone, b.Signature, wire.SigningBytes(e.Request.Method, e.Request.URL.Path, b.Signed))
	blocked := phones.Blocked(err)
	if err != nil && !blocked {
		return s.Phones.Refuse(e.Response, err)
	}
	ask, err := b.Ask()
	if err != nil {
		return s.fail(e, err)
	}
	if blocked {
		return s.handIn(e, phone, ask)
	}
	answer, err := s.exchange(e, phone, ask)
	if err != nil {
		return s.busy(e, err)
	}
	packed, err := wire.WriteBinary(answer, wire.FindDictionary(b.Version))
	if err != nil {
		return err
	}
	h := e.Response.Header()
	// The first byte says what it is; the phone has a clock of its own.
	h["Content-Type"], h["Date"] = nil, nil
	h.Del("X-Content-Type-Options")
	h.Del("Vary") // it is for caches and pages: this is an answer to neither
	s.carried(e, phone.ID, len(packed))
	return send(e, packed)
}

// handIn takes what a blocked phone still has, and tells it to forget the rest.
func (s *Server) handIn(e *core.RequestEvent, phone *phones.Phone, ask *wire.Ask) error {
	answer, err := s.handedIn(e, phone, ask)
	if err != nil {
		return s.busy(e, err)
	}
	return s.fail(e, answer)
}

// handedIn is what a blocked phone is told: that it is, and up to which number its
// edits were taken, or judged before.
func (s *Server) handedIn(e *core.RequestEvent, phone *phones.Phone, ask *wire.Ask) (*wire.AskError, error) {
	acked, judged, err := s.Engine.HandIn(e.Request.Context(), exchange.Phone{ID: phone.ID, Person: phone.Person}, ask)
	answer := *phones.ErrBlocked
	answer.Acked, answer.Verdicts = acked, judged
	return &answer, err
}

// exchange is the meeting itself.
func (s *Server) exchange(e *core.RequestEvent, phone *phones.Phone, ask *wire.Ask) ([]wire.Line, error) {
	s.noteApp(phone, ask)
	begun := time.Now()
	answer, err := s.Engine.Serve(e.Request.Context(), exchange.Phone{ID: phone.ID, Person: phone.Person}, ask)
	apart := s.measure(phone.ID, ask, answer, err, time.Since(begun))
	if err != nil {
		return nil, err
	}
	s.seen.note(phone.ID, ask, apart, s.Now())
	if phone.Check {
		return s.askForCheck(phone, ask, answer)
	}
	return answer, nil
}

// askForCheck passes on that the administrator wants the phone to compare all
// that it holds, until it does.
func (s *Server) askForCheck(phone *phones.Phone, ask *wire.Ask, answer []wire.Line) ([]wire.Line, error) {
	if ask.Check != nil && ask.Check.Deep {
		_, err := s.App.NonconcurrentDB().NewQuery(`UPDATE phones SET deep_check = '' WHERE id = {:id}`).Bind(dbx.Params{"id": phone.ID}).Execute()
		return answer, err
	}
	end := len(answer) - 1
	if answer[end].Complete == nil {
		return answer, nil
	}
	return append(answer[:end:end], wire.Line{Check: "deep"}, answer[end]), nil
}

func send(e *core.RequestEvent, body []byte) error {
	h := e.Response.Header()
	// Headers for pages: on this answer they are only bytes.
	h.Del("X-Frame-Options")
	h.Del("X-Xss-Protection")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	e.Response.WriteHeader(http.StatusOK)
	_, err := e.Response.Write(body)
	return err
}

var tooLarge = &wire.AskError{Status: http.StatusRequestEntityTooLarge, Failure: wire.Failure{Code: "too_big", Say: "Gói dữ liệu quá lớn, hãy gửi ít hơn.", Limit: wire.MaxBody}}

// busy answers what is the server's own trouble: the phone sends again later.
func (s *Server) busy(e *core.RequestEvent, err error) error {
	if errors.Is(err, context.Canceled) {
		return nil // nobody listens any more
	}
	s.App.Logger().Error("an exchange failed", "error", err)
	e.Response.Header().Set("Retry-After", "20")
	if strings.Contains(err.Error(), "disk is full") {
		return s.fail(e, &wire.AskError{Status: http.StatusInsufficientStorage, Failure: wire.Failure{Code: "disk_full", Say: "Máy chủ hết chỗ ghi, sẽ tự gửi lại sau. Việc bác ghi vẫn còn trên máy."}})
	}
	return s.fail(e, &wire.AskError{Status: http.StatusServiceUnavailable, Failure: wire.Failure{Code: "busy", Say: "Máy chủ đang bận, sẽ tự gửi lại sau."}})
}

func (s *Server) fail(e *core.RequestEvent, err error) error {
	var a *wire.AskError
	if !errors.As(s.Words.Refusal(err), &a) {
		return err
	}
	h := e.Response.Header()
	h.Set("Content-Type", "application/json")
	e.Response.WriteHeader(a.Status)
	return json.NewEncoder(e.Response).Encode(a.Failure)
}
