package attach

import (
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// bindSchema keeps the journal's triggers with the tables, in the transaction
// that changes them.
func (s *Sync) bindSchema() {
	within := func(f func(*core.CollectionEvent) error) func(*core.CollectionEvent) error {
		return func(e *core.CollectionEvent) error {
			if !e.App.HasTable("journal_collections") {
				return e.Next()
			}
			outer := e.App
			defer func() { e.App = outer }()
			return outer.RunInTransaction(func(tx core.App) error { e.App = tx; return f(e) })
		}
	}
	saved := within(func(e *core.CollectionEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		return s.journal.Prepare(e.App)
	})
	s.app.OnCollectionCreateExecute().BindFunc(saved)
	s.app.OnCollectionUpdateExecute().BindFunc(saved)
	s.app.OnCollectionDeleteExecute().BindFunc(within(func(e *core.CollectionEvent) error {
		id := e.Collection.Id
		if err := e.Next(); err != nil {
			return err
		}
		return s.journal.Drop(e.App, id)
	}))
	forget := func(e *core.CollectionEvent) error { s.journal.Forget(); return e.Next() }
	s.app.OnCollectionAfterCreateSuccess().BindFunc(forget)
	s.app.OnCollectionAfterUpdateSuccess().BindFunc(forget)
	s.app.OnCollectionAfterDeleteSuccess().BindFunc(forget)
}

// bindRecords makes every write of a shared record one road: filled, checked and
// written in one transaction, whoever writes.
func (s *Sync) bindRecords() {
	for i := range s.options.Collections {
		decl := &s.options.Collections[i]
		s.app.OnRecordCreate(decl.Name).BindFunc(func(e *core.RecordEvent) error { return s.write(e, decl) })
		s.app.OnRecordUpdate(decl.Name).BindFunc(func(e *core.RecordEvent) error { return s.write(e, decl) })
		s.app.OnRecordDelete(decl.Name).BindFunc(func(e *core.RecordEvent) error {
			if decl.Check == nil {
				return e.Next()
			}
			one := s.newCase(e)
			one.Old, one.New = e.Record, nil
			if err := decl.Check(one); err != nil {
				return inWords(err)
			}
			return e.Next()
		})
	}
}

func (s *Sync) write(e *core.RecordEvent, decl *commune.Collection) error {
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		for range decl.Routes { // a route may start from another route's field
			for field, r := range decl.Routes {
				value := ""
				if via := e.Record.GetString(r.Via); via != "" {
					if err := tx.NonconcurrentDB().NewQuery("SELECT coalesce(max([[" + r.From + "]]), '') FROM {{" + r.Of + "}} WHERE [[id]] = {:id}").
						Bind(dbx.Params{"id": via}).Row(&value); err != nil {
						return err
					}
				}
				e.Record.Set(field, value)
			}
		}
		one := s.newCase(e)
		for _, step := range []func(*commune.Case) error{decl.Fill, decl.Check} {
			if step == nil {
				continue
			}
			if err := step(one); err != nil {
				return inWords(err)
			}
		}
		return e.Next()
	})
}

func (s *Sync) newCase(e *core.RecordEvent) *commune.Case {
	who, at := commune.AuthorOf(e.Context)
	if at.IsZero() {
		at = s.options.Now()
	}
	one := &commune.Case{App: e.App, New: e.Record, Author: who, Now: s.options.Now(), At: at}
	if !e.Record.IsNew() {
		one.Old = e.Record.Original()
	}
	return one
}

// inWords keeps a refusal what it is for phones and readable in the API: PocketBase
// shows only errors of its own kind.
func inWords(err error) error {
	r := commune.Refused(err)
	if r == nil {
		return err
	}
	return refusal{apis.NewBadRequestError(r.Sentence, map[string]any{"code": r.Code}), r}
}

type refusal struct {
	error
	commune *commune.Refusal
}

func (r refusal) Unwrap() []error { return []error{r.error, r.commune} }
