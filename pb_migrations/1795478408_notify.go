package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Notify: notices press more or less and may expire, people choose when they
// are woken, and what nobody heard climbs a ladder: a text, then an errand for
// the village head.
func init() {
	forward(func(app core.App) error {
		for _, change := range []func(core.App) error{widenNotices, widenDeliveries, widenPhones, addVillageHead, addChoices, addRungs, addErrands, addBroadcasts} {
			if err := change(app); err != nil {
				return err
			}
		}
		// Only phones whose bucket is low have a row; see notify's documentation.
		_, err := app.NonconcurrentDB().NewQuery(`CREATE TABLE wake_buckets (phone TEXT PRIMARY KEY, tokens REAL NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID`).Execute()
		return err
	}, "1795478408_notify.go")
}

// widen adds fields of the program's to a collection, after change has altered
// those it has.
func widen(app core.App, name string, change func(*core.Collection), fields ...core.Field) error {
	c, err := app.FindCollectionByNameOrId(name)
	if err != nil {
		return err
	}
	if change != nil {
		change(c)
	}
	for _, f := range fields {
		f.SetSystem(true)
	}
	c.Fields.Add(fields...)
	return app.Save(c)
}

// allow adds values to a choice that is there.
func allow(c *core.Collection, field string, values ...string) {
	if f, ok := c.Fields.GetByName(field).(*core.SelectField); ok {
		f.Values = append(f.Values, values...)
	}
}

func widenNotices(app core.App) error {
	return widen(app, "notices", nil,
		whole("class", "Mức: 1 khẩn cấp, 2 cần làm, 3 tin tức, 4 chỉ dữ liệu"),
		text("expires", "Hết tác dụng lúc nào; trống là không hạn", 30),
	)
}

func widenDeliveries(app core.App) error {
	return widen(app, "deliveries", func(c *core.Collection) {
		allow(c, "state", "expired", "stopped")
		c.AddIndex("deliveries_notice", false, "notice", "notice != ''")
	},
		whole("class", "Mức: 1 khẩn cấp, 2 cần làm, 3 tin tức, 4 chỉ dữ liệu"),
		choice("rung", "Bậc: push đánh thức máy (trống cũng vậy), sms tin nhắn, task việc cho trưởng thôn", "push", "sms", "task"),
		whole("expires", "Sau lúc này thì thôi, giây Unix; 0 là không hạn"),
	)
}

func widenPhones(app core.App) error {
	return widen(app, "phones", func(c *core.Collection) {
		allow(c, "address_state", "suspect")
		c.AddIndex("phones_address_state", false, "address_state", "address_state != '' AND address_state != 'ok'")
	},
		whole("registered_at", "Đăng ký địa chỉ lúc nào, giây Unix"),
		whole("gone_at", "Địa chỉ hỏng từ lúc nào, giây Unix"),
		whole("cursor", "Máy đã có đến số này"),
		text("cursor_epoch", "Của lần ghi sổ nào", 40),
	)
}

func addVillageHead(app core.App) error {
	return widen(app, "duties", func(c *core.Collection) { allow(c, "role", "village_head") })
}

func addChoices(app core.App) error {
	person := must(one(app, "person", "Của ai", "persons"))
	person.Presentable = true
	return collection(app, "notice_choices", types.JSONArray[string]{
		"CREATE UNIQUE INDEX notice_choices_person ON notice_choices (person)",
	},
		person,
		text("quiet_from", "Yên lặng từ giờ nào, dạng 21:00; trống là giờ chung", 5),
		text("quiet_to", "Yên lặng đến giờ nào, dạng 06:00", 5),
		text("digest", "Gom tin tức vào giờ nào mỗi ngày, dạng 18:00; trống là không gom", 5),
		text("off", "Các loại không muốn được gọi, cách nhau bằng dấu cách; vẫn có trong hộp", 400),
		yes("sms", "Đồng ý nhận tin nhắn SMS"),
		text("sms_at", "Đồng ý lúc nào", 30),
	)
}

// A rung is one step of the ladder for one person: unique, so that nobody is
// texted twice about one notice, whatever crashes.
func addRungs(app core.App) error {
	return collection(app, "notice_rungs", types.JSONArray[string]{
		"CREATE UNIQUE INDEX notice_rungs_once ON notice_rungs (notice, person, rung)",
		"CREATE UNIQUE INDEX notice_rungs_number ON notice_rungs (notice, rung, number) WHERE number != ''",
		"CREATE INDEX notice_rungs_due ON notice_rungs (state, next_at)",
	},
		title("notice", "Thông báo", 15),
		text("person", "Của ai", 15),
		choice("rung", "Bậc: sms tin nhắn, task việc cho trưởng thôn", "sms", "task"),
		choice("state", "waiting chờ, taken đang gửi, sent đã gửi, unsure không rõ tới chưa (không gửi lại), failed hỏng, cancelled đã nhận rồi, shared chung số với người khác",
			"waiting", "taken", "sent", "unsure", "failed", "cancelled", "shared"),
		local("number", "Dấu vết của số, để một số không nhận hai lần", 15),
		whole("attempt", "Đã thử mấy lần"),
		whole("next_at", "Lần tới, giây Unix"),
		whole("class", "Mức"),
		whole("expires", "Sau lúc này thì thôi, giây Unix; 0 là không hạn"),
		text("why", "Vì sao", 300),
	)
}

func addErrands(app core.App) error {
	return collection(app, "errands", types.JSONArray[string]{
		"CREATE INDEX errands_village ON errands (village)",
	},
		must(one(app, "village", "Thôn", "villages")),
		one(app, "household", "Ghé hộ nào", "households"),
		one(app, "person", "Nhắn cho ai", "persons"),
		title("names", "Tên những người chưa nhận được", 300),
		local("notice", "Thông báo nào", 15),
		text("at", "Từ lúc nào", 30),
		choice("state", "open cần ghé, done đã ghé, received đã tự nhận được", "open", "done", "received"),
		text("done_at", "Ghé lúc nào", 30),
		text("note", "Ghi chú của trưởng thôn", 500),
	)
}

func addBroadcasts(app core.App) error {
	return collection(app, "broadcasts", types.JSONArray[string]{
		"CREATE INDEX broadcasts_state ON broadcasts (state)",
	},
		title("title", "Tiêu đề", 200),
		text("body", "Nội dung", 4000),
		one(app, "village", "Chỉ cho thôn này; trống là cả xã", "villages"),
		whole("class", "Mức: 1 khẩn cấp, 2 cần làm, 3 tin tức"),
		text("send_at", "Gửi lúc nào; trống là ngay khi duyệt", 30),
		text("expires", "Hết tác dụng lúc nào; trống là không hạn", 30),
		choice("state", "draft nháp, asked chờ duyệt, approved đã duyệt, sent đã gửi, stopped đã dừng", "draft", "asked", "approved", "sent", "stopped"),
		one(app, "by", "Ai soạn; máy chủ tự ghi", "persons"),
		one(app, "approved_by", "Ai duyệt; máy chủ tự ghi", "persons"),
		text("sent_at", "Đã gửi lúc nào", 30),
		whole("people", "Số người trong diện nhận"),
		whole("phones", "Số máy sẽ được đánh thức"),
		whole("texts", "Số người có thể nhận SMS"),
		text("notice", "Thông báo đã gửi", 15),
		whole("woken", "Số máy đã đánh thức"),
		whole("received", "Số người máy đã nhận"),
		whole("read", "Số người đã đọc"),
		whole("texted", "Số tin nhắn đã gửi"),
		whole("errands", "Số việc giao trưởng thôn"),
	)
}
