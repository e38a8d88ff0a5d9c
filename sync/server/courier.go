package server

import (
	"crypto/hpke"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/sync/courier"
	"langso/sync/exchange"
	"langso/sync/phones"
	"langso/sync/wire"
)

// sealKey reads the key that phones seal bundles to, making one at the first
// start. It lies beside the key of receipts, and a backup takes it along: with
// another key, bundles under way could never be opened.
func sealKey(dir string) (hpke.PrivateKey, error) {
	path := filepath.Join(dir, "seal.key")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = makeSealKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the sealing key: %w", err)
	}
	k, err := courier.PrivateKey(raw)
	if err != nil {
		return nil, fmt.Errorf("read the sealing key: %s: %w", path, err)
	}
	return k, nil
}

// makeSealKey writes a new key whole or not at all: it is announced only when
// it is on the disk.
func makeSealKey(path string) ([]byte, error) {
	k, err := courier.NewKey()
	if err != nil {
		return nil, err
	}
	raw, err := k.Bytes()
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	return raw, os.Rename(path+".new", path)
}

func (s *Server) bindCourier(se *core.ServeEvent) {
	se.Router.POST(courier.Path, s.deliver).Bind(apis.SkipSuccessActivityLog()).
		Unbind(apis.DefaultBodyLimitMiddlewareId, apis.DefaultLoadAuthTokenMiddlewareId)
}

// deliver takes bundles from a carrier, who needs to be nobody in particular,
// and gives back for each, in their order, the sealed answer, or why it cannot
// be opened. A carrier is told nothing of what is in it: not even whether the
// phone is known.
func (s *Server) deliver(e *core.RequestEvent) error {
	const most = courier.MaxCarried * courier.MaxBundle
	body, err := io.ReadAll(io.LimitReader(e.Request.Body, most+1))
	if err != nil {
		return s.fail(e, badBundle)
	}
	if len(body) > most {
		return s.fail(e, &wire.AskError{Status: http.StatusRequestEntityTooLarge, Failure: wire.Failure{Code: "too_big", Say: "Gói mang giúp quá lớn.", Limit: most}})
	}
	bundles, err := courier.Parse(body, courier.MaxCarried)
	if err != nil {
		return s.fail(e, badBundle)
	}
	if !s.carriers.admit(e.RealIP(), len(bundles), s.Now()) {
		e.Response.Header().Set("Retry-After", "60")
		return s.fail(e, &wire.AskError{Status: http.StatusTooManyRequests, Failure: wire.Failure{Code: "too_many", Say: "Nhiều gói gửi cùng lúc quá, máy sẽ gửi lại sau."}})
	}
	answers := make([]courier.Envelope, 0, len(bundles))
	for i, bundle := range bundles {
		answer, err := s.open(e, bundle)
		if err != nil {
			if i == 0 {
				return s.busy(e, err)
			}
			// What is done is told; the rest is carried on.
			s.App.Logger().Error("a carried exchange failed", "error", err)
			answer = s.refusal(bundle.ID, "busy", "Máy chủ đang bận, sẽ tự gửi lại sau.")
		}
		answers = append(answers, answer)
	}
	out := courier.File(answers)
	h := e.Response.Header()
	h.Set("Content-Type", courier.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(out)))
	e.Response.WriteHeader(http.StatusOK)
	_, err = e.Response.Write(out)
	return err
}

var badBundle = &wire.AskError{Status: http.StatusBadRequest, Failure: wire.Failure{Code: "bad_bundle", Say: "Gói này hỏng hoặc không phải gói nhờ gửi."}}

func (s *Server) refusal(id courier.ID, code, say string) courier.Envelope {
	box, _ := json.Marshal(wire.Failure{Code: code, Say: s.Words.Of(code, say)}) // texts and numbers always encode
	return courier.Envelope{Kind: courier.Refused, ID: id, Box: box}
}

