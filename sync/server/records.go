package server

import (
	"fmt"

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
			sources := sourcesOf(decl)
			written := func(e *core.RecordEvent) error { return s.write(e, decl, sources) }
			s.App.OnRecordCreate(decl.Name).BindFunc(written)
			s.App.OnRecordUpdate(decl.Name).BindFunc(written)
			s.App.OnRecordDelete(decl.Name).BindFunc(func(e *core.RecordEvent) error { return s.remove(e, decl) })
			s.App.OnRecordCreateRequest(decl.Name).BindFunc(s.asked)
			s.App.OnRecordUpdateRequest(decl.Name).BindFunc(s.asked)
			s.App.OnRecordDeleteRequest(decl.Name).BindFunc(s.asked)
		}
	}
}

// inWords keeps a refusal what it is for whoever looks for one, and readable over
// the API: PocketBase shows only errors of its own kind.
func inWords(err error) error {
	code, say := "", ""
	if r := commune.Refused(err); r != nil {
		code, say = r.Code, r.Sentence
	} else if p := commune.Parked(err); p != nil {
		code, say = p.Code, p.Sentence
	} else {
		return err
	}
	return said{apis.NewBadRequestError(say, map[string]any{"refused": item{code, say}}), err}
}

// item is what PocketBase shows of an error's data: {"code":…,"message":…}.
type item struct{ code, say string }

func (i item) Code() string  { return i.code }
func (i item) Error() string { return i.say }

// said is a refusal in the form that PocketBase shows.
type said struct {
	error
	is error
}

func (s said) Unwrap() []error { return []error{s.error, s.is} }

func (s *Server) write(e *core.RecordEvent, decl *commune.Collection, sources []source) error {
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		one := s.newCase(tx, e)
		one.New = e.Record
		if err := fillRoutes(tx, sources, e.Record); err != nil {
			return err
		}
		for _, step := range []func(*commune.Case) error{decl.Fill, decl.Check} {
			if step == nil {
				continue
			}
			if err := step(one); err != nil {
				return inWords(err)
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
				return inWords(err)
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
