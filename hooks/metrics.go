package hooks

import (
	"os"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/metrics"
	"langso/sync/wire"
)

// bindMetrics shows the figures, when a token is set.
func (c *Commune) bindMetrics(se *core.ServeEvent) {
	token := os.Getenv("LANGSO_METRICS_TOKEN")
	if token == "" {
		return
	}
	show := metrics.Handler(token, c.gauges)
	se.Router.GET("/metrics", func(e *core.RequestEvent) error {
		show.ServeHTTP(e.Response, e.Request)
		return nil
	}).Bind(apis.SkipSuccessActivityLog()).Unbind(apis.DefaultLoadAuthTokenMiddlewareId)
}

// gauges are the figures that the database holds.
func (c *Commune) gauges() ([]metrics.Gauge, error) {
	var f struct {
		Seq     float64 `db:"seq"`
		Touched float64 `db:"touched"`
		Seen    float64 `db:"seen"`
		Phones  float64 `db:"phones"`
		Parked  float64 `db:"parked"`
		Outbox  float64 `db:"outbox"`
		Dead    float64 `db:"dead"`
	}
	err := c.App.ConcurrentDB().NewQuery(`SELECT coalesce((SELECT seq FROM journal_meta), 0) seq, (SELECT count(*) FROM journal_touched) touched,
		(SELECT count(*) FROM phones WHERE seen >= {:since}) seen, (SELECT count(*) FROM phones) phones,
		(SELECT count(*) FROM parked_edits WHERE state = 'waiting') parked,
		(SELECT count(*) FROM deliveries WHERE state = 'waiting') outbox, (SELECT count(*) FROM deliveries WHERE state = 'dead') dead`).
		Bind(dbx.Params{"since": c.Now().Add(-24 * time.Hour).UTC().Format(time.RFC3339)}).One(&f)
	if err != nil {
		return nil, err
	}
	return []metrics.Gauge{
		{Name: "langso_journal_seq", Value: f.Seq}, {Name: "langso_journal_touched", Value: f.Touched},
		{Name: "langso_phones", Value: f.Phones}, {Name: "langso_phones_seen_24h", Value: f.Seen}, {Name: "langso_parked_edits", Value: f.Parked},
		{Name: "langso_outbox_waiting", Value: f.Outbox}, {Name: "langso_outbox_dead", Value: f.Dead}, {Name: "langso_hint_connections", Value: float64(c.Hints.Count())},
	}, nil
}

// measure counts one exchange, and tells whether the phone's sums were not the
// server's.
func measure(ask *wire.Ask, answer []wire.Line, err error, took time.Duration) (apart bool) {
	outcome := "failed"
	for _, l := range answer {
		switch {
		case l.Complete != nil:
			outcome = "complete"
		case l.More != "":
			outcome = "more"
		case l.RetryIn > 0:
			outcome = "retry"
		}
		for _, v := range l.Verdicts {
			metrics.Judged(string(v.Is))
		}
		apart = apart || l.Sums != nil && ask.Check != nil && len(ask.Check.Sums) > 0
	}
	if err != nil {
		outcome = "failed"
	}
	metrics.Exchanged(outcome, took)
	if apart {
		metrics.Mismatched()
	}
	if ask.Check != nil && len(ask.Check.Lists) > 0 {
		metrics.Repaired()
	}
	return apart
}

// carried counts an answer's bytes, and those of its ask.
func (c *Commune) carried(e *core.RequestEvent, phone string, down int) {
	up := int(max(0, e.Request.ContentLength))
	metrics.Carried(up, down)
	c.seen.carried(phone, up, down, c.Now())
}
