// Package signin is people's way in: a phone's own key instead of a password.
//
// A person proves once who they are, by a code sent to their phone number or by
// an invitation shown at the counter, and hands over the phone's public key.
// From then on the phone signs each request, and the key never expires: a phone
// may be away for months. One key is one row of the collection phones; blocking
// the row shuts the phone out. Several persons may share a number, so a number
// alone is never a person. The shapes are those of docs/PROTOCOL.md §2–3.
package signin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/notify/sms"
	"langso/notify/webpush"
	"langso/signin/firebase"
	"langso/sync/phones"
	"langso/sync/wire"
)

// Service is the way in. The zero values of Now, MayInvite and PublicURL will do:
// the computer's clock, nobody invites, links name the address of the request.
type Service struct {
	App       core.App
	SMS       sms.Gateway // nil: no codes are sent, sign-in is by invitation only
	Now       func() time.Time
	MayInvite func(app core.App, person string) bool
	PublicURL string
	Tokens    NumberProof                         // nil: Firebase's word is not taken
	WebPush   *webpush.Sender                     // nil: no phone can be woken through its browser
	Load      func(person string) []wire.Snapshot // files that a new phone begins with; nil: its first ask tells
	Left      func(phone string)                  // hears of a phone that signed out; nil: nobody does
	Words     phones.Words                        // the app's own sentences

	mu     sync.Mutex
	minute time.Time // the minute being counted
	asked  int       // code requests in it, over all numbers

	once    sync.Once
	secret  []byte          // keys the hashes of codes; it dies with the process
	serving context.Context // ends when the app terminates
	sending sync.WaitGroup  // codes on their way to the gateway
}

// NumberProof tells what a token proves; its error is firebase.ErrAway when that
// cannot be said now.
type NumberProof interface {
	Prove(ctx context.Context, token string) (firebase.Proof, error)
}

func refuse(status int, code, say string) error {
	return &wire.AskError{Status: status, Failure: wire.Failure{Code: code, Say: say}}
}

// Bind registers the routes.
func Bind(se *core.ServeEvent, s *Service) {
	serving, stop := context.WithCancel(context.Background())
	s.serving = serving
	se.App.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		stop()
		s.sending.Wait() // what they still write needs the database
		return e.Next()
	})
	routes := map[string]func(*core.RequestEvent, []byte) (any, error){
		"/api/phones/code":       s.code,
		"/api/phones/sign-in":    s.signIn,
		"/api/phones/invitation": s.invite,
		"/api/phones/address":    s.address,
		"/api/phones/sign-out":   s.signOut,
	}
	for path, do := range routes {
		se.Router.POST(path, func(e *core.RequestEvent) error {
			body, err := readBody(e.Request)
			if err != nil {
				return phones.WriteError(e.Response, err)
			}
			answer, err := do(e, body)
			if err != nil {
				var f *wire.AskError
				if !errors.As(err, &f) {
					s.App.Logger().Error("signing in failed", "path", path, "error", err)
				}
				return phones.WriteError(e.Response, s.Words.Refusal(err))
			}
			e.Response.Header().Set("Content-Type", "application/json")
			return json.NewEncoder(e.Response).Encode(answer)
		}).Bind(apis.SkipSuccessActivityLog()).Unbind(apis.DefaultLoadAuthTokenMiddlewareId)
	}
}

// bodyMost is far above what any of these requests needs.
const bodyMost = 16 << 10

func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyMost+1))
	if err != nil {
		return nil, badBody
	}
	if len(body) > bodyMost {
		return nil, &wire.AskError{Status: http.StatusRequestEntityTooLarge, Failure: wire.Failure{Code: "too_big", Say: "Gói dữ liệu quá lớn.", Limit: bodyMost}}
	}
	return body, nil
}

var badBody = refuse(http.StatusBadRequest, "bad_ask", "Máy chủ không đọc được yêu cầu này.")

// decode reads a body of texts. NUL and bytes that are not UTF-8 are refused.
func decode(body []byte, into any) error {
	if !utf8.Valid(body) || json.Unmarshal(body, into) != nil {
		return badBody
	}
	again, err := json.Marshal(into)
	if err != nil || containsNUL(again) {
		return badBody
	}
	return nil
}

func containsNUL(b []byte) bool {
	const nul = `\u0000`
	for i := 0; i+len(nul) <= len(b); i++ {
		if string(b[i:i+len(nul)]) == nul {
			return true
		}
	}
	return false
}

func (s *Service) phones() phones.Book { return phones.Book{App: s.App, People: "persons"} }

// signed tells which phone signed a request.
func (s *Service) signed(r *http.Request, body []byte) (*phones.Phone, error) {
	return s.phones().Signed(r, body)
}

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}
