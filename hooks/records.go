package hooks

import (
	"fmt"
	"slices"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/notify"
)

// bindRecords makes every write of a shared record, by a phone, the dashboard
// or the program itself, one road: fields filled, checked, written, notices
// raised, all in one transaction. app.Save opens none by itself, so it is
// opened here around the whole of it.
func (c *Commune) bindRecords() {
	for _, d := range c.Domains {
		for i := range d.Collections {
			decl := &d.Collections[i]
			written := func(e *core.RecordEvent) error { return c.write(e, decl) }
			c.App.OnRecordCreate(decl.Name).BindFunc(written)
			c.App.OnRecordUpdate(decl.Name).BindFunc(written)
			c.App.OnRecordDelete(decl.Name).BindFunc(func(e *core.RecordEvent) error { return c.remove(e, decl) })
			// Asked for in the dashboard, a refusal is shown in its own words.
			asked := func(e *core.RecordRequestEvent) error {
				if e.Auth != nil && e.Auth.IsSuperuser() {
					ctx := commune.WithAuthor(e.Request.Context(), commune.Author{Admin: e.Auth.Id}, c.Now())
					e.Request = e.Request.WithContext(ctx)
				}
				return inWords(e.Next())
			}
			c.App.OnRecordCreateRequest(decl.Name).BindFunc(asked)
			c.App.OnRecordUpdateRequest(decl.Name).BindFunc(asked)
			c.App.OnRecordDeleteRequest(decl.Name).BindFunc(asked)
		}
	}
}

func inWords(err error) error {
	if r := commune.Refused(err); r != nil {
		return apis.NewBadRequestError(r.Sentence, map[string]any{"code": r.Code})
	}
	if p := commune.Parked(err); p != nil {
		return apis.NewBadRequestError(p.Sentence, map[string]any{"code": p.Code})
	}
	return err
}

func (c *Commune) write(e *core.RecordEvent, decl *commune.Collection) error {
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		one := c.newCase(tx, e)
		one.New = e.Record
		if err := fillRoutes(tx, decl, e.Record); err != nil {
			return err
		}
		for _, step := range []func(*commune.Case) error{decl.Fill, decl.Check} {
			if step == nil {
				continue
			}
			if err := step(one); err != nil {
				return err
			}
		}
		if err := e.Next(); err != nil {
			return err
		}
		return c.raise(tx, decl, one)
	})
}

func (c *Commune) remove(e *core.RecordEvent, decl *commune.Collection) error {
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		one := c.newCase(tx, e)
		one.Old, one.New = e.Record, nil
		if decl.Check != nil {
			if err := decl.Check(one); err != nil {
				return err
			}
		}
		if err := e.Next(); err != nil {
			return err
		}
		return c.raise(tx, decl, one)
	})
}

func (c *Commune) newCase(tx core.App, e *core.RecordEvent) *commune.Case {
	now := c.Now()
	who, at := commune.AuthorOf(e.Context)
	if at.IsZero() {
		at = now
	}
	one := &commune.Case{App: tx, Author: who, Now: now, At: at}
	if !e.Record.IsNew() {
		one.Old = e.Record.Original()
	}
	return one
}

func (c *Commune) raise(tx core.App, decl *commune.Collection, one *commune.Case) error {
	var notices []commune.Notice
	if decl.Raise != nil {
		var err error
		if notices, err = decl.Raise(one); err != nil {
			return fmt.Errorf("raise notices of %s: %w", decl.Name, err)
		}
	}
	for _, n := range notices {
		if err := notify.Raise(tx, n, one.Now); err != nil {
			return fmt.Errorf("raise notice %s: %w", n.Kind, err)
		}
		if n.Urgent {
			c.Hints.Hurry(string(n.To))
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

// fillRoutes sets the routed fields from their sources, whatever was written
// there: they are the server's own.
func fillRoutes(tx core.App, decl *commune.Collection, r *core.Record) error {
	// A route may start from another route's field: as many rounds as there are.
	for range decl.Routes {
		for field, route := range decl.Routes {
			value := ""
			if via := r.GetString(route.Via); via != "" {
				err := tx.NonconcurrentDB().NewQuery("SELECT coalesce(max([[" + route.From + "]]), '') FROM {{" + route.Of + "}} WHERE [[id]] = {:id}").
					Bind(dbx.Params{"id": via}).Row(&value)
				if err != nil {
					return fmt.Errorf("follow %s of %s: %w", route.From, route.Of, err)
				}
			}
			r.Set(field, value)
		}
	}
	return nil
}
