package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// SMS: how many texts a day went to each number (by a trace of it), and what
// people answered that a machine does not understand.
func init() {
	forward(func(app core.App) error {
		if _, err := app.NonconcurrentDB().NewQuery(`CREATE TABLE sms_days (day TEXT NOT NULL, number TEXT NOT NULL, texts INTEGER NOT NULL, PRIMARY KEY (day, number)) WITHOUT ROWID`).Execute(); err != nil {
			return err
		}
		return collection(app, "sms_replies", types.JSONArray[string]{
			"CREATE INDEX sms_replies_number ON sms_replies (number, at)",
		},
			title("number", "Số đã nhắn tới", 30),
			text("text", "Nội dung tin nhắn", 1000),
			text("at", "Lúc nào", 30),
			choice("state", "Đã xử lý chưa", "waiting", "settled"),
			text("note", "Cán bộ ghi cách xử lý", 1000),
		)
	}, "1795478610_sms.go")
}
