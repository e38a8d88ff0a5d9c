package pb_migrations

import "github.com/pocketbase/pocketbase/core"

// Operations: what the server counts of each phone, and what the administrator
// asks of it.
func init() {
	forward(func(app core.App) error {
		return widen(app, "phones", nil,
			text("day", "Ngày mà số byte lên, xuống dưới đây được đếm", 10),
			whole("up", "Byte máy gửi lên trong ngày đó"),
			whole("down", "Byte máy nhận về trong ngày đó"),
			whole("skew", "Đồng hồ của máy nhanh bao nhiêu giây so với máy chủ; số âm là chậm"),
			whole("repairs", "Số lần dữ liệu trên máy không khớp với máy chủ và được sửa"),
			choice("deep_check", "asked: người quản trị đã nhờ máy kiểm tra toàn bộ dữ liệu ở lần gặp tới", "asked"),
		)
	}, "1795478620_operations.go")
}
