package people

import (
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// guardian is a lens over a record of guardians: from a day to a day, both
// included, one person sees and writes another's health book.
type guardian struct{ *core.Record }

func (g guardian) person() string   { return g.GetString("person") }
func (g guardian) guardian() string { return g.GetString("guardian") }
func (g guardian) kind() string     { return g.GetString("kind") }

func checkGuardian(c *commune.Case) error {
	if c.Deleting() {
		return nil
	}
	g := guardian{c.New}
	if g.person() == g.guardian() {
		return commune.Refuse("same_person", "Không ai tự làm người chăm sóc của chính mình.")
	}
	if g.kind() == "" {
		return commune.Refuse("kind_missing", "Xin chọn: cha mẹ, người giám hộ, hay được người ấy cho phép.")
	}
	return checkDays(g.Record)
}

// checkDays refuses days that no calendar has and a last day before the first.
// The day before the first is allowed: what was taken back on its first day.
func checkDays(r *core.Record) error {
	first, last := r.GetString("from"), r.GetString("to")
	from, okFrom := commune.ParseDay(first)
	to, okTo := commune.ParseDay(last)
	if first != "" && !okFrom || last != "" && !okTo {
		return commune.Refuse("bad_date", "Ngày chưa đúng. Xin chọn lại ngày, hoặc ghi như 2026-11-24.")
	}
	if okFrom && okTo && to.Before(from.AddDate(0, 0, -1)) {
		return commune.Refuse("days_upside_down", "Ngày cuối phải sau ngày đầu.")
	}
	return nil
}

// grant lets a relative see and write the caller's health book. Asked again
// for the same relative it only moves the last day: one pair, one record.
func grant(c *commune.Call) error {
	var ask struct {
		Guardian string `json:"guardian"` // id of the person, or:
		Number   string `json:"number"`   // phone number that is theirs alone
		To       string `json:"to"`       // last day; empty: until taken back
	}
	if err := c.Read(&ask); err != nil {
		return err
	}
	me := c.Author.Person
	if me == "" || !c.Author.Stands(commune.Named("person", me)) {
		return commune.Refuse("not_yours", "Việc này không thuộc quyền của bác.")
	}
	today := commune.Day(c.Now)
	if _, ok := commune.ParseDay(ask.To); ask.To != "" && (!ok || ask.To < today) {
		return commune.Refuse("bad_date", "Ngày cuối phải là hôm nay hoặc sau hôm nay.")
	}
	who, err := relative(c.App, ask.Guardian, ask.Number)
	if err != nil {
		return err
	}
	if who == me {
		return commune.Refuse("same_person", "Bác vẫn xem được sổ của mình, không cần cho phép.")
	}
	r, err := runningGrant(c, me, who, today)
	if err != nil {
		return err
	}
	r.Set("to", ask.To)
	if err := c.Save(r); err != nil {
		return err
	}
	c.Tell("id", r.Id)
	return nil
}

// relative finds the active person meant by an id or by a number. A number
// that several persons share names nobody.
func relative(app core.App, id, number string) (string, error) {
	where := dbx.HashExp{"id": id}
	if id == "" {
		n, ok := Number(number)
		if !ok {
			return "", commune.Refuse("bad_number", "Số điện thoại chưa đúng. Xin ghi như 0912345678.")
		}
		where = dbx.HashExp{"phone_number": n}
	}
	var ids []string
	err := app.DB().Select("id").From("persons").Where(where).
		AndWhere(dbx.NotIn("status", "moved", "dead")).Limit(2).Column(&ids)
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", commune.Refuse("not_found", "Không tìm thấy người này trong xã. Xin hỏi lại số điện thoại.")
	case len(ids) > 1:
		return "", commune.Refuse("several_persons", "Nhiều người dùng chung số này. Nhờ cán bộ một cửa ghi giúp.")
	}
	return ids[0], nil
}

// runningGrant returns the pair's grant that has not ended, or a new one.
func runningGrant(c *commune.Call, me, who, today string) (*core.Record, error) {
	found, err := c.App.FindRecordsByFilter("guardians",
		"person = {:me} && guardian = {:who} && kind = 'granted' && (to = '' || to >= {:today})", "", 1, 0,
		dbx.Params{"me": me, "who": who, "today": today})
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return found[0], nil
	}
	r, err := c.New("guardians", core.GenerateDefaultRandomId())
	if err != nil {
		return nil, err
	}
	r.Load(map[string]any{"person": me, "guardian": who, "kind": "granted", "from": today})
	return r, nil
}

// revokeGrant ends a grant with yesterday, so that it holds no more from this
// moment; the record stays and tells that it once was.
func revokeGrant(c *commune.Call) error {
	var ask struct {
		ID string `json:"id"`
	}
	if err := c.Read(&ask); err != nil {
		return err
	}
	r, err := c.Find("guardians", ask.ID)
	if err != nil {
		return err
	}
	g := guardian{r}
	if me := c.Author.Person; me == "" || g.person() != me {
		return commune.Refuse("not_found", "Không tìm thấy mục này.")
	}
	if g.kind() != "granted" {
		return commune.Refuse("by_officer_only", "Việc này do xã ghi. Bác gặp cán bộ một cửa để đổi.")
	}
	yesterday := commune.Day(c.Now.AddDate(0, 0, -1))
	if to := g.GetString("to"); to != "" && to <= yesterday {
		return nil
	}
	g.Set("to", yesterday)
	return c.Save(r)
}
