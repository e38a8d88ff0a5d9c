package people

import (
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// duty is a lens over a record of duties: from a day to a day, both included,
// a person holds a role, at a place where the role has one.
type duty struct{ *core.Record }

func (d duty) role() string  { return d.GetString("role") }
func (d duty) place() string { return d.GetString("place") }

// circleOf gives the circle of a role. With a kind the place names the circle;
// without, the role itself does.
var circleOf = map[string]struct{ kind, at string }{
	"village_health": {kind: "village-health", at: "villages"},
	"village_head":   {kind: "village-head", at: "villages"},
	"station":        {kind: "station", at: "stations"},
	"seller":         {kind: "stall", at: "stalls"},
	"clerk":          {kind: "stall", at: "stalls"},
	"onestop":        {},
	"leader":         {},
	"broadcast":      {},
}

func dutyCircle(role, place string) (commune.Circle, bool) {
	c, known := circleOf[role]
	switch {
	case !known || c.kind != "" && place == "":
		return "", false
	case c.kind == "":
		return commune.Named("duty", role), true
	}
	return commune.Named(c.kind, place), true
}

func checkDuty(c *commune.Case) error {
	if c.Deleting() {
		return nil
	}
	d := duty{c.New}
	if _, ok := dutyCircle(d.role(), d.place()); !ok {
		return commune.Refuse("place_missing", "Xin chọn nhiệm vụ, và ghi mã của thôn, trạm hoặc gian hàng mà nhiệm vụ gắn với.")
	}
	if at := circleOf[d.role()].at; at != "" && (c.Changed("place") || c.Changed("role")) {
		if _, err := c.App.FindRecordById(at, d.place()); err != nil {
			return commune.Refuse("place_unknown", "Không có thôn, trạm hoặc gian hàng nào mang mã này.")
		}
	}
	return checkDays(d.Record)
}
