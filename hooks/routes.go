package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	_ "langso/dictionary" // known to all phones of this commune
	"langso/pwa"
	"langso/signin"
	"langso/sync/courier"
	"langso/sync/exchange"
	"langso/sync/phones"
	"langso/sync/wire"
)

func (c *Commune) bindRoutes() {
	c.App.OnServe().BindFunc(func(se *core.ServeEvent) error {
		if err := c.Open(); err != nil {
			return err
		}
		se.Router.GET("/api/langso", c.about)
		se.Router.POST("/api/sync", c.sync).Bind(apis.SkipSuccessActivityLog()).
			Unbind(apis.DefaultBodyLimitMiddlewareId, apis.DefaultLoadAuthTokenMiddlewareId)
		c.bindCourier(se)
		c.Hints.Bind(se)
		c.bindMetrics(se)
		se.Router.GET("/api/sync/dictionary/{version}", dictionaryFile).Bind(apis.SkipSuccessActivityLog())
		se.Router.GET("/api/snapshots/{name}", func(e *core.RequestEvent) error {
			c.Snapshots.ServeFile(e.Response, e.Request, e.Request.PathValue("name"))
			return nil
		}).Bind(apis.SkipSuccessActivityLog())
		if c.SignIn != nil {
			c.SignIn.MayInvite = c.mayInvite
			signin.Bind(se, c.SignIn)
		}
		if c.Texts != nil {
			c.Texts.Bind(se)
		}
		if err := c.store.Routes(se); err != nil {
			return err
		}
		if c.Files != nil {
			if err := pwa.Bind(se, c.Files); err != nil {
				return err
			}
		}
		return se.Next()
	})
}

// about tells a phone whom it talks to.
func (c *Commune) about(e *core.RequestEvent) error {
	var epoch string
	if err := c.App.ConcurrentDB().NewQuery(`SELECT epoch FROM journal_meta`).Row(&epoch); err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{
		"v": wire.Version, "name": c.Name, "epoch": epoch, "key": c.publicKey(), "seal": courier.KeyText(c.seal.PublicKey()), "sms": c.gateway(), "demo": c.Demo, "push": c.pushKey(),
	})
}

// gateway names what carries codes: log, http, or off.
func (c *Commune) gateway() string {
	if c.SignIn == nil || c.SignIn.SMS == nil {
		return "off"
	}
	return c.SignIn.SMS.Name()
}

// pushKey is what browsers subscribe to; "" when they cannot be woken.
func (c *Commune) pushKey() string {
	if c.WebPush == nil {
		return ""
	}
	return c.WebPush.PublicKey()
}

// dictionaryFile gives a browser the dictionary that answers of the sync are
// compressed with (RFC 9842). It is public and never changes.
func dictionaryFile(e *core.RequestEvent) error {
	version, err := strconv.ParseUint(e.Request.PathValue("version"), 10, 8)
	d := wire.FindDictionary(byte(version))
	if err != nil || d == nil {
		return e.NotFoundError("", nil)
	}
	h := e.Response.Header()
	h.Set("Use-As-Dictionary", `match="/api/sync*"`)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Vary", "Accept-Encoding")
	packed, encoding := wire.Text{Body: d.Text}.Pack(http.Header{"Accept-Encoding": e.Request.Header["Accept-Encoding"]})
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	return send(e, packed)
}

