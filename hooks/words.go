package hooks

// words are what a commune says where sync, which serves any app, names nobody.
var words = map[string]string{
	"phone_blocked": "Máy này đã bị chặn. Xin liên hệ Ủy ban xã.",
	"fork":          "Điện thoại này có hai bản dữ liệu khác nhau, hãy mang đến xã kiểm tra.",
	"other_server":  "Gói này gửi cho xã khác, hoặc cho máy chủ cũ của xã.",
	"needs_person":  "Có hai giá trị khác nhau, cán bộ sẽ xem và chọn.",
	"changed_since": "Có người vừa sửa mục này, cán bộ sẽ xem trước khi xóa.",
	"internal":      "Máy chủ gặp lỗi khi làm việc này, cán bộ sẽ xem. Nội dung vẫn được giữ.",
}
