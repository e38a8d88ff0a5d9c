package health

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"

	"langso/commune"
)

// checkEntry refuses what cannot be read or cannot be true of anybody, and
// parks what may be true though something about it is wrong: a fact from a
// phone whose clock is off is still a fact.
func checkEntry(c *commune.Case) error {
	switch {
	case c.Deleting():
		if c.Author.Person != "" {
			return commune.Refuse("append_only", "Mục đã ghi thì không xóa. Hãy ghi một mục hủy, có lý do.")
		}
		return nil
	case !c.Creating():
		return unchanged(c)
	}
	e := entry{c.New}
	for _, check := range []func(*commune.Case, entry) error{checkShape, checkSource, checkAmends, checkDay} {
		if err := check(c, e); err != nil {
			return err
		}
	}
	return nil
}

// unchanged refuses every change of what an entry says, whoever asks: the
// dashboard too. Only the routes may move.
func unchanged(c *commune.Case) error {
	for _, field := range content {
		if c.Changed(field) && !commune.Same(c.Old.Get(field), c.New.Get(field)) {
			return commune.Refuse("append_only", "Mục đã ghi thì không sửa. Hãy ghi một mục đính chính.")
		}
	}
	return nil
}

func checkShape(_ *commune.Case, e entry) error {
	if e.kind() == "" || strings.TrimSpace(e.code()) == "" {
		return commune.Refuse("kind_missing", "Xin chọn loại: mũi tiêm, lần khám, lần đo, dị ứng hay không dị ứng, và ghi rõ là gì.")
	}
	figures, ok := e.data()
	if !ok {
		return commune.Refuse("bad_data", "Số liệu của mục này không đọc được, xin nhập lại.")
	}
	if e.op() == "void" {
		return nil // what is struck out need not be possible
	}
	switch e.kind() {
	case "no_allergy":
		if e.code() != noKnownAllergy {
			return commune.Park("unknown_code", "Loại ghi nhận này máy chủ chưa biết, trạm y tế sẽ xem.")
		}
	case "measurement":
		return humanlyPossible(e.code(), figures)
	case "vaccination":
		if dose, ok := figures["dose"].(float64); !ok || dose != float64(int(dose)) || dose < 1 || dose > 10 {
			return commune.Refuse("bad_dose", "Xin ghi mũi thứ mấy, từ 1 đến 10.")
		}
	}
	return nil
}

// A figure is one number of a measurement and what living people have of it.
type figure struct {
	key, words, unit string
	least, most      float64
	optional         bool
}

// measurements are the codes that can be checked. A code of one number keeps
// it under "value".
var measurements = map[string][]figure{
	"bp": {
		{key: "systolic", words: "Huyết áp số trên", unit: "mmHg", least: 40, most: 300},
		{key: "diastolic", words: "Huyết áp số dưới", unit: "mmHg", least: 40, most: 300},
		{key: "pulse", words: "Mạch", unit: "lần/phút", least: 20, most: 250, optional: true},
	},
	"weight":      {{key: "value", words: "Cân nặng", unit: "kg", least: 0.3, most: 350}},
	"height":      {{key: "value", words: "Chiều cao", unit: "cm", least: 20, most: 250}},
	"temperature": {{key: "value", words: "Nhiệt độ", unit: "°C", least: 30, most: 45}},
	"glucose":     {{key: "value", words: "Đường huyết", unit: "mmol/L", least: 1, most: 60}},
}

// humanlyPossible refuses a reading that no living person has, in words that
// help to measure again. A code of a newer phone is kept for the station.
func humanlyPossible(code string, have map[string]any) error {
	wanted, known := measurements[code]
	if !known {
		return commune.Park("unknown_code", "Loại đo này máy chủ chưa biết, trạm y tế sẽ xem.")
	}
	for _, f := range wanted {
		n, ok := have[f.key].(float64)
		if _, given := have[f.key]; !given && f.optional {
			continue
		}
		if !ok || n < f.least || n > f.most {
			return commune.Refuse("not_possible", "%s phải từ %s đến %s %s. Bác xem lại máy và đo lại giúp ạ.",
				f.words, number(f.least), number(f.most), f.unit)
		}
	}
	if code == "bp" && have["systolic"].(float64) <= have["diastolic"].(float64) {
		return commune.Refuse("bp_upside_down", "Số trên phải lớn hơn số dưới. Bác đo lại giúp ạ.")
	}
	return nil
}

func number(f float64) string {
	return strings.Replace(strconv.FormatFloat(f, 'f', -1, 64), ".", ",", 1)
}

// checkSource keeps "measured" for those who answer for their instruments.
func checkSource(c *commune.Case, e entry) error {
	if e.source() == "measured" && c.Author.Person != "" && !e.staff(c.Author) {
		return commune.Refuse("staff_only", "«Đo tại chỗ» là do nhân viên y tế ghi. Bác chọn «tự khai» giúp ạ.")
	}
	return nil
}

func checkAmends(c *commune.Case, e entry) error {
	ids, ok := e.amends()
	switch {
	case !ok:
		return commune.Refuse("bad_amends", "Không rõ đính chính mục nào. Bác mở lại mục ấy rồi ghi lại giúp ạ.")
	case e.op() == "add" && len(ids) > 0:
		return commune.Refuse("bad_amends", "Mục ghi mới thì không đính chính mục nào.")
	case e.op() == "add":
		return nil
	case len(ids) == 0:
		return commune.Refuse("amends_missing", "Xin chọn mục cần đính chính.")
	case strings.TrimSpace(e.reason()) == "":
		return commune.Refuse("reason_missing", "Xin ghi lý do đính chính.")
	}
	for _, id := range ids {
		amended, err := c.App.FindRecordById("health_entries", id)
		// Another person's entry is answered like a missing one.
		if err != nil || (entry{amended}).person() != e.person() {
			return commune.Park("amends_unknown", "Chưa thấy mục được đính chính trong sổ của người này, trạm y tế sẽ xem.")
		}
		if (entry{amended}).root() != e.root() {
			return commune.Refuse("mixed_roots", "Mỗi lần chỉ đính chính một mục. Bác đính chính từng mục giúp ạ.")
		}
	}
	return nil
}

func checkDay(c *commune.Case, e entry) error {
	day, ok := commune.ParseDay(e.occurredOn())
	if !ok || day.Year() < 1875 {
		return commune.Refuse("bad_date", "Ngày chưa đúng. Xin chọn lại ngày, hoặc ghi như 2026-11-24.")
	}
	if day.After(c.Now.Add(24 * time.Hour)) {
		return commune.Park("future_date", "Ngày ghi %s còn ở phía trước. Trạm y tế sẽ xem lại ngày giúp bác.", day.Format("2/1/2006"))
	}
	var born string
	err := c.App.NonconcurrentDB().NewQuery("SELECT born FROM persons WHERE id = {:id}").Bind(dbx.Params{"id": e.person()}).Row(&born)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read birth: %w", err)
	}
	// As texts, a year stands before every day in it.
	if born > e.occurredOn() {
		return commune.Park("before_birth", "Ngày ghi ở trước ngày sinh. Trạm y tế sẽ xem lại ngày giúp bác.")
	}
	return nil
}
