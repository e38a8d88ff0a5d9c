package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Broadcast: announcements to the commune or a village, each person's inbox of
// notices, what was read, and the deliveries that carry a notice to phones.
func init() {
	forward(func(app core.App) error {
		if err := collection(app, "announcements", types.JSONArray[string]{
			"CREATE INDEX announcements_village ON announcements (village)",
			"CREATE UNIQUE INDEX announcements_external ON announcements (external) WHERE external != ''",
		},
			title("title", "Tiêu đề", 200),
			text("body", "Nội dung", 4000),
			one(app, "village", "Chỉ cho thôn này; trống là cả xã", "villages"),
			yes("urgent", "Khẩn"),
			text("from", "Đăng từ ngày, dạng 2026-11-24", 10),
			text("to", "Hết ngày này thì cũ", 10),
			local("external", "Mã ở hệ thống khác, dùng khi nạp lại", 60),
		); err != nil {
			return err
		}
		if err := collection(app, "notices", types.JSONArray[string]{
			"CREATE INDEX notices_circle ON notices (circle)",
		},
			text("circle", "Gửi cho ai, dạng person:<mã>", 60),
			text("kind", "Loại thông báo", 40),
			title("title", "Tiêu đề", 200),
			text("body", "Nội dung", 1000),
			text("link", "Mở màn hình nào", 200),
			yes("urgent", "Khẩn"),
			text("at", "Lúc nào", 30),
		); err != nil {
			return err
		}
		if err := collection(app, "notice_marks", types.JSONArray[string]{
			"CREATE INDEX notice_marks_person ON notice_marks (person)",
		},
			must(one(app, "person", "Người đọc", "persons")),
			must(one(app, "notice", "Thông báo", "notices")),
			&core.TextField{Name: "read_at", Help: "Đọc lúc nào", Max: 30, Presentable: true},
		); err != nil {
			return err
		}
		// One delivery a notice and target, never a row a phone until it fails.
		return collection(app, "deliveries", types.JSONArray[string]{
			"CREATE UNIQUE INDEX deliveries_key ON deliveries (key)",
			"CREATE INDEX deliveries_due ON deliveries (state, next_at)",
		},
			&core.TextField{Name: "key", Help: "Khóa chống gửi hai lần", Max: 100, Presentable: true},
			one(app, "notice", "Thông báo", "notices"),
			text("circle", "Gửi cho ai", 60),
			choice("state", "Trạng thái: waiting chờ gửi, done xong, dead bỏ", "waiting", "done", "dead"),
			yes("urgent", "Khẩn"),
			whole("attempt", "Đã thử mấy lần"),
			whole("next_at", "Lần tới, giây Unix"),
			text("lease", "Ai đang gửi", 40),
			whole("lease_until", "Giữ tới, giây Unix"),
			whole("reached", "Số máy đã gửi được"),
			text("last_error", "Lỗi gần nhất", 300),
		)
	}, "1795478406_broadcast.go")
}