// open is one bundle's meeting. The error is the server's own trouble.
func (s *Server) open(e *core.RequestEvent, bundle courier.Envelope) (courier.Envelope, error) {
	letter, err := courier.Open(s.seal, bundle)
	switch {
	case errors.Is(err, courier.ErrOther):
		return s.refusal(bundle.ID, "other_server", "Gói này gửi cho máy chủ khác, hoặc cho máy chủ cũ."), nil
	case err != nil:
		return s.refusal(bundle.ID, "bad_bundle", badBundle.Say), nil
	}
	status, body, err := s.meet(e, letter)
	if err != nil {
		return courier.Envelope{}, err
	}
	answer, err := letter.Answer(status, body)
	if errors.Is(err, courier.ErrSize) {
		// Verdicts that no carrier can bring: the phone hears them on the direct road.
		_, body, _ = s.refused(tooLarge)
		return letter.Answer(http.StatusRequestEntityTooLarge, body)
	}
	return answer, err
}

// meet does with a letter what POST /api/sync does with a request, and returns
// what that would have answered.
func (s *Server) meet(e *core.RequestEvent, letter *courier.Letter) (status int, body wire.Text, err error) {
	phone, err := s.Phones.Known(letter.Phone, letter.Signature, wire.SigningBytes(http.MethodPost, courier.Path, letter.Signed()))
	blocked := phones.Blocked(err)
	if err != nil && !blocked {
		return s.refused(err)
	}
	raw, err := letter.Ask()
	if err != nil {
		return s.refused(tooLarge)
	}
	ask, err := wire.DecodeAsk(raw)
	if err != nil {
		return s.refused(err)
	}
	// How long it was carried cannot be told from a clock that is wrong, so the
	// times of the edits are taken as the phone wrote them.
	ask.Clock = ""
	if blocked {
		answer, err := s.handedIn(e, phone, ask)
		if err != nil {
			return 0, wire.Text{}, err
		}
		return s.refused(answer)
	}
	s.noteApp(phone, ask)
	ask.Want = min(ask.Want, carriedWant)
	// Both need a road there and back at once.
	ask.Snapshots, ask.Check = false, nil
	lines, err := s.Engine.Serve(e.Request.Context(), exchange.Phone{ID: phone.ID, Person: phone.Person}, ask)
	if err != nil {
		return 0, wire.Text{}, err
	}
	text, err := wire.Write(lines)
	if err != nil {
		return 0, wire.Text{}, err
	}
	return http.StatusOK, fitting(text), nil
}

// carriedWant is the budget of changes in a carried answer, before compression.
const carriedWant = 256 << 10

// fitting leaves out the last chunks until the answer can be carried. A phone
// takes what is left as it takes an answer that was cut: chunk by chunk.
func fitting(t wire.Text) wire.Text {
	for len(t.Ends) > 1 && !courier.Room(t, courier.MaxBundle) {
		t.Ends = t.Ends[:len(t.Ends)-1]
		t.Body = t.Body[:t.Ends[len(t.Ends)-1]]
	}
	return t
}

// refused turns a refusal of the ask into what is sealed for the phone.
func (s *Server) refused(err error) (int, wire.Text, error) {
	var a *wire.AskError
	if !errors.As(s.Words.Refusal(err), &a) {
		return 0, wire.Text{}, err
	}
	body, err := json.Marshal(a.Failure)
	return a.Status, wire.Text{Body: body}, err
}

// carriers counts the bundles that came from each address. A village may sit
// behind one address, so the limit only holds back a flood.
type carriers struct {
	mu     sync.Mutex
	minute time.Time
	counts map[string]int
}

const (
	bundlesAMinute = 200
	addressesMost  = 10_000
)

func (c *carriers) admit(address string, n int, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if minute := now.Truncate(time.Minute); c.counts == nil || !c.minute.Equal(minute) {
		c.minute, c.counts = minute, map[string]int{}
	}
	if c.counts[address]+n > bundlesAMinute || len(c.counts) >= addressesMost {
		return false
	}
	c.counts[address] += n
	return true
}
