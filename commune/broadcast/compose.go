package broadcast

import (
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// The states of a broadcast.
const (
	draft    = "draft"
	asked    = "asked"
	approved = "approved"
	sent     = "sent"
	stopped  = "stopped"
)

// mostADay is how many broadcasts of one writer go on one day, emergencies not
// counted: people who are called too often stop listening.
const mostADay = 5

// broadcast is a lens over a record of broadcasts.
type broadcast struct{ *core.Record }

func (b broadcast) title() string        { return b.GetString("title") }
func (b broadcast) body() string         { return b.GetString("body") }
func (b broadcast) village() string      { return b.GetString("village") }
func (b broadcast) state() string        { return b.GetString("state") }
func (b broadcast) by() string           { return b.GetString("by") }
func (b broadcast) class() commune.Class { return commune.Class(b.GetInt("class")) }
func (b broadcast) sendAt() time.Time    { t, _ := moment(b.GetString("send_at")); return t }
func (b broadcast) expires() time.Time   { t, _ := moment(b.GetString("expires")); return t }

// noticeKey is also the key of the announcement's own notice, so that both are one.
func (b broadcast) noticeKey() string { return "announcement:" + b.Id }

func (b broadcast) audience() commune.Circle { return announcement(b).audience() }

// moment reads a moment as phones and the server write it; ok is false for
// anything else that is not empty.
func moment(s string) (t time.Time, ok bool) {
	if s == "" {
		return time.Time{}, true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05.000Z"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// content are the fields that a writer writes.
var content = []string{"title", "body", "village", "class", "send_at", "expires"}

// fillBroadcast says who wrote it and whom it reaches, and makes a draft again
// of what is changed after approval was asked for.
func fillBroadcast(c *commune.Case) error {
	if c.Deleting() {
		return nil
	}
	b := broadcast{c.New}
	if c.Creating() && b.state() == "" {
		b.Set("state", draft)
	}
	if c.Creating() && c.Author.Person != "" {
		b.Set("by", c.Author.Person)
	}
	if b.class() == 0 {
		b.Set("class", int(commune.Information))
	}
	for _, field := range []string{"send_at", "expires"} {
		if t, ok := moment(b.GetString(field)); ok && !t.IsZero() {
			b.Set(field, commune.Moment(t))
		}
	}
	if b.state() == sent && c.Changed("state") && c.Author.Admin != "" && b.GetString("notice") == "" {
		b.Set("state", approved) // set by hand: it goes by the same road as every other, within a minute
	}
	if b.state() == asked && !c.Changed("state") && changedContent(c) {
		b.Set("state", draft)
	}
	if b.state() == draft || b.state() == asked {
		return b.countReach(c.App)
	}
	return nil
}

func changedContent(c *commune.Case) bool {
	for _, field := range content {
		if c.Changed(field) {
			return true
		}
	}
	return false
}

// countReach counts the people that the broadcast is for, the phones that can be
// woken for it, and the numbers that a text may go to when nobody hears.
func (b broadcast) countReach(app core.App) error {
	here := `p.status NOT IN ('dead', 'moved')`
	if b.village() != "" {
		here += ` AND p.village = {:village}`
	}
	texts := `0`
	switch b.class() {
	case commune.Emergency:
		texts = `(SELECT count(DISTINCT phone_number) FROM persons p WHERE phone_number != '' AND ` + here + `)`
	case commune.Needed:
		texts = `(SELECT count(DISTINCT phone_number) FROM persons p JOIN notice_choices c ON c.person = p.id AND c.sms WHERE phone_number != '' AND ` + here + `)`
	}
	var people, phones, numbers int
	err := app.DB().NewQuery(`SELECT (SELECT count(*) FROM persons p WHERE `+here+`),
		(SELECT count(*) FROM phones f JOIN persons p ON p.id = f.person WHERE f.address != '' AND f.address_state != 'gone' AND NOT f.blocked AND `+here+`), `+texts).
		Bind(dbx.Params{"village": b.village()}).Row(&people, &phones, &numbers)
	if err != nil {
		return fmt.Errorf("count reach of a broadcast: %w", err)
	}
	b.Set("people", people)
	b.Set("phones", phones)
	b.Set("texts", numbers)
	return nil
}

func checkBroadcast(c *commune.Case) error {
	if c.Deleting() {
		if s := (broadcast{c.Old}).state(); s != draft && c.Author.Person != "" {
			return commune.Refuse("broadcast.fixed", "Tin đã trình duyệt hoặc đã gửi, không xóa được. Bác có thể dừng tin.")
		}
		return nil
	}
	b := broadcast{c.New}
	if strings.TrimSpace(b.title()) == "" {
		return commune.Refuse("title_missing", "Xin ghi tiêu đề.")
	}
	if b.class() < commune.Emergency || b.class() > commune.Information {
		return commune.Refuse("bad_class", "Xin chọn mức: khẩn cấp, cần làm hoặc tin tức.")
	}
	for _, field := range []string{"send_at", "expires"} {
		if _, ok := moment(b.GetString(field)); !ok {
			return commune.Refuse("bad_date", "Ngày giờ chưa đúng. Xin chọn lại.")
		}
	}
	if e := b.expires(); !e.IsZero() && (!e.After(b.sendAt()) || c.Changed("expires") && !e.After(c.Now)) {
		return commune.Refuse("notice.time_bad", "Giờ hết tác dụng đã qua, hoặc sớm hơn giờ gửi. Xin chọn lại.")
	}
	if c.Old != nil && c.Author.Person != "" && changedContent(c) {
		if s := (broadcast{c.Old}).state(); s == approved || s == sent || s == stopped {
			return commune.Refuse("broadcast.fixed", "Tin đã duyệt, không sửa được nữa. Bác dừng tin này rồi soạn tin mới.")
		}
	}
	return nil
}

// raiseBroadcast tells leaders what waits for them, and everybody what goes.
func raiseBroadcast(c *commune.Case) ([]commune.Notice, error) {
	if c.Deleting() || !c.Changed("state") {
		return nil, nil
	}
	b := broadcast{c.New}
	switch b.state() {
	case asked:
		return []commune.Notice{{To: commune.Named("duty", "leader"), Key: "broadcast_asked:" + b.Id + ":" + commune.Moment(c.Now), Kind: "broadcast_asked",
			Title: "Có tin chờ duyệt", Body: shorten(b.title(), 200), Link: "#/truyen-thanh/" + b.Id, Class: commune.Needed}}, nil
	case sent:
		return []commune.Notice{{To: b.audience(), Key: b.noticeKey(), Kind: "announcement", Title: b.title(), Body: shorten(b.body(), 1000),
			Link: "#/thong-bao/" + b.Id, Class: b.class(), Expires: b.expires()}}, nil
	}
	return nil, nil
}

// target is what every action of a broadcast says.
func target(c *commune.Call) (broadcast, error) {
	var args struct {
		Broadcast string `json:"broadcast"`
	}
	if err := c.Read(&args); err != nil {
		return broadcast{}, err
	}
	r, err := c.Find("broadcasts", args.Broadcast)
	return broadcast{r}, err
}

var (
	writes = commune.Named("duty", "broadcast")
	leads  = commune.Named("duty", "leader")
)

func askFor(c *commune.Call) error {
	if !c.Author.Stands(writes) {
		return commune.Refuse("not_yours", "Chỉ cán bộ truyền thanh mới trình duyệt tin.")
	}
	b, err := target(c)
	if err != nil {
		return err
	}
	if b.state() != draft {
		return commune.Refuse("broadcast.state", "Tin này không còn là bản nháp.")
	}
	b.Set("state", asked)
	return c.Save(b.Record)
}

// approve needs a second pair of eyes, except in an emergency, when a leader may
// be alone.
func approve(c *commune.Call) error {
	if !c.Author.Stands(leads) {
		return commune.Refuse("notice.not_allowed", "Chỉ lãnh đạo xã mới duyệt được tin.")
	}
	b, err := target(c)
	if err != nil {
		return err
	}
	switch {
	case b.state() != asked && !(b.state() == draft && b.class() == commune.Emergency):
		return commune.Refuse("broadcast.state", "Tin này không chờ duyệt.")
	case b.by() == c.Author.Person && b.class() != commune.Emergency:
		return commune.Refuse("broadcast.own", "Người soạn không tự duyệt tin của mình. Xin nhờ lãnh đạo khác.")
	case !b.expires().IsZero() && !b.expires().After(c.Now):
		return commune.Refuse("notice.time_bad", "Tin đã quá giờ hết tác dụng. Xin soạn tin mới.")
	}
	if b.class() != commune.Emergency {
		n, err := b.sentToday(c.App, c.Now)
		if err != nil {
			return err
		}
		if n >= mostADay {
			return commune.Refuse("notice.too_many", "Hôm nay người soạn đã gửi %d tin. Xin để sang ngày mai, hoặc gộp lại.", n)
		}
	}
	b.Set("state", approved)
	b.Set("approved_by", c.Author.Person)
	if b.sendAt().After(c.Now) {
		c.Tell("send_at", b.GetString("send_at"))
		return c.Save(b.Record)
	}
	if err := c.Save(b.Record); err != nil {
		return err
	}
	return publish(c.App, b, c.Now)
}

func (b broadcast) sentToday(app core.App, now time.Time) (n int, err error) {
	today, _ := commune.ParseDay(commune.Day(now))
	err = app.DB().NewQuery(`SELECT count(*) FROM broadcasts WHERE [[by]] = {:by} AND id != {:id} AND class != 1 AND (state = 'approved' OR state = 'sent' AND sent_at >= {:today})`).
		Bind(dbx.Params{"by": b.by(), "id": b.Id, "today": commune.Moment(today)}).Row(&n)
	if err != nil {
		return 0, fmt.Errorf("count broadcasts of today: %w", err)
	}
	return n, nil
}

// publish makes the broadcast an announcement with a notice.
func publish(app core.App, b broadcast, now time.Time) error {
	return app.RunInTransaction(func(app core.App) error {
		b.Set("state", sent)
		b.Set("sent_at", commune.Moment(now))
		b.Set("notice", commune.NoticeID(b.audience(), b.noticeKey()))
		// First the broadcast, whose notice knows its class and its end; the
		// announcement's own is then known already.
		if err := app.Save(b.Record); err != nil {
			return fmt.Errorf("save broadcast: %w", err)
		}
		announcements, err := app.FindCachedCollectionByNameOrId("announcements")
		if err != nil {
			return fmt.Errorf("find announcements: %w", err)
		}
		a := core.NewRecord(announcements)
		a.Id = b.Id
		a.Load(map[string]any{"title": b.title(), "body": b.body(), "village": b.village(), "urgent": b.class() == commune.Emergency, "from": commune.Day(now)})
		if e := b.expires(); !e.IsZero() {
			a.Set("to", commune.Day(e))
		}
		if err := app.Save(a); err != nil {
			return fmt.Errorf("save announcement: %w", err)
		}
		return nil
	})
}

// stop calls a broadcast off: what has not gone does not go, and the announcement
// is over.
func stop(c *commune.Call) error {
	if !c.Author.Stands(writes) && !c.Author.Stands(leads) {
		return commune.Refuse("not_yours", "Chỉ cán bộ truyền thanh và lãnh đạo xã mới dừng được tin.")
	}
	b, err := target(c)
	if err != nil {
		return err
	}
	if b.state() == stopped {
		return commune.Refuse("broadcast.state", "Tin này đã dừng rồi.")
	}
	was := b.state()
	b.Set("state", stopped)
	if err := c.Save(b.Record); err != nil {
		return err
	}
	if was != sent {
		return nil
	}
	return b.halt(c.App, c.Now)
}

// halt ends what a broadcast set going. The row of one phone may carry other notices
// too: it goes on as a silent wake-up, which loses none and shows nobody this one.
func (b broadcast) halt(app core.App, now time.Time) error {
	notice := b.GetString("notice")
	if notice == "" {
		return nil // it never went
	}
	for _, q := range []string{
		`UPDATE deliveries SET state = 'stopped', updated = {:now} WHERE notice = {:notice} AND state = 'waiting' AND circle NOT LIKE 'phone:%'`,
		`UPDATE deliveries SET class = 3, urgent = FALSE, notice = '', updated = {:now} WHERE notice = {:notice} AND state = 'waiting' AND circle LIKE 'phone:%'`,
		`UPDATE notice_rungs SET state = 'cancelled', why = 'stopped by an officer', updated = {:now} WHERE notice = {:notice} AND state = 'waiting'`,
	} {
		if _, err := app.NonconcurrentDB().NewQuery(q).Bind(dbx.Params{"notice": notice, "now": commune.Moment(now)}).Execute(); err != nil {
			return fmt.Errorf("stop deliveries: %w", err)
		}
	}
	a, err := app.FindRecordById("announcements", b.Id)
	if err != nil {
		return nil // deleted by hand: over already
	}
	if err := app.Delete(a); err != nil {
		return fmt.Errorf("take announcement back: %w", err)
	}
	return nil
}

// tend sends the broadcasts whose hour has come, and writes how those of the last
// week arrive.
func tend(app core.App, now time.Time) error {
	due, err := app.FindRecordsByFilter("broadcasts", "state = 'approved' && send_at <= {:now}", "send_at", 100, 0, dbx.Params{"now": commune.Moment(now)})
	if err != nil {
		return fmt.Errorf("find due broadcasts: %w", err)
	}
	for _, r := range due {
		b := broadcast{r}
		if e := b.expires(); !e.IsZero() && !e.After(now) {
			b.Set("state", stopped) // its time is over, nobody is to be misled
			if err := app.Save(r); err != nil {
				return fmt.Errorf("save broadcast: %w", err)
			}
			continue
		}
		if err := publish(app, b, now); err != nil {
			return err
		}
	}
	going, err := app.FindRecordsByFilter("broadcasts", "(state = 'sent' || state = 'stopped') && sent_at >= {:then}", "", 100, 0, dbx.Params{"then": commune.Moment(now.AddDate(0, 0, -7))})
	if err != nil {
		return fmt.Errorf("find broadcasts under way: %w", err)
	}
	for _, r := range going {
		if (broadcast{r}).state() == stopped { // perhaps by hand, in the dashboard
			if err := (broadcast{r}).halt(app, now); err != nil {
				return err
			}
		}
		if err := (broadcast{r}).countArrivals(app); err != nil {
			return err
		}
	}
	return nil
}

// countArrivals writes how far each road has come; a broadcast of which nothing
// changed is left alone, since every write goes to officers' phones.
func (b broadcast) countArrivals(app core.App) error {
	row := struct{ Woken, Received, Read, Texted, Errands int }{}
	here := `1`
	if b.village() != "" {
		here = `p.village = {:village}`
	}
	err := app.DB().NewQuery(`SELECT
		(SELECT ifnull(sum(reached), 0) FROM deliveries WHERE notice = {:notice} AND rung IN ('', 'push')) woken,
		(SELECT count(DISTINCT f.person) FROM phones f JOIN persons p ON p.id = f.person WHERE f.seen > {:sent} AND ` + here + `) received,
		(SELECT count(*) FROM notice_marks WHERE notice = {:notice}) read,
		(SELECT count(*) FROM notice_rungs WHERE notice = {:notice} AND rung = 'sms' AND state = 'sent') texted,
		(SELECT count(*) FROM errands WHERE notice = {:notice}) errands`).
		Bind(dbx.Params{"notice": b.GetString("notice"), "village": b.village(), "sent": strings.Replace(b.GetString("sent_at"), " ", "T", 1)}).One(&row)
	if err != nil {
		return fmt.Errorf("count arrivals: %w", err)
	}
	changed := false
	for field, n := range map[string]int{"woken": row.Woken, "received": row.Received, "read": row.Read, "texted": row.Texted, "errands": row.Errands} {
		if b.GetInt(field) != n {
			b.Set(field, n)
			changed = true
		}
	}
	if !changed {
		return nil
	}
	if err := app.Save(b.Record); err != nil {
		return fmt.Errorf("save broadcast: %w", err)
	}
	return nil
}
