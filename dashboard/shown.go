package dashboard

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// onceIn is how long one line of the access log stands for further looks by
// the same superuser at the same person's records of the same collection.
const onceIn = 15 * time.Minute

// closedText stands in place of a closed record's name where another record
// points at it.
const closedText = "Hồ sơ riêng"

// shown is what one request is about to show: persons by collection.
type shown struct {
	by      *core.Record
	app     core.App
	persons map[*personal]map[string]bool
	open    map[*personal]bool
}

// enrich is the one place that every record passes on its way out. PocketBase
// calls it for the records of one answer nested in each other, so the first to
// come is the last to leave: it writes the log of them all.
func (g *gate) enrich(e *core.RecordEnrichEvent) error {
	record, info := e.Record, e.RequestInfo
	p := g.find(record.Collection())
	if p == nil {
		return e.Next()
	}
	if info == nil || info.Auth == nil || !info.Auth.IsSuperuser() {
		return errPersonal
	}
	if info.Context == core.RequestInfoContextRealtime {
		return errLive
	}
	s, first := g.enter(e.App, info)
	if first {
		defer g.leave(info)
	}
	open, err := s.isOpen(g, p)
	if err != nil {
		return err
	}
	if !open && info.Context != core.RequestInfoContextExpand {
		return g.reasonNeeded(p.key)
	}
	if open {
		s.add(p, p.owner(record))
	}
	err = e.Next()
	if !open {
		veil(record) // only now: until here PocketBase unhides everything for superusers
	}
	if err != nil || !first {
		return err
	}
	return s.write(g)
}

// veil leaves of a record its id, and words where its name would stand.
func veil(r *core.Record) {
	for _, f := range r.Collection().Fields {
		if f.GetName() == core.FieldNameId {
			continue
		}
		if t, ok := f.(*core.TextField); ok && t.Presentable {
			r.SetRaw(t.Name, closedText)
			continue
		}
		r.Hide(f.GetName())
	}
}

func (g *gate) enter(app core.App, info *core.RequestInfo) (s *shown, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.shown[info]; s != nil {
		return s, false
	}
	s = &shown{by: info.Auth, app: app, persons: map[*personal]map[string]bool{}, open: map[*personal]bool{}}
	g.shown[info] = s
	return s, true
}

func (g *gate) leave(info *core.RequestInfo) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.shown, info)
}

func (s *shown) isOpen(g *gate, p *personal) (bool, error) {
	if open, known := s.open[p]; known {
		return open, nil
	}
	_, open, err := g.reason(s.app, s.by.Id, p.key)
	s.open[p] = open
	return open, err
}

func (s *shown) add(p *personal, person string) {
	if person == "" {
		return // it concerns nobody in particular
	}
	if s.persons[p] == nil {
		s.persons[p] = map[string]bool{}
	}
	s.persons[p][person] = true
}

func (s *shown) write(g *gate) error {
	for p, persons := range s.persons {
		ids := make([]string, 0, len(persons))
		for id := range persons {
			ids = append(ids, id)
		}
		if err := g.log(s.app, s.by, p, p.title, ids...); err != nil {
			return err
		}
	}
	return nil
}

// log writes that by has looked at what of these persons, before they are
// shown. A person who stands in the log with it already, for less than onceIn,
// or whom the commune does not have, is passed over.
func (g *gate) log(app core.App, by *core.Record, p *personal, what string, persons ...string) error {
	if len(persons) == 0 || persons[0] == "" {
		return nil
	}
	line := map[string]any{"who": by.Email(), "what": what, "at": commune.Moment(g.Now())}
	fresh, err := g.unlogged(app, line, persons)
	if err != nil || len(fresh) == 0 {
		return err
	}
	line["why"], _, err = g.reason(app, by.Id, p.key)
	if err != nil {
		return err
	}
	c, err := app.FindCachedCollectionByNameOrId("access_log")
	if err != nil {
		return fmt.Errorf("write the access log: %w", err)
	}
	return app.RunInTransaction(func(tx core.App) error {
		// Pages ask for the same twice at once: only the writer knows who was first.
		fresh, err := g.unlogged(tx, line, fresh)
		if err != nil {
			return err
		}
		for _, person := range fresh {
			r := core.NewRecord(c)
			r.Load(line)
			r.Set("person", person)
			if err := tx.Save(r); err != nil {
				return fmt.Errorf("write the access log: %w", err)
			}
		}
		return nil
	})
}

// unlogged returns those of the persons for whom such a line does not stand yet.
func (g *gate) unlogged(app core.App, line map[string]any, persons []string) ([]string, error) {
	ids, err := json.Marshal(persons)
	if err != nil {
		return nil, err
	}
	var fresh []string
	err = app.ConcurrentDB().NewQuery(`SELECT id FROM persons WHERE id IN (SELECT value FROM json_each({:ids})) AND NOT EXISTS (
		SELECT 1 FROM access_log l WHERE l.person = persons.id AND l.who = {:who} AND l.what = {:what} AND l.at > {:since})`).
		Bind(dbx.Params{"ids": string(ids), "who": line["who"], "what": line["what"], "since": commune.Moment(g.Now().Add(-onceIn))}).Column(&fresh)
	if err != nil {
		return nil, fmt.Errorf("read the access log: %w", err)
	}
	return fresh, nil
}
