package hooks

import (
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// bindSchema keeps the journal's triggers with the tables, whatever the
// dashboard does to them, in the transaction that does it.
func (c *Commune) bindSchema() {
	saved := func(e *core.CollectionEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		return c.Journal.Prepare(e.App)
	}
	c.App.OnCollectionCreateExecute().BindFunc(c.within(saved))
	c.App.OnCollectionUpdateExecute().BindFunc(c.within(saved))
	c.App.OnCollectionDeleteExecute().BindFunc(c.within(func(e *core.CollectionEvent) error {
		id := e.Collection.Id
		if err := e.Next(); err != nil {
			return err
		}
		return c.Journal.Drop(e.App, id)
	}))
	// The shapes may have been read again between the save and its commit.
	forget := func(e *core.CollectionEvent) error {
		c.Journal.Forget()
		return e.Next()
	}
	c.App.OnCollectionAfterCreateSuccess().BindFunc(forget)
	c.App.OnCollectionAfterUpdateSuccess().BindFunc(forget)
	c.App.OnCollectionAfterDeleteSuccess().BindFunc(forget)

	c.App.OnCollectionValidate().BindFunc(func(e *core.CollectionEvent) error {
		if err := c.oneTruth(e.Collection); err != nil {
			return err
		}
		return e.Next()
	})
	c.App.OnCollectionDeleteRequest().BindFunc(func(e *core.CollectionRequestEvent) error {
		if c.Journal.Declared(e.Collection.Name) {
			return apis.NewBadRequestError("Ứng dụng đang dùng bảng này, không xóa được.", nil)
		}
		return e.Next()
	})
}

// within runs a collection's hook inside a transaction that is surely there,
// once the journal's tables are.
func (c *Commune) within(f func(*core.CollectionEvent) error) func(*core.CollectionEvent) error {
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

// oneTruth refuses API rules and another name on a shared collection: circles
// alone say who reads and writes it, and phones know it by its name.
func (c *Commune) oneTruth(coll *core.Collection) error {
	if old, err := c.App.FindCachedCollectionByNameOrId(coll.Id); err == nil && old.Name != coll.Name && c.Journal.Declared(old.Name) {
		return apis.NewBadRequestError("Điện thoại biết bảng này theo tên, không đổi tên được.", nil)
	}
	if !c.Journal.Declared(coll.Name) {
		return nil
	}
	for _, rule := range []*string{coll.ListRule, coll.ViewRule, coll.CreateRule, coll.UpdateRule, coll.DeleteRule} {
		if rule != nil {
			return apis.NewBadRequestError("Ai được xem và sửa bảng này do ứng dụng định (docs/CHARTER.txt), không đặt luật API ở đây.", nil)
		}
	}
	return nil
}
