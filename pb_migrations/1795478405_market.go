package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Market: stalls, products, orders, and sales made at the roadside.
func init() {
	forward(func(app core.App) error {
		if err := collection(app, "stalls", types.JSONArray[string]{
			"CREATE UNIQUE INDEX stalls_external ON stalls (external) WHERE external != ''",
		},
			title("name", "Tên gian hàng", 120),
			one(app, "owner", "Chủ gian hàng", "persons"),
			one(app, "village", "Thôn", "villages"),
			text("story", "Giới thiệu", 1000),
			text("pickup", "Nơi nhận hàng", 200),
			yes("closed", "Đang nghỉ bán"),
			local("external", "Mã ở hệ thống khác, dùng khi nạp lại", 60),
		); err != nil {
			return err
		}
		if err := collection(app, "products", types.JSONArray[string]{
			"CREATE INDEX products_stall ON products (stall)",
			"CREATE UNIQUE INDEX products_external ON products (external) WHERE external != ''",
		},
			must(one(app, "stall", "Gian hàng", "stalls")),
			title("name", "Tên hàng", 120),
			text("description", "Mô tả", 1000),
			choice("category", "Nhóm hàng", "vai", "oi", "buoi", "mat_ong", "ruou", "gao", "rau", "khac"),
			text("grade", "Hạng: VIP, 1, 2, xô", 20),
			choice("unit", "Đơn vị bán", "kg", "hop", "chai", "lit", "qua", "bo"),
			whole("price", "Giá một đơn vị, đồng"),
			number("stock", "Còn bao nhiêu đơn vị"),
			yes("adult", "Chỉ cho người đủ 18 tuổi (rượu: Luật 44/2019/QH14)"),
			yes("hidden", "Tạm ẩn"),
			local("external", "Mã ở hệ thống khác, dùng khi nạp lại", 60),
		); err != nil {
			return err
		}
		if err := collection(app, "orders", types.JSONArray[string]{
			"CREATE INDEX orders_buyer ON orders (buyer)",
			"CREATE INDEX orders_stall ON orders (stall)",
			"CREATE INDEX orders_code ON orders (code)",
			"CREATE UNIQUE INDEX orders_external ON orders (external) WHERE external != ''",
		},
			must(one(app, "buyer", "Người mua", "persons")),
			must(one(app, "stall", "Gian hàng", "stalls")),
			&core.TextField{Name: "code", Help: "Mã thanh toán, dạng PZ…", Max: 12, Presentable: true},
			data("lines", "Các dòng hàng: [{\"product\":\"…\",\"name\":\"Vải sớm\",\"unit\":\"kg\",\"price\":45000,\"quantity\":3}]"),
			whole("total", "Tổng tiền, đồng"),
			choice("state", "Trạng thái: confirmed đã nhận, rejected không nhận được, packed đã đóng gói, delivered đã giao, cancelled đã hủy",
				"confirmed", "rejected", "packed", "delivered", "cancelled"),
			text("why", "Lý do không nhận hoặc hủy, bằng lời", 300),
			text("note", "Lời nhắn của người mua", 500),
			text("placed_at", "Máy chủ nhận lúc", 30),
			local("body_hash", "Dấu nội dung để lần gửi lại cho đúng một kết quả", 64),
			local("external", "Mã ở hệ thống khác, dùng khi nạp lại", 60),
		); err != nil {
			return err
		}
		return collection(app, "sales", types.JSONArray[string]{
			"CREATE INDEX sales_stall ON sales (stall)",
		},
			must(one(app, "stall", "Gian hàng", "stalls")),
			must(one(app, "product", "Mặt hàng", "products")),
			number("quantity", "Số lượng đã bán"),
			whole("amount", "Số tiền thu, đồng"),
			choice("tender", "Trả bằng gì", "cash", "bank"),
			text("at", "Bán lúc nào", 30),
			one(app, "seller", "Ai bán", "persons"),
			number("short", "Bán quá số còn bao nhiêu; 0 là đủ hàng"),
			&core.TextField{Name: "note", Help: "Ghi chú", Max: 300, Presentable: true},
		)
	}, "1795478405_market.go")
}
