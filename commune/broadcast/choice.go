package broadcast

import (
	"time"

	"langso/commune"
)

// checkChoice refuses hours that no clock shows.
func checkChoice(c *commune.Case) error {
	if c.Deleting() {
		return nil
	}
	from, to := c.New.GetString("quiet_from"), c.New.GetString("quiet_to")
	for _, hour := range []string{from, to, c.New.GetString("digest")} {
		if _, err := time.Parse("15:04", hour); hour != "" && err != nil {
			return commune.Refuse("notice.quiet_bad", "Giờ chưa đúng. Xin ghi như 21:00.")
		}
	}
	if (from == "") != (to == "") || from != "" && from == to {
		return commune.Refuse("notice.quiet_bad", "Xin ghi cả giờ bắt đầu và giờ kết thúc yên lặng, khác nhau.")
	}
	return nil
}

// dateConsent notes when the person agreed to texts.
func dateConsent(c *commune.Case) error {
	switch {
	case c.Deleting() || !c.Changed("sms") && !c.Creating():
	case c.New.GetBool("sms"):
		c.New.Set("sms_at", commune.Moment(c.Now))
	default:
		c.New.Set("sms_at", "")
	}
	return nil
}

// checkErrand lets a village head say that it is done, and nothing else.
func checkErrand(c *commune.Case) error {
	if c.Author.Server() || c.Author.Admin != "" {
		return nil
	}
	if c.Creating() || c.Deleting() {
		return commune.Refuse("not_yours", "Việc này do máy chủ giao, không tự thêm hay xóa được.")
	}
	if s := c.New.GetString("state"); c.Changed("state") && s != "done" && s != "open" {
		return commune.Refuse("bad_state", "Việc chỉ có thể đánh dấu là đã ghé hoặc chưa.")
	}
	return nil
}
