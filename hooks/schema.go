package hooks

import (
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// bindOneTruth refuses API rules on a shared collection: circles alone say who
// reads and writes it.
func (c *Commune) bindOneTruth() {
	c.App.OnCollectionValidate().BindFunc(func(e *core.CollectionEvent) error {
		if !c.Journal.Declared(e.Collection.Name) {
			return e.Next()
		}
		for _, rule := range []*string{e.Collection.ListRule, e.Collection.ViewRule, e.Collection.CreateRule, e.Collection.UpdateRule, e.Collection.DeleteRule} {
			if rule != nil {
				return apis.NewBadRequestError("Ai được xem và sửa bảng này do ứng dụng định (docs/CHARTER.txt), không đặt luật API ở đây.", nil)
			}
		}
		return e.Next()
	})
}
