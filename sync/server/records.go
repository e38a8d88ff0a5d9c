package server

import (
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// bindRecords makes every write of a shared record, by a phone, the dashboard
// or the program itself, one road: fields filled, checked, written, notices
// raised, all in one transaction. app.Save opens none by itself, so it is
// opened here around the whole of it.
func (s *Server) bindRecords() {
	for _, d := range s.Domains {
		for i := range d.Collections {
			decl := &d.Collections[i]
			written := func(e *core.RecordEvent) error { return s.write(e, decl) }
			s.App.OnRecordCreate(decl.Name).BindFunc(written)
			s.App.OnRecordUpdate(decl.Name).BindFunc(written)
			s.App.OnRecordDelete(decl.Name).BindFunc(func(e *core.RecordEvent) error { return s.remove(e, decl) })
			// Asked for over the API, a refusal is shown in its own words.
			s.App.OnRecordCreateRequest(decl.Name).BindFunc(s.asked)
			s.App.OnRecordUpdateRequest(decl.Name).BindFunc(s.asked)
			s.App.OnRecordDeleteRequest(decl.Name).BindFunc(s.asked)
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

func (s *Server) write(e *core.RecordEvent, decl *commune.Collection) error {
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		one := s.newCase(tx, e)
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
		return s.raise(tx, decl, one)
	})
}

func (s *Server) remove(e *core.RecordEvent, decl *commune.Collection) error {
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		one := s.newCase(tx, e)
		one.Old, one.New = e.Record, nil
		if decl.Check != nil {
			if err := decl.Check(one); err != nil {
				return err
			}
		}
		if err := e.Next(); err != nil {
			return err
		}
		return s.raise(tx, decl, one)
	})
}

func (s *Server) newCase(tx core.App, e *core.RecordEvent) *commune.Case {
	who, at := s.authorOf(e)
	one := &commune.Case{App: tx, Author: who, Now: s.Now(), At: at}
	if !e.Record.IsNew() {
		one.Old = e.Record.Original()
	}
	return one
}

// raise hands on what a write is worth telling.
func (s *Server) raise(tx core.App, decl *commune.Collection, one *commune.Case) error {
	var notices []commune.Notice
	if decl.Raise != nil {
		var err error
		if notices, err = decl.Raise(one); err != nil {
			return fmt.Errorf("raise notices of %s: %w", decl.Name, err)
		}
	}
	for _, n := range notices {
		if n.Urgent {
			s.Hints.Hurry(string(n.To))
		}
	}
	if s.Raised == nil {
		return nil
	}
	return s.Raised(tx, decl, one, notices)
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
