package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Health: the electronic health book. An entry is written once; who was wrong
// writes another that amends it.
func init() {
	forward(func(app core.App) error {
		return collection(app, "health_entries", types.JSONArray[string]{
			"CREATE INDEX health_entries_person ON health_entries (person)",
			"CREATE INDEX health_entries_root ON health_entries (root)",
			"CREATE UNIQUE INDEX health_entries_external ON health_entries (external) WHERE external != ''",
		},
			must(one(app, "person", "Sổ của ai", "persons")),
			choice("kind", "Loại: vaccination mũi tiêm, visit lần khám, measurement lần đo", "vaccination", "visit", "measurement"),
			title("code", "Mã: tên vắc xin (HBV0, PENTA…), loại đo (bp, weight, height, glucose, temperature), hoặc lý do khám", 60),
			data("data", "Số liệu, ví dụ {\"systolic\":120,\"diastolic\":80} hay {\"dose\":1,\"lot\":\"A12\"}"),
			text("text", "Lời ghi: chẩn đoán, dặn dò", 2000),
			text("occurred_on", "Ngày xảy ra, dạng 2026-11-24", 10),
			choice("source", "Nguồn: measured đo tại chỗ, told tự khai, paper chép từ giấy", "measured", "told", "paper"),
			one(app, "author", "Người ghi; máy chủ tự ghi", "persons"),
			choice("op", "Việc: add ghi mới, amend đính chính, void hủy (vẫn hiện, gạch ngang)", "add", "amend", "void"),
			text("root", "Mục gốc của chuỗi đính chính; máy chủ tự ghi", 15),
			&core.JSONField{Name: "amends", Help: "Mã những mục mà mục này đính chính", MaxSize: 4096},
			text("reason", "Lý do đính chính", 500),
			one(app, "village", "Thôn; máy chủ tự ghi theo người", "villages"),
			one(app, "station", "Trạm y tế; máy chủ tự ghi theo người", "stations"),
			local("external", "Mã ở hệ thống khác, dùng khi nạp lại", 60),
		)
	}, "1795478403_health.go")
}
