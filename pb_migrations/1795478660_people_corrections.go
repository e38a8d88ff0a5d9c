package pb_migrations

import "github.com/pocketbase/pocketbase/core"

// Corrections of who somebody is: each is kept with its reason.
func init() {
	forward(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("persons")
		if err != nil {
			return err
		}
		why := text("why", "Vì sao sửa họ tên, ngày sinh, giới tính; ghi xong máy chủ chuyển vào corrections", 300)
		why.SetSystem(true)
		corrections := data("corrections", "Những lần sửa họ tên, ngày sinh, giới tính: lúc nào, ai, từ gì thành gì, vì sao. Máy chủ tự ghi")
		corrections.SetSystem(true)
		c.Fields.Add(why, corrections)
		return app.Save(c)
	}, "1795478660_people_corrections.go")
}
