package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// What waits for a person is shown to those who may decide, and its maker learns
// what they decided.
func init() {
	forward(func(app core.App) error {
		circles, seq := data("circles", "Những nhóm được quyết việc này; máy chủ tự ghi"), whole("seq", "Mục đã được xem tới số này; máy chủ tự ghi")
		circles.Hidden, seq.Hidden = true, true
		if err := widen(app, "parked_edits", func(c *core.Collection) {
			c.Indexes = append(c.Indexes, "CREATE INDEX parked_edits_state ON parked_edits (state)")
		},
			circles, seq,
			text("maker", "Tên người đã làm", 120),
			text("at", "Lúc việc tới máy chủ", 30),
			choice("take", "Quyết thế nào: theirs giữ giá trị đang có, mine lấy của người gửi, value giá trị khác", "theirs", "mine", "value"),
			data("value", "Giá trị khác, dạng {\"ô\":\"giá trị\"}, khi chọn value"),
			text("by", "Mã người đã quyết", 30),
			text("by_name", "Ai đã quyết", 120),
			text("settled_at", "Quyết lúc nào", 30),
		); err != nil {
			return err
		}
		return collection(app, "settlements", types.JSONArray[string]{
			"CREATE INDEX settlements_person ON settlements (person)",
		},
			must(one(app, "person", "Người đã gửi việc", "persons")),
			title("phone", "Máy đã gửi", 30),
			whole("n", "Số thứ tự việc trên máy"),
			choice("take", "theirs: giữ giá trị đang có; mine: lấy của người gửi; value: giá trị khác", "theirs", "mine", "value"),
			text("by_name", "Ai đã quyết", 120),
			text("at", "Quyết lúc nào", 30),
			text("say", "Lời giải thích", 1000),
		)
	}, "1795478601_settling.go")
}
