package pb_migrations

import "github.com/pocketbase/pocketbase/core"

// That somebody was asked and has no allergy: a kind of entry, for "not asked" is
// the absence of any.
func init() {
	forward(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("health_entries")
		if err != nil {
			return err
		}
		kind := c.Fields.GetByName("kind").(*core.SelectField)
		kind.Values = append(kind.Values, "no_allergy")
		kind.Help += ", no_allergy đã hỏi và không dị ứng"
		return app.Save(c)
	}, "1795478650_health_no_allergy.go")
}
