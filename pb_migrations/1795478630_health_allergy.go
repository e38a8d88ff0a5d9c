package pb_migrations

import "github.com/pocketbase/pocketbase/core"

// Allergies: a kind of entry of the health book; a visit may name the drugs given.
func init() {
	forward(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("health_entries")
		if err != nil {
			return err
		}
		kind := c.Fields.GetByName("kind").(*core.SelectField)
		kind.Values = append(kind.Values, "allergy")
		kind.Help = "Loại: vaccination mũi tiêm, visit lần khám, measurement lần đo, allergy dị ứng"
		c.Fields.GetByName("code").(*core.TextField).Help = "Mã: tên vắc xin (HBV0, PENTA…), loại đo (bp, weight, height, glucose, temperature), lý do khám, hoặc dị ứng với gì"
		c.Fields.GetByName("data").(*core.JSONField).Help = "Số liệu, ví dụ {\"systolic\":120,\"diastolic\":80}, {\"dose\":1,\"lot\":\"A12\"} hay {\"drug\":\"Amoxicillin 500 mg\"}"
		return app.Save(c)
	}, "1795478630_health_allergy.go")
}
