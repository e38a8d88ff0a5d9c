package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Dashboard: why a superuser opened personal records and for how long, what was
// typed into the SQL console, and the settings of a server on the open network.
func init() {
	forward(func(app core.App) error {
		if err := collection(app, "openings", types.JSONArray[string]{
			"CREATE INDEX openings_superuser ON openings (superuser, until)",
		},
			title("who", "Ai xin mở: email của người quản trị", 120),
			text("superuser", "Mã tài khoản quản trị", 15),
			text("collection", "Mở mục nào; dấu * là tất cả, kể cả bản sao lưu", 120),
			text("reason", "Lý do đã nêu; người dân đọc được trên máy của mình", 500),
			text("from", "Mở từ lúc nào", 30),
			text("until", "Đóng lại lúc nào", 30),
		); err != nil {
			return err
		}
		if err := collection(app, "console_log", nil,
			title("who", "Ai làm: email của người quản trị", 120),
			text("at", "Lúc nào", 30),
			text("statement", "Câu lệnh SQL, hoặc việc với bản sao lưu; không ghi kết quả", 6000),
		); err != nil {
			return err
		}
		// What a record that only ties others together is recognised by.
		for name, field := range map[string]string{"guardians": "kind", "duties": "role"} {
			c, err := app.FindCollectionByNameOrId(name)
			if err != nil {
				return err
			}
			c.Fields.GetByName(field).(*core.SelectField).Presentable = true
			if err := app.Save(c); err != nil {
				return err
			}
		}
		settings := app.Settings()
		settings.Meta.AppName = "Làng Số"
		// Only the superusers' own door is counted: villages stand behind one
		// address of their mobile network, and phones sign each request.
		settings.RateLimits.Enabled = true
		settings.RateLimits.Rules = []core.RateLimitRule{{Label: "_superusers:auth", MaxRequests: 10, Duration: 60}}
		return app.Save(settings)
	}, "1795478407_dashboard.go")
}
