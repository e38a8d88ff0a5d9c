package sms

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/notify"
)

// Purse is the day's texts of a commune. What people ask for themselves, codes to
// sign in, has a share that word of notices never touches, and never takes more:
// so a storm leaves people their way in, and a stranger who asks for codes all day
// cannot spend what notices need. An emergency counts and is not held.
type Purse struct {
	App core.App
	// Budget is the most texts a day, codes among them; Codes is their share; PerNumber
	// the most about notices to one number. 0: no limit (of Codes: no share and no limit).
	Budget, Codes, PerNumber int
	Now                      func() time.Time // nil: the computer's clock

	mu     sync.Mutex
	warned string // the day on which the log was told
}

// The limits when nothing is set: a commune's money.
const (
	budget    = 500
	codes     = 150
	perNumber = 5
)

// PurseFromEnv makes the purse of the settings LANGSO_SMS_DAILY, LANGSO_SMS_CODES
// and LANGSO_SMS_PER_NUMBER.
func PurseFromEnv(app core.App) *Purse {
	return &Purse{App: app, Budget: number("LANGSO_SMS_DAILY", budget), Codes: number("LANGSO_SMS_CODES", codes), PerNumber: number("LANGSO_SMS_PER_NUMBER", perNumber)}
}

func (p *Purse) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}

// trace stands for a number where counting is all that is wanted of it; codes are
// counted apart.
func trace(number string, code bool) string {
	sum := sha256.Sum256([]byte("sms " + number))
	text := hex.EncodeToString(sum[:])[:20]
	if code {
		return codeMark + text
	}
	return text
}

const codeMark = "code "

// spent is what went on a day.
type spent struct{ notices, codes, one int }

func (p *Purse) spent(tx core.App, day, trace string) (s spent, err error) {
	err = tx.NonconcurrentDB().NewQuery(`SELECT ifnull(sum(texts) FILTER (WHERE number NOT LIKE 'code %'), 0), ifnull(sum(texts) FILTER (WHERE number LIKE 'code %'), 0),
		ifnull(sum(texts) FILTER (WHERE number = {:number}), 0) FROM sms_days WHERE day = {:day}`).
		Bind(dbx.Params{"day": day, "number": trace}).Row(&s.notices, &s.codes, &s.one)
	return s, err
}

// notice counts a text about a notice, or says that the day or the number has had enough.
func (p *Purse) notice(number string, class commune.Class) error {
	return p.spend(trace(number, false), func(s spent) error {
		switch {
		case class == commune.Emergency:
		case p.PerNumber > 0 && s.one >= p.PerNumber:
			return refusal("sms_cap")
		case p.Budget > 0 && s.notices >= max(0, p.Budget-p.Codes):
			return &notify.Later{After: untilMidnight(p.now()), Why: "sms_budget: the day's texts are spent"}
		}
		return nil
	})
}

// code counts a code. When half of the share is spent a number gets one a day:
// whoever would spend the rest needs as many numbers.
func (p *Purse) code(number string) error {
	return p.spend(trace(number, true), func(s spent) error {
		switch {
		case p.Codes <= 0:
		case s.codes >= p.Codes:
			return refusal("sms_codes")
		case s.one > 0 && s.codes*2 >= p.Codes:
			return refusal("sms_cap")
		}
		return nil
	})
}

// spend counts one text unless judge, given what went today, refuses it.
func (p *Purse) spend(trace string, judge func(spent) error) error {
	day := commune.Day(p.now())
	var bad error
	err := p.App.RunInTransaction(func(tx core.App) error {
		s, err := p.spent(tx, day, trace)
		if err != nil {
			return err
		}
		if bad = judge(s); bad != nil {
			return nil
		}
		if _, err := tx.NonconcurrentDB().NewQuery(`DELETE FROM sms_days WHERE day < {:old}`).Bind(dbx.Params{"old": commune.Day(p.now().AddDate(0, 0, -60))}).Execute(); err != nil {
			return err
		}
		_, err = tx.NonconcurrentDB().NewQuery(`INSERT INTO sms_days (day, number, texts) VALUES ({:day}, {:number}, 1) ON CONFLICT DO UPDATE SET texts = texts + 1`).
			Bind(dbx.Params{"day": day, "number": trace}).Execute()
		return err
	})
	if err != nil {
		return &notify.Later{Why: fmt.Sprintf("counting failed: %v", err)}
	}
	return bad
}

// giveBack takes back a text that surely did not go.
func (p *Purse) giveBack(trace string) {
	_, err := p.App.NonconcurrentDB().NewQuery(`UPDATE sms_days SET texts = max(0, texts - 1) WHERE day = {:day} AND number = {:number}`).
		Bind(dbx.Params{"day": commune.Day(p.now()), "number": trace}).Execute()
	if err != nil {
		p.App.Logger().Warn("giving a text back failed", "error", err)
	}
}

// Alarm says what the administrator should know of the day: that four fifths of the
// codes are spent, which a commune does not do by itself. "" when all is well.
func (p *Purse) Alarm() string {
	day := commune.Day(p.now())
	s, err := p.spent(p.App, day, "")
	if err != nil || p.Codes <= 0 || s.codes*5 < p.Codes*4 {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.warned != day {
		p.warned = day
		p.App.Logger().Error("sign-in codes run short", "spent", s.codes, "most", p.Codes)
	}
	return fmt.Sprintf("%d of the day's %d texts for signing in are spent: is somebody asking for them on purpose?", s.codes, p.Codes)
}

// Codes is the gateway for codes, which go out of the purse's share for them. A
// [Log], which costs nothing, and none are left as they are.
func Codes(g Gateway, p *Purse) Gateway {
	if _, free := g.(*Log); free || g == nil {
		return g
	}
	return &CodeGateway{g, p}
}

// CodeGateway is a gateway with a purse.
type CodeGateway struct {
	Gateway
	Purse *Purse
}

// Send counts the text and hands it over. One that surely did not go is not counted.
func (c *CodeGateway) Send(ctx context.Context, number, text string) error {
	if err := c.Purse.code(number); err != nil {
		c.Purse.Alarm()
		return err
	}
	err := c.Gateway.Send(ctx, number, text)
	if surelyNot(err) {
		c.Purse.giveBack(trace(number, true))
	}
	c.Purse.Alarm()
	return err
}

// Spent tells whether no more codes go today, to whomever.
func (c *CodeGateway) Spent() bool {
	s, err := c.Purse.spent(c.Purse.App, commune.Day(c.Purse.now()), "")
	return err == nil && c.Purse.Codes > 0 && s.codes >= c.Purse.Codes
}
