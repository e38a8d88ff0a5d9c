package server

import (
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// bindSchema keeps the journal's triggers with the tables, whatever the
// dashboard does to them, in the transaction that does it.
func (s *Server) bindSchema() {
	saved := func(e *core.CollectionEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		return s.Journal.Prepare(e.App)
	}
	s.App.OnCollectionCreateExecute().BindFunc(s.within(saved))
	s.App.OnCollectionUpdateExecute().BindFunc(s.within(saved))
	s.App.OnCollectionDeleteExecute().BindFunc(s.within(func(e *core.CollectionEvent) error {
		id := e.Collection.Id
		if err := e.Next(); err != nil {
			return err
		}
		return s.Journal.Drop(e.App, id)
	}))
	// The shapes may have been read again between the save and its commit.
	forget := func(e *core.CollectionEvent) error {
		s.Journal.Forget()
		return e.Next()
	}
	s.App.OnCollectionAfterCreateSuccess().BindFunc(forget)
	s.App.OnCollectionAfterUpdateSuccess().BindFunc(forget)
	s.App.OnCollectionAfterDeleteSuccess().BindFunc(forget)

	s.App.OnCollectionValidate().BindFunc(func(e *core.CollectionEvent) error {
		if old, err := s.App.FindCachedCollectionByNameOrId(e.Collection.Id); err == nil && old.Name != e.Collection.Name && s.Journal.Declared(old.Name) {
			return apis.NewBadRequestError("Điện thoại biết bảng này theo tên, không đổi tên được.", nil)
		}
		return e.Next()
	})
	s.App.OnCollectionDeleteRequest().BindFunc(func(e *core.CollectionRequestEvent) error {
		if s.Journal.Declared(e.Collection.Name) {
			return apis.NewBadRequestError("Ứng dụng đang dùng bảng này, không xóa được.", nil)
		}
		return e.Next()
	})
}

// within runs a collection's hook inside a transaction that is surely there,
// once the journal's tables are.
func (s *Server) within(f func(*core.CollectionEvent) error) func(*core.CollectionEvent) error {
	return func(e *core.CollectionEvent) error {
		if !e.App.HasTable("journal_collections") {
			return e.Next() // PocketBase's own first migrations
		}
		outer := e.App
		defer func() { e.App = outer }()
		return outer.RunInTransaction(func(tx core.App) error {
			e.App = tx
			return f(e)
		})
	}
}
