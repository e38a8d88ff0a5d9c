package hooks

import "langso/dashboard"

// BindDashboard closes personal records to the dashboard until a reason is
// given, and adds our pages to it. Call it before serving, when the flags are read.
func (c *Commune) BindDashboard() {
	dashboard.Bind(c.App, dashboard.Options{
		Domains: c.Domains, Now: c.Now, SQL: c.SQLConsole, Status: c.notices,
		// SQL may have dropped a trigger or made a table.
		AfterSQL: func() error { return c.Journal.Open() },
	})
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