// sync is the phone's road.
func (c *Commune) sync(e *core.RequestEvent) error {
	body, err := io.ReadAll(io.LimitReader(e.Request.Body, wire.MaxBody+1))
	if err != nil {
		return fail(e, &wire.AskError{Status: http.StatusBadRequest, Failure: wire.Failure{Code: "bad_ask", Say: "Gói dữ liệu hỏng, máy sẽ gửi lại."}})
	}
	if len(body) > wire.MaxBody {
		return fail(e, tooLarge)
	}
	if wire.IsBinary(body) {
		return c.syncBinary(e, body)
	}
	phone, err := phones.Book{App: c.App}.Signed(e.Request, body)
	blocked := err == phones.ErrBlocked
	if err != nil && !blocked {
		return phones.WriteError(e.Response, err)
	}
	if encoding := e.Request.Header.Get("Content-Encoding"); encoding != "" {
		if body, err = wire.Unpack(body, encoding, wire.MaxBody); err != nil {
			return fail(e, tooLarge)
		}
	}
	ask, err := wire.DecodeAsk(body)
	if err != nil {
		return fail(e, err)
	}
	if blocked {
		return c.handIn(e, phone, ask)
	}
	answer, err := c.exchange(e, phone, ask)
	if err != nil {
		return c.busy(e, err)
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
	c.carried(e, phone.ID, len(packed))
	return send(e, packed)
}

// syncBinary is the same in the form of native phones. Its refusals are JSON.
func (c *Commune) syncBinary(e *core.RequestEvent, body []byte) error {
	b, err := wire.ParseBinaryAsk(body)
	if err != nil {
		return fail(e, &wire.AskError{Status: http.StatusBadRequest, Failure: wire.Failure{Code: "bad_ask", Say: "Gói dữ liệu hỏng, máy sẽ gửi lại."}})
	}
	phone, err := phones.Book{App: c.App}.Known(b.Phone, b.Signature, wire.SigningBytes(e.Request.Method, e.Request.URL.Path, b.Signed))
	blocked := err == phones.ErrBlocked
	if err != nil && !blocked {
		return phones.WriteError(e.Response, err)
	}
	ask, err := b.Ask()
	if err != nil {
		return fail(e, err)
	}
	if blocked {
		return c.handIn(e, phone, ask)
	}
	answer, err := c.exchange(e, phone, ask)
	if err != nil {
		return c.busy(e, err)
	}
	packed, err := wire.WriteBinary(answer, wire.FindDictionary(b.Version))
	if err != nil {
		return err
	}
	h := e.Response.Header()
	// The first byte says what it is; the phone has a clock of its own.
	h["Content-Type"], h["Date"] = nil, nil
	h.Del("X-Content-Type-Options")
	c.carried(e, phone.ID, len(packed))
	return send(e, packed)
}

// handIn takes what a blocked phone still has, and tells it to forget the rest.
func (c *Commune) handIn(e *core.RequestEvent, phone *phones.Phone, ask *wire.Ask) error {
	answer, err := c.handedIn(e, phone, ask)
	if err != nil {
		return c.busy(e, err)
	}
	return fail(e, answer)
}

func (c *Commune) handedIn(e *core.RequestEvent, phone *phones.Phone, ask *wire.Ask) (*wire.AskError, error) {
	acked, err := c.Engine.HandIn(e.Request.Context(), exchange.Phone{ID: phone.ID, Person: phone.Person}, ask)
	return &wire.AskError{Status: http.StatusForbidden, Failure: wire.Failure{Code: "phone_blocked", Say: "Máy này đã bị chặn. Xin liên hệ Ủy ban xã.", Wipe: true, Acked: acked}}, err
}

// exchange is the meeting itself.
func (c *Commune) exchange(e *core.RequestEvent, phone *phones.Phone, ask *wire.Ask) ([]wire.Line, error) {
	begun := time.Now()
	answer, err := c.Engine.Serve(e.Request.Context(), exchange.Phone{ID: phone.ID, Person: phone.Person}, ask)
	apart := measure(ask, answer, err, time.Since(begun))
	if err != nil {
		return nil, err
	}
	c.seen.note(phone.ID, ask, apart, c.Now())
	if phone.Check {
		return c.askForCheck(phone, ask, answer)
	}
	return answer, nil
}

// askForCheck passes on that the administrator wants the phone to compare all
// that it holds, until it does.
func (c *Commune) askForCheck(phone *phones.Phone, ask *wire.Ask, answer []wire.Line) ([]wire.Line, error) {
	if ask.Check != nil && ask.Check.Deep {
		_, err := c.App.NonconcurrentDB().NewQuery(`UPDATE phones SET deep_check = '' WHERE id = {:id}`).Bind(dbx.Params{"id": phone.ID}).Execute()
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
func (c *Commune) busy(e *core.RequestEvent, err error) error {
	if errors.Is(err, context.Canceled) {
		return nil // nobody listens any more
	}
	c.App.Logger().Error("an exchange failed", "error", err)
	e.Response.Header().Set("Retry-After", "20")
	if strings.Contains(err.Error(), "disk is full") {
		return fail(e, &wire.AskError{Status: http.StatusInsufficientStorage, Failure: wire.Failure{Code: "disk_full", Say: "Máy chủ hết chỗ ghi, sẽ tự gửi lại sau. Việc của bạn vẫn còn trên máy."}})
	}
	return fail(e, &wire.AskError{Status: http.StatusServiceUnavailable, Failure: wire.Failure{Code: "busy", Say: "Máy chủ đang bận, sẽ tự gửi lại sau."}})
}

func fail(e *core.RequestEvent, err error) error {
	var a *wire.AskError
	if !errors.As(err, &a) {
		return err
	}
	h := e.Response.Header()
	h.Set("Content-Type", "application/json")
	e.Response.WriteHeader(a.Status)
	return json.NewEncoder(e.Response).Encode(a.Failure)
}

// mayInvite tells whether a person sits at the one-stop counter now.
func (c *Commune) mayInvite(_ core.App, person string) bool {
	circles, err := c.Engine.Circles(person)
	return err == nil && slices.Contains(circles, "duty:onestop")
}
