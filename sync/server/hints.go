package server

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/sync/hints"
)

// bindHints ties what the journal hears to the phones that listen.
func (s *Server) bindHints() {
	most, _ := strconv.Atoi(os.Getenv("LANGSO_HINTS_MOST")) // nonsense: the default
	review, _ := time.ParseDuration(os.Getenv("LANGSO_HINTS_REVIEW"))
	s.Hints = &hints.Hub{
		App: s.App, Phones: s.Phones, Most: max(0, most), Review: max(0, review),
		Standing: s.Engine.Circles,
		Ahead: func(ctx context.Context, circles []string, above int64) (hints.Head, bool, error) {
			q, err := s.Journal.Idle(ctx, circles, above, nil)
			// What was not numbered yet is news when it is.
			return hints.Head{Epoch: q.Epoch, Seq: q.Seq}, q.Ahead, err
		},
	}
	s.Journal.Watch(s.Hints.News)
	// Who blocks a phone, or takes it away, ends its stream.
	ends := func(e *core.RecordEvent) error {
		s.Hints.Drop(e.Record.Id)
		return e.Next()
	}
	s.App.OnRecordAfterDeleteSuccess("phones").BindFunc(ends)
	s.App.OnRecordAfterUpdateSuccess("phones").BindFunc(func(e *core.RecordEvent) error {
		if old := e.Record.Original(); e.Record.GetBool("blocked") || e.Record.GetString("public_key") != old.GetString("public_key") {
			return ends(e)
		}
		return e.Next()
	})
}
