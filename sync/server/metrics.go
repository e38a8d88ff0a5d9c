package server

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
func (s *Server) bindMetrics(se *core.ServeEvent) {
	token := os.Getenv("LANGSO_METRICS_TOKEN")
	if token == "" {
		return
	}
	show := metrics.Handler(token, s.gauges)
	se.Router.GET("/metrics", func(e *core.RequestEvent) error {
		show.ServeHTTP(e.Response, e.Request)
		return nil
	}).Bind(apis.SkipSuccessActivityLog()).Unbind(apis.DefaultLoadAuthTokenMiddlewareId)
}

// gauges are the figures that the database holds.
func (s *Server) gauges() ([]metrics.Gauge, error) {
	var f struct {
		Seq     float64 `db:"seq"`
		Touched float64 `db:"touched"`
		Seen    float64 `db:"seen"`
		Phones  float64 `db:"phones"`
		Parked  float64 `db:"parked"`
	}
	err := s.App.ConcurrentDB().NewQuery(`SELECT coalesce((SELECT seq FROM journal_meta), 0) seq, (SELECT count(*) FROM journal_touched) touched,
		(SELECT count(*) FROM phones WHERE seen >= {:since}) seen, (SELECT count(*) FROM phones) phones,
		(SELECT count(*) FROM parked_edits WHERE state = 'waiting') parked`).
		Bind(dbx.Params{"since": s.Now().Add(-24 * time.Hour).UTC().Format(time.RFC3339)}).One(&f)
	if err != nil {
		return nil, err
	}
	all := []metrics.Gauge{
		{Name: "langso_journal_seq", Value: f.Seq}, {Name: "langso_journal_touched", Value: f.Touched},
		{Name: "langso_phones", Value: f.Phones}, {Name: "langso_phones_seen_24h", Value: f.Seen}, {Name: "langso_parked_edits", Value: f.Parked},
		{Name: "langso_hint_connections", Value: float64(s.Hints.Count())},
	}
	if s.Figures == nil {
		return all, nil
	}
	more, err := s.Figures()
	return append(all, more...), err
}

// measure counts one exchange, and tells whether the phone was found to hold
// something else than the server, which nothing explains.
func (s *Server) measure(phone string, ask *wire.Ask, answer []wire.Line, err error, took time.Duration) (apart bool) {
	outcome := "failed"
	r := round{excused: ask.Compare, listed: ask.Check != nil && len(ask.Check.Lists) > 0}
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
		r.differs = r.differs || l.Sums != nil && ask.Check != nil && len(ask.Check.Sums) > 0
		r.excused = r.excused || l.Epoch != nil
	}
	if err != nil {
		outcome = "failed"
	}
	metrics.Exchanged(outcome, took)
	mismatched, repaired := s.compared.note(phone, r, s.Now())
	if mismatched {
		metrics.Mismatched()
	}
	if repaired {
		metrics.Repaired()
	}
	return mismatched
}

// carried counts an answer's bytes, and those of its ask.
func (s *Server) carried(e *core.RequestEvent, phone string, down int) {
	up := int(max(0, e.Request.ContentLength))
	metrics.Carried(up, down)
	s.seen.carried(phone, up, down, s.Now())
}
