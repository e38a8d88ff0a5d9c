package people

import (
	"strings"
	"time"
	"unicode"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// person is a lens over a record of persons.
type person struct{ *core.Record }

func (p person) name() string   { return p.GetString("name") }
func (p person) born() string   { return p.GetString("born") }
func (p person) number() string { return p.GetString("phone_number") }
func (p person) level() float64 { return p.GetFloat("identity_level") }

func fillPerson(c *commune.Case) error {
	if c.Deleting() {
		return nil
	}
	p := person{c.New}
	p.Set("name", strings.Join(strings.Fields(p.name()), " "))
	p.Set("search", Fold(p.name()))
	p.Set("born", strings.TrimSpace(p.born()))
	if number, ok := Number(p.number()); ok {
		p.Set("phone_number", number)
	}
	if p.GetString("status") == "" {
		p.Set("status", "active")
	}
	return keepCorrection(c)
}

func checkPerson(c *commune.Case) error {
	if c.Deleting() {
		if c.Author.Person != "" {
			return commune.Refuse("keep_person", "Không xóa tên người dân. Hãy ghi là đã chuyển đi hoặc đã mất.")
		}
		return nil
	}
	p := person{c.New}
	if err := checkName(p.name()); err != nil {
		return err
	}
	if !knownBirth(p.born(), c.Now) {
		return commune.Refuse("bad_date", "Ngày sinh chưa đúng. Xin ghi như 1984-05-21, hoặc chỉ năm 1984.")
	}
	if _, ok := Number(p.number()); !ok && p.number() != "" {
		return commune.Refuse("bad_number", "Số điện thoại chưa đúng. Xin ghi như 0912345678.")
	}
	if p.level() < 0 || p.level() > 3 {
		return commune.Refuse("bad_level", "Mức định danh là một số từ 0 đến 3.")
	}
	return checkCorrection(c)
}

// checkName refuses a name that nobody could read out.
func checkName(name string) error {
	if strings.TrimSpace(name) == "" {
		return commune.Refuse("name_missing", "Xin ghi họ và tên.")
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		return commune.Refuse("bad_name", "Tên có ký tự lạ, xin gõ lại.")
	}
	return nil
}

// knownBirth tells whether s is empty (not known), a year, or a day that was.
// The oldest person ever was born in 1875; nobody here is older.
func knownBirth(s string, now time.Time) bool {
	if s == "" {
		return true
	}
	layout := time.DateOnly
	if len(s) == 4 {
		layout = "2006"
	}
	t, err := time.ParseInLocation(layout, s, commune.Zone)
	return err == nil && t.Year() >= 1875 && !t.After(now)
}

// adultFrom returns the first moment at which somebody born then is surely 18
// years old: of a year alone, the first of January of the year after the 18th.
func adultFrom(born string) (time.Time, bool) {
	if t, ok := commune.ParseDay(born); ok {
		return t.AddDate(18, 0, 0), true
	}
	if t, err := time.ParseInLocation("2006", born, commune.Zone); err == nil {
		return t.AddDate(19, 0, 0), true
	}
	return time.Time{}, false
}
