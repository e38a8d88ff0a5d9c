package server

import (
	"maps"
	"net/http"
	"strconv"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/sync/courier"
	"langso/sync/wire"
)

func (s *Server) bindRoutes() {
	s.App.OnServe().BindFunc(func(se *core.ServeEvent) error {
		if err := s.Open(); err != nil {
			return err
		}
		se.Router.GET("/api/langso", s.about)
		se.Router.POST("/api/sync", s.sync).Bind(apis.SkipSuccessActivityLog()).
			Unbind(apis.DefaultBodyLimitMiddlewareId, apis.DefaultLoadAuthTokenMiddlewareId)
		s.bindCourier(se)
		s.Hints.Bind(se)
		s.bindMetrics(se)
		se.Router.GET("/api/sync/dictionary/{version}", dictionaryFile).Bind(apis.SkipSuccessActivityLog())
		se.Router.GET("/api/snapshots/{name}", func(e *core.RequestEvent) error {
			s.Snapshots.ServeFile(e.Response, e.Request, e.Request.PathValue("name"))
			return nil
		}).Bind(apis.SkipSuccessActivityLog())
		if s.store != nil {
			if err := s.store.Routes(se); err != nil {
				return err
			}
		}
		return se.Next()
	})
}

// about tells a phone whom it talks to.
func (s *Server) about(e *core.RequestEvent) error {
	var epoch string
	if err := s.App.ConcurrentDB().NewQuery(`SELECT epoch FROM journal_meta`).Row(&epoch); err != nil {
		return err
	}
	says := map[string]any{
		"v": wire.Version, "name": s.App.Settings().Meta.AppName, "epoch": epoch, "key": s.publicKey(), "seal": courier.KeyText(s.seal.PublicKey()), "sms": "off", "demo": false, "push": "",
	}
	if s.About != nil {
		maps.Copy(says, s.About())
	}
	return e.JSON(http.StatusOK, says)
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
