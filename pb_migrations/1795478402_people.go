package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// People: villages, households, persons, who cares for whom, duties, and the
// phones they sign in with.
func init() {
	forward(func(app core.App) error {
		if err := collection(app, "stations", nil,
			title("name", "Tên trạm y tế", 120),
			local("external", "Mã ở hệ thống khác, dùng khi nạp lại", 60),
		); err != nil {
			return err
		}
		if err := collection(app, "villages", types.JSONArray[string]{
			"CREATE UNIQUE INDEX villages_external ON villages (external) WHERE external != ''",
		},
			title("name", "Tên thôn", 120),
			text("commune_code", "Mã xã, ví dụ 07330", 10),
			text("commune_name", "Tên xã", 120),
			one(app, "station", "Trạm y tế phụ trách", "stations"),
			local("external", "Mã ở hệ thống khác, dùng khi nạp lại", 60),
		); err != nil {
			return err
		}
		if err := collection(app, "households", types.JSONArray[string]{
			"CREATE INDEX households_village ON households (village)",
			"CREATE UNIQUE INDEX households_external ON households (external) WHERE external != ''",
		},
			title("name", "Tên chủ hộ", 120),
			must(one(app, "village", "Thôn", "villages")),
			text("address", "Số nhà, ngõ, xóm", 200),
			local("external", "Mã ở hệ thống khác, dùng khi nạp lại", 60),
		); err != nil {
			return err
		}
		if err := collection(app, "persons", types.JSONArray[string]{
			"CREATE INDEX persons_household ON persons (household)",
			"CREATE INDEX persons_village ON persons (village)",
			"CREATE INDEX persons_phone_number ON persons (phone_number) WHERE phone_number != ''",
			"CREATE INDEX persons_search ON persons (search)",
			"CREATE UNIQUE INDEX persons_external ON persons (external) WHERE external != ''",
		},
			title("name", "Họ và tên", 120),
			local("search", "Tên không dấu để tìm; máy chủ tự ghi", 120),
			choice("sex", "Giới tính: nam hoặc nữ", "nam", "nữ"),
			text("born", "Ngày sinh, dạng 1984-05-21, hoặc chỉ năm 1984", 10),
			must(one(app, "household", "Hộ gia đình", "households")),
			one(app, "village", "Thôn; máy chủ tự ghi theo hộ", "villages"),
			one(app, "station", "Trạm y tế; máy chủ tự ghi theo thôn", "stations"),
			text("phone_number", "Số điện thoại, dạng +84912345678; nhiều người có thể chung một số", 20),
			whole("identity_level", "Mức định danh: 0 tự khai, 1 đã xác nhận số điện thoại, 2 cán bộ đã gặp, 3 VNeID"),
			choice("status", "Tình trạng cư trú", "active", "moved", "dead"),
			local("external", "Mã ở hệ thống khác, dùng khi nạp lại", 60),
		); err != nil {
			return err
		}
		if err := collection(app, "guardians", types.JSONArray[string]{
			"CREATE INDEX guardians_person ON guardians (person)",
			"CREATE INDEX guardians_guardian ON guardians (guardian)",
		},
			must(one(app, "person", "Người được chăm sóc", "persons")),
			must(one(app, "guardian", "Người chăm sóc", "persons")),
			text("guardian_name", "Tên người chăm sóc; máy chủ tự ghi", 120),
			choice("kind", "Vì sao: cha mẹ, người giám hộ, hay được chính người ấy cho phép", "parent", "guardian", "granted"),
			text("from", "Từ ngày, dạng 2026-11-24; trống là từ đầu", 10),
			text("to", "Hết ngày này thì thôi; trống là không hạn", 10),
		); err != nil {
			return err
		}
		if err := collection(app, "duties", types.JSONArray[string]{
			"CREATE INDEX duties_person ON duties (person)",
		},
			must(one(app, "person", "Người giữ nhiệm vụ", "persons")),
			choice("role", "Nhiệm vụ: village_health y tế thôn, station nhân viên trạm, onestop cán bộ một cửa, leader lãnh đạo xã, broadcast cán bộ truyền thanh, seller chủ gian hàng, clerk người bán hộ",
				"village_health", "station", "onestop", "leader", "broadcast", "seller", "clerk"),
			text("place", "Mã của thôn, trạm hoặc gian hàng mà nhiệm vụ gắn với", 30),
			text("from", "Từ ngày, dạng 2026-11-24; trống là từ đầu", 10),
			text("to", "Ngày cuối cùng, dạng 2026-11-24; trống là không hạn", 10),
		); err != nil {
			return err
		}
		// Read by its owner's phone; written by the server whenever somebody opens
		// personal records in the dashboard.
		if err := collection(app, "access_log", types.JSONArray[string]{
			"CREATE INDEX access_log_person ON access_log (person)",
		},
			must(one(app, "person", "Hồ sơ của ai", "persons")),
			title("who", "Ai đã xem", 120),
			text("what", "Xem mục gì", 120),
			text("why", "Lý do đã nêu", 500),
			text("at", "Lúc nào", 30),
		); err != nil {
			return err
		}
		if err := collection(app, "phones", types.JSONArray[string]{
			"CREATE INDEX phones_person ON phones (person)",
			"CREATE UNIQUE INDEX phones_public_key ON phones (public_key)",
		},
			must(one(app, "person", "Chủ máy", "persons")),
			title("label", "Tên máy", 120),
			text("public_key", "Khóa công khai của máy, dạng ed25519:… hoặc p256:…", 200),
			yes("blocked", "Chặn máy này: lần gặp tới máy phải xóa dữ liệu"),
			text("app", "Phiên bản ứng dụng", 60),
			text("seen", "Lần đồng bộ gần nhất", 30),
			whole("waiting", "Số việc còn chờ trên máy, theo lời máy"),
			whole("refused", "Số việc bị từ chối"),
			whole("parked", "Số việc đang chờ cán bộ xem"),
			choice("transport", "Đường đánh thức máy", "none", "fcm", "webpush"),
			&core.TextField{Name: "address", Help: "Địa chỉ để đánh thức máy", Max: 4096, Hidden: true},
			choice("address_state", "Địa chỉ còn dùng được không", "ok", "gone"),
		); err != nil {
			return err
		}
		// An edit that waits for a person, with what stood there: kept until
		// somebody settles it.
		if err := collection(app, "parked_edits", types.JSONArray[string]{
			"CREATE UNIQUE INDEX parked_edits_phone_n ON parked_edits (phone, n)",
		},
			one(app, "phone", "Máy đã gửi", "phones"),
			whole("n", "Số thứ tự việc trên máy"),
			one(app, "person", "Người đã làm", "persons"),
			title("code", "Vì sao chờ", 60),
			text("coll", "Thuộc bảng nào", 60),
			text("record", "Mã của mục", 60),
			data("edit", "Nội dung việc, nguyên văn"),
			data("theirs", "Giá trị đang có khi việc này tới"),
			choice("state", "Đã xử lý chưa", "waiting", "settled", "dropped"),
			text("note", "Cán bộ ghi cách xử lý", 1000),
		); err != nil {
			return err
		}
		for _, sql := range []string{
			`CREATE TABLE sign_in_codes (number TEXT PRIMARY KEY, hash BLOB NOT NULL, expires INTEGER NOT NULL, tries INTEGER NOT NULL, sent INTEGER NOT NULL, day TEXT NOT NULL, sent_today INTEGER NOT NULL) WITHOUT ROWID`,
			`CREATE TABLE invitations (hash BLOB PRIMARY KEY, person TEXT NOT NULL, by TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID`,
		} {
			if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
				return err
			}
		}
		return nil
	}, "1795478402_people.go")
}
