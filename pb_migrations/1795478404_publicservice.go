package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Public services: procedures, a person's drafts, dossiers on the national
// status codes 1–10, and each step of a dossier.
func init() {
	forward(func(app core.App) error {
		if err := collection(app, "procedures", types.JSONArray[string]{
			"CREATE UNIQUE INDEX procedures_code ON procedures (code)",
		},
			title("name", "Tên thủ tục", 300),
			text("code", "Mã thủ tục, ví dụ 1.001193", 20),
			text("field", "Lĩnh vực", 60),
			text("limit", "Thời hạn, bằng lời", 200),
			text("fee", "Lệ phí, bằng lời", 300),
			data("components", "Giấy tờ cần có: [{\"key\":\"to_khai\",\"name\":\"Tờ khai\",\"required\":true}]"),
			yes("verified", "Cán bộ đã đối chiếu với quyết định công bố; chưa thì ứng dụng ghi «chưa kiểm chứng»"),
			yes("active", "Đang nhận hồ sơ"),
		); err != nil {
			return err
		}
		if err := collection(app, "drafts", types.JSONArray[string]{
			"CREATE INDEX drafts_person ON drafts (person)",
		},
			must(one(app, "person", "Người nộp", "persons")),
			must(one(app, "procedure", "Thủ tục", "procedures")),
			data("content", "Nội dung tờ khai: {\"ho_ten\":\"…\"}"),
			&core.TextField{Name: "note", Help: "Lời nhắn cho cán bộ", Max: 1000, Presentable: true},
		); err != nil {
			return err
		}
		if err := collection(app, "dossiers", types.JSONArray[string]{
			"CREATE INDEX dossiers_person ON dossiers (person)",
			"CREATE INDEX dossiers_status ON dossiers (status)",
			"CREATE UNIQUE INDEX dossiers_code ON dossiers (code) WHERE code != ''",
			"CREATE UNIQUE INDEX dossiers_external ON dossiers (external) WHERE external != ''",
		},
			must(one(app, "person", "Người nộp", "persons")),
			must(one(app, "procedure", "Thủ tục", "procedures")),
			&core.TextField{Name: "code", Help: "Mã hồ sơ, cấp khi tiếp nhận", Max: 40, Presentable: true},
			whole("status", "Trạng thái quốc gia: 1 mới đăng ký, 2 được tiếp nhận, 3 không được tiếp nhận, 4 đang xử lý, 5 yêu cầu bổ sung, 6 yêu cầu nghĩa vụ tài chính, 7 công dân rút, 8 dừng xử lý, 9 đã xử lý xong, 10 đã trả kết quả"),
			data("content", "Nội dung tờ khai khi nộp"),
			text("note", "Lời nhắn của người nộp", 1000),
			text("say", "Lời của cán bộ ở bước gần nhất", 1000),
			choice("channel", "Nộp bằng đường nào", "app", "counter"),
			one(app, "filed_by", "Người chăm sóc đã nộp hộ; trống là tự nộp hoặc nộp ở quầy", "persons"),
			text("submitted_at", "Máy chủ nhận lúc", 30),
			text("due", "Hẹn trả kết quả", 30),
			text("receipt", "Chữ ký của máy chủ trên giấy biên nhận", 200),
			local("external", "Mã ở hệ thống khác, dùng khi nạp lại", 60),
		); err != nil {
			return err
		}
		if err := collection(app, "dossier_events", types.JSONArray[string]{
			"CREATE INDEX dossier_events_dossier ON dossier_events (dossier)",
		},
			must(one(app, "dossier", "Hồ sơ", "dossiers")),
			must(one(app, "person", "Người nộp", "persons")),
			one(app, "filed_by", "Người chăm sóc đã nộp hộ", "persons"),
			whole("from", "Từ trạng thái"),
			whole("to", "Sang trạng thái"),
			&core.TextField{Name: "say", Help: "Lời của người làm bước này", Max: 1000, Presentable: true},
			one(app, "actor", "Ai làm", "persons"),
			text("at", "Lúc nào, theo máy chủ", 30),
		); err != nil {
			return err
		}
		_, err := app.NonconcurrentDB().NewQuery(`CREATE TABLE dossier_numbers (day TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID`).Execute()
		return err
	}, "1795478404_publicservice.go")
}
