package broadcast

import (
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// announcement is a lens over a record of announcements.
type announcement struct{ *core.Record }

func (a announcement) title() string   { return a.GetString("title") }
func (a announcement) body() string    { return a.GetString("body") }
func (a announcement) village() string { return a.GetString("village") }
func (a announcement) urgent() bool    { return a.GetBool("urgent") }
func (a announcement) from() string    { return a.GetString("from") }
func (a announcement) to() string      { return a.GetString("to") }

// audience is the circle that the announcement is for.
func (a announcement) audience() commune.Circle {
	if v := a.village(); v != "" {
		return commune.Named("village", v)
	}
	return commune.Commune
}

func checkAnnouncement(c *commune.Case) error {
	if c.Deleting() {
		return nil
	}
	a := announcement{c.New}
	if strings.TrimSpace(a.title()) == "" {
		return commune.Refuse("title_missing", "Xin ghi tiêu đề.")
	}
	for _, day := range []string{a.from(), a.to()} {
		if _, ok := commune.ParseDay(day); day != "" && !ok {
			return commune.Refuse("bad_date", "Ngày chưa đúng. Xin chọn lại ngày, hoặc ghi như 2026-11-24.")
		}
	}
	if by := c.Author; a.urgent() && by.Person != "" && !by.Stands(leads) && (c.Creating() || c.Changed("urgent") || changedContent(c)) {
		return commune.Refuse("notice.not_allowed", "Tin khẩn phải có lãnh đạo duyệt: xin soạn ở mục Soạn tin để gửi.")
	}
	if a.from() != "" && a.to() != "" && a.to() < a.from() {
		return commune.Refuse("days_upside_down", "Ngày cuối phải sau ngày đầu.")
	}
	return nil
}

// raiseAnnouncement gives urgent words to the audience's inbox when they
// become urgent, once a place; never words whose last day is over.
func raiseAnnouncement(c *commune.Case) ([]commune.Notice, error) {
	if c.Deleting() || !c.Changed("urgent") && !c.Changed("village") {
		return nil, nil
	}
	a := announcement{c.New}
	if !a.urgent() || a.to() != "" && a.to() < commune.Day(c.Now) {
		return nil, nil
	}
	return []commune.Notice{{
		To:     a.audience(),
		Key:    "announcement:" + a.Id,
		Kind:   "announcement",
		Title:  a.title(),
		Body:   shorten(a.body(), 1000),
		Link:   "#/thong-bao/" + a.Id,
		Urgent: true,
	}}, nil
}

// shorten cuts a text to so many characters, the last being an ellipsis.
func shorten(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}
