package hooks

import (
	"encoding/json"

	"github.com/pocketbase/dbx"

	"langso/dashboard"
)

// BindDashboard closes personal records to the dashboard until a reason is
// given, and adds our pages to it. Call it before serving, when the flags are read.
func (c *Commune) BindDashboard() {
	dashboard.Bind(c.App, dashboard.Options{
		Domains: c.Domains, Now: c.Now, SQL: c.SQLConsole, Status: c.notices, Lag: c.lag,
		// SQL may have dropped a trigger or made a table.
		AfterSQL: func() error { return c.Journal.Open() },
	})
}

// mostLag is enough to know that a phone is far behind.
const mostLag = 10_000

// lag counts the records in a person's circles that moved since a number.
func (c *Commune) lag(person, epoch string, cursor int64) (n int, err error) {
	circles, err := c.Engine.Circles(person)
	if err != nil {
		return 0, err
	}
	names, err := json.Marshal(circles)
	if err != nil {
		return 0, err
	}
	err = c.App.ConcurrentDB().NewQuery(`SELECT iif((SELECT epoch FROM journal_meta) = {:epoch}, (SELECT count(*) FROM (SELECT DISTINCT e.coll, e.rid FROM journal_circles c JOIN journal_entries e ON e.circle = c.no
		WHERE c.name IN (SELECT value FROM json_each({:circles})) AND e.seq > {:cursor} LIMIT {:most})), -1)`).
		Bind(dbx.Params{"epoch": epoch, "circles": string(names), "cursor": cursor, "most": mostLag}).Row(&n)
	return n, err
}

// notices tells how the deliveries of notices stand.
func (c *Commune) notices() any {
	if c.Outbox == nil {
		return nil
	}
	status, err := c.Outbox.Status()
	if err != nil {
		return map[string]any{"Thông báo": "không đọc được"}
	}
	cards := map[string]any{"Thông báo chờ đánh thức máy": status.Waiting, "Thông báo không đánh thức được": status.Dead, "Máy không còn địa chỉ": status.Gone,
		"Tin nhắn chờ gửi": status.Texts, "Việc trưởng thôn chưa ghé": status.Errands}
	for _, ch := range status.Channels {
		switch {
		case ch.On:
			cards["Đường "+ch.Name] = "đang chạy"
		default:
			cards["Đường "+ch.Name] = "tắt: " + ch.Why
		}
	}
	return cards
}
