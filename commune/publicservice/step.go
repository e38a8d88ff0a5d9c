package publicservice

import (
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// agency is the commune's own code in the numbers of its dossiers.
const agency = "H05.PH"

// An edge is a step that a dossier may take. No edge leaves 3, 8 and 10.
type edge struct {
	from, to  Status
	applicant bool // taken by the applicant; else by a one-stop officer
	back      bool // only to where the dossier came from
	say       bool // a reason must be said
	do        func(*commune.Call, dossier, stepArgs) error
}

var edges = []edge{
	{from: Registered, to: Accepted, do: accept},
	{from: Registered, to: NotAccepted, say: true},
	{from: Registered, to: NeedsPapers, say: true},
	{from: Registered, to: Withdrawal, applicant: true},
	{from: Accepted, to: Processing},
	{from: Accepted, to: Withdrawal, applicant: true},
	{from: Processing, to: NeedsPapers, say: true},
	{from: Processing, to: NeedsPayment, say: true},
	{from: Processing, to: Withdrawal, applicant: true},
	{from: Processing, to: Stopped, say: true},
	{from: Processing, to: Done},
	{from: NeedsPapers, to: Registered, applicant: true, back: true, do: complete},
	{from: NeedsPapers, to: Processing, applicant: true, back: true, do: complete},
	{from: NeedsPapers, to: Withdrawal, applicant: true},
	{from: NeedsPayment, to: Processing},
	{from: NeedsPayment, to: Withdrawal, applicant: true},
	{from: Withdrawal, to: Registered, back: true},
	{from: Withdrawal, to: Accepted, back: true},
	{from: Withdrawal, to: Processing, back: true},
	{from: Withdrawal, to: NeedsPapers, back: true},
	{from: Withdrawal, to: NeedsPayment, back: true},
	{from: Withdrawal, to: Stopped},
	{from: Done, to: Returned},
}

// stepArgs is what a phone sends to move a dossier.
type stepArgs struct {
	Dossier string  `json:"dossier"`
	To      Status  `json:"to"`
	Say     string  `json:"say"`
	Due     string  `json:"due"`     // with 2: the promised day, 2026-12-01, when known
	Content Content `json:"content"` // with 5 → back: the fields that were asked for
	Scans   string  `json:"scans"`   // with 5 → back: names of files, parted by a space
}

// step moves a dossier along one edge and tells its status, code and due. Of
// two officers the first moves it; the other is told where it stands.
func step(c *commune.Call) error {
	var ask stepArgs
	if err := c.Read(&ask); err != nil {
		return err
	}
	r, err := c.Find("dossiers", ask.Dossier)
	if err != nil {
		return err
	}
	d := dossier{r}
	officer := c.Author.Stands(commune.Named("duty", "onestop"))
	// Who cares for a child and handed in for it answers for it too.
	applicant := c.Author.Stands(commune.Named("person", d.person())) || d.filedBy() != "" && c.Author.Person == d.filedBy()
	if !officer && !applicant {
		return commune.Refuse("not_found", "Không tìm thấy mục này.")
	}
	e, err := d.edge(c.App, ask.To)
	if err != nil {
		return err
	}
	// Who came to the counter has no phone to do it on: the officer does.
	if e.applicant && !applicant && !(officer && d.atCounter()) || !e.applicant && !officer {
		return commune.Refuse("not_yours", "Bước này không thuộc quyền của bác.")
	}
	if err := checkSay(ask.Say, e.say); err != nil {
		return err
	}
	if e.do != nil {
		if err := e.do(c, d, ask); err != nil {
			return err
		}
	}
	d.Set("status", int(e.to))
	d.Set("say", ask.Say)
	if err := c.Save(d.Record); err != nil {
		return err
	}
	c.Tell("status", int(e.to))
	c.Tell("code", d.code())
	c.Tell("due", d.GetString("due"))
	return recordEvent(c, d, e.from, ask.Say)
}

// edge returns the edge from where the dossier stands, or a refusal that says
// where that is.
func (d dossier) edge(app core.App, to Status) (edge, error) {
	for _, e := range edges {
		if e.from != d.status() || e.to != to {
			continue
		}
		if e.back {
			before, err := cameFrom(app, d)
			if err != nil {
				return edge{}, err
			}
			if before != to {
				break
			}
		}
		return e, nil
	}
	return edge{}, commune.Refuse("wrong_step", "Hồ sơ đang ở bước «%s», không chuyển sang «%s» được.", d.status(), to)
}

func checkSay(say string, needed bool) error {
	if needed && strings.TrimSpace(say) == "" {
		return commune.Refuse("say_missing", "Xin ghi rõ lý do cho người nộp biết.")
	}
	if utf8.RuneCountInString(say) > 1000 {
		return commune.Refuse("too_long", "Lời ghi dài nhiều nhất 1000 chữ.")
	}
	return nil
}

// accept gives the dossier its number, in the same transaction: a rollback
// gives the number back, so the register has neither gaps nor doubles.
func accept(c *commune.Call, d dossier, ask stepArgs) error {
	if ask.Due != "" {
		if _, ok := commune.ParseDay(ask.Due); !ok || ask.Due < commune.Day(c.Now) {
			return commune.Refuse("bad_date", "Ngày hẹn trả phải là hôm nay hoặc sau hôm nay.")
		}
		d.Set("due", ask.Due)
	}
	if d.code() != "" {
		return nil
	}
	code, err := nextCode(c.App, c.Now)
	if err != nil {
		return err
	}
	d.Set("code", code)
	return nil
}

// nextCode takes the next number of the day: H05.PH-261124-0001.
func nextCode(app core.App, now time.Time) (string, error) {
	day := now.In(commune.Zone).Format("060102")
	var last int
	err := app.DB().NewQuery(`INSERT INTO dossier_numbers (day, last) VALUES ({:day}, 1)
		ON CONFLICT (day) DO UPDATE SET last = last + 1 RETURNING last`).
		Bind(dbx.Params{"day": day}).Row(&last)
	if err != nil {
		return "", fmt.Errorf("take dossier number: %w", err)
	}
	return fmt.Sprintf("%s-%s-%04d", agency, day, last), nil
}

// complete adds the applicant's answer to the form, and photos of papers to
// those that are there.
func complete(_ *commune.Call, d dossier, ask stepArgs) error {
	if err := d.addScans(ask.Scans); err != nil {
		return err
	}
	if len(ask.Content) == 0 {
		return nil
	}
	content, err := d.content()
	if err != nil {
		return err
	}
	whole := Content{}
	maps.Copy(whole, content)
	maps.Copy(whole, ask.Content)
	d.Set("content", whole)
	return nil
}
