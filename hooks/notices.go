package hooks

import (
	"fmt"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/metrics"
	"langso/notify"
)

// raised hands the notices of a write to the outbox, in the write's transaction.
func (c *Commune) raised(tx core.App, decl *commune.Collection, one *commune.Case, notices []commune.Notice) error {
	for _, n := range notices {
		if c.Outbox != nil {
			n = c.Outbox.Temper(one.Author.Person, n, one.Now)
		}
		if err := notify.Raise(tx, n, one.Now); err != nil {
			return fmt.Errorf("raise notice %s: %w", n.Kind, err)
		}
	}
	if err := c.nudge(tx, decl, one, notices); err != nil {
		return err
	}
	if len(notices) > 0 && c.Outbox != nil {
		c.Outbox.Poke() // lost when the transaction is undone, or too early: the outbox looks again by itself
	}
	return nil
}

// near are the kinds of circles small enough that a changed record is worth a
// wake-up of its own.
var near = map[string]bool{"person": true, "guardian": true, "household": true, "stall": true}

// nudge asks the phones of the record's near circles to sync: those of others
// than its author, whom no notice of this write wakes already.
func (c *Commune) nudge(tx core.App, decl *commune.Collection, one *commune.Case, notices []commune.Notice) error {
	r := one.New
	if r == nil {
		r = one.Old
	}
	if c.Outbox == nil || one.Author.Server() || r == nil {
		return nil
	}
	for _, circle := range decl.Read.Of(r) {
		told := slices.ContainsFunc(notices, func(n commune.Notice) bool { return n.To == circle })
		if !near[circle.Kind()] || told || circle == commune.Named("person", one.Author.Person) {
			continue
		}
		if err := notify.Nudge(tx, circle, one.Now); err != nil {
			return err
		}
	}
	return nil
}

// heard tells at which number of the journal a notice stands: a phone whose cursor
// has passed it has the notice.
func heard(app core.App, notice string) (seq int64, epoch string, err error) {
	err = app.ConcurrentDB().NewQuery(`SELECT m.epoch, ifnull((SELECT r.seq FROM journal_records r JOIN journal_collections c ON c.no = r.coll
		WHERE c.name = 'notices' AND r.rid = {:notice}), 0) FROM journal_meta m`).Bind(dbx.Params{"notice": notice}).Row(&epoch, &seq)
	return seq, epoch, err
}

// figures tell how the outbox stands.
func (c *Commune) figures() ([]metrics.Gauge, error) {
	var f struct {
		Waiting float64 `db:"waiting"`
		Dead    float64 `db:"dead"`
	}
	err := c.App.ConcurrentDB().NewQuery(`SELECT (SELECT count(*) FROM deliveries WHERE state = 'waiting') waiting, (SELECT count(*) FROM deliveries WHERE state = 'dead') dead`).One(&f)
	return []metrics.Gauge{{Name: "langso_outbox_waiting", Value: f.Waiting}, {Name: "langso_outbox_dead", Value: f.Dead}}, err
}
