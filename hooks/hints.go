package hooks

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/sync/hints"
	"langso/sync/phones"
)

// bindHints ties what the journal hears to the phones that listen.
func (c *Commune) bindHints() {
	most, _ := strconv.Atoi(os.Getenv("LANGSO_HINTS_MOST")) // nonsense: the default
	review, _ := time.ParseDuration(os.Getenv("LANGSO_HINTS_REVIEW"))
	c.Hints = &hints.Hub{
		App: c.App, Phones: phones.Book{App: c.App}, Most: max(0, most), Review: max(0, review),
		Standing: c.Engine.Circles,
		Ahead: func(ctx context.Context, circles []string, above int64) (hints.Head, bool, error) {
			q, err := c.Journal.Idle(ctx, circles, above, nil)
			return hints.Head{Epoch: q.Epoch, Seq: q.Seq}, !q.Idle, err
		},
	}
	c.Journal.Watch(c.Hints.News)
	if c.Outbox != nil {
		c.Outbox.Live = c.Hints.Listens // no silent wake-up for who hears already
	}
	// Who blocks a phone, or takes it away, ends its stream.
	ends := func(e *core.RecordEvent) error {
		c.Hints.Drop(e.Record.Id)
		return e.Next()
	}
	c.App.OnRecordAfterDeleteSuccess("phones").BindFunc(ends)
	c.App.OnRecordAfterUpdateSuccess("phones").BindFunc(func(e *core.RecordEvent) error {
		if old := e.Record.Original(); e.Record.GetBool("blocked") || e.Record.GetString("public_key") != old.GetString("public_key") {
			return ends(e)
		}
		return e.Next()
	})
}
