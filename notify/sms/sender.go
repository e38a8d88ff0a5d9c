package sms

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/notify"
)

// refusal is why a text is not sent: a stable code that officers see. Nobody is
// answered by it.
type refusal string

func (r refusal) Error() string { return "text refused: " + string(r) }

// Sender is the road "sms": the texts of the ladder, within a day's budget. It
// implements notify.Sender.
type Sender struct {
	App     core.App
	Gateway Gateway // nil: off
	// Budget is the most parts a day over all numbers, PerNumber the most texts a
	// day to one; 0: none. An emergency counts and is not held.
	Budget, PerNumber int
	// Minute is the most texts a minute, as the gateway can carry; 0: no limit.
	Minute int
	Now    func() time.Time // nil: the computer's clock
}

// The limits when nothing is set: a commune's money and one SIM's patience.
const (
	budget    = 500
	perNumber = 5
	perMinute = 25
)

// SenderFromEnv makes the sender on a gateway, with the settings LANGSO_SMS_DAILY
// (parts), LANGSO_SMS_PER_NUMBER and LANGSO_SMS_PER_MINUTE. A [Log] is no road:
// the texts of the ladder would end in it unread.
func SenderFromEnv(app core.App, g Gateway) *Sender {
	if _, demo := g.(*Log); demo {
		g = nil
	}
	return &Sender{App: app, Gateway: g, Budget: number("LANGSO_SMS_DAILY", budget), PerNumber: number("LANGSO_SMS_PER_NUMBER", perNumber), Minute: number("LANGSO_SMS_PER_MINUTE", perMinute)}
}

func number(name string, usual int) int {
	if n, err := strconv.Atoi(strings.TrimSpace(os.Getenv(name))); err == nil && n >= 0 {
		return n
	}
	return usual
}

// Name is "sms".
func (*Sender) Name() string { return "sms" }

// Off says why the road is off; "" when it is on.
func (s *Sender) Off() string {
	if s.Gateway == nil {
		return "LANGSO_SMS_URL names no gateway"
	}
	return ""
}

// PerMinute is the most texts a minute.
func (s *Sender) PerMinute() int { return s.Minute }

// mobile is a Vietnamese mobile number.
var mobile = regexp.MustCompile(`^\+84[35789]\d{8}$`)

// keyed is a gateway that tells of deliveries by a key.
type keyed interface {
	SendKeyed(ctx context.Context, key, number, text string) error
}

// Send hands one text to the gateway, once. Its refusals are sms_number,
// sms_too_long and sms_cap; a day whose budget is spent is a *notify.Later until midnight.
func (s *Sender) Send(ctx context.Context, d notify.Delivery) error {
	if s.Gateway == nil {
		return &notify.Config{Why: s.Off()}
	}
	text := Fold(d.Text)
	switch {
	case !mobile.MatchString(d.Address):
		return refusal("sms_number")
	case text == "" || Parts(text) > 1:
		return refusal("sms_too_long")
	}
	if err := s.spend(d.Address, d.Class); err != nil {
		return err
	}
	var err error
	if k, ok := s.Gateway.(keyed); ok {
		err = k.SendKeyed(ctx, d.Key, d.Address, text)
	} else {
		err = s.Gateway.Send(ctx, d.Address, text)
	}
	var later *notify.Later
	if err != nil && (!errors.As(err, &later) || !later.Unsure) {
		s.giveBack(d.Address) // it surely did not go
	}
	return err
}

func (s *Sender) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// trace stands for a number where counting is all that is wanted of it.
func trace(number string) string {
	sum := sha256.Sum256([]byte("sms " + number))
	return hex.EncodeToString(sum[:])[:20]
}

// spend counts a text, or says that the day or the number has had enough.
func (s *Sender) spend(number string, class commune.Class) error {
	now := s.now()
	day := commune.Day(now)
	var bad error
	err := s.App.RunInTransaction(func(tx core.App) error {
		bad = nil
		var total, one int
		err := tx.NonconcurrentDB().NewQuery(`SELECT ifnull(sum(texts), 0), ifnull(sum(texts) FILTER (WHERE number = {:number}), 0) FROM sms_days WHERE day = {:day}`).
			Bind(dbx.Params{"day": day, "number": trace(number)}).Row(&total, &one)
		if err != nil {
			return err
		}
		switch {
		case class == commune.Emergency:
		case s.PerNumber > 0 && one >= s.PerNumber:
			bad = refusal("sms_cap")
			return nil
		case s.Budget > 0 && total >= s.Budget:
			bad = &notify.Later{After: untilMidnight(now), Why: "sms_budget: the day's texts are spent"}
			return nil
		}
		if _, err := tx.NonconcurrentDB().NewQuery(`DELETE FROM sms_days WHERE day < {:old}`).Bind(dbx.Params{"old": commune.Day(now.AddDate(0, 0, -60))}).Execute(); err != nil {
			return err
		}
		_, err = tx.NonconcurrentDB().NewQuery(`INSERT INTO sms_days (day, number, texts) VALUES ({:day}, {:number}, 1) ON CONFLICT DO UPDATE SET texts = texts + 1`).
			Bind(dbx.Params{"day": day, "number": trace(number)}).Execute()
		return err
	})
	if err != nil {
		return &notify.Later{Why: fmt.Sprintf("counting failed: %v", err)}
	}
	return bad
}

func (s *Sender) giveBack(number string) {
	_, err := s.App.NonconcurrentDB().NewQuery(`UPDATE sms_days SET texts = max(0, texts - 1) WHERE day = {:day} AND number = {:number}`).
		Bind(dbx.Params{"day": commune.Day(s.now()), "number": trace(number)}).Execute()
	if err != nil {
		s.App.Logger().Warn("giving a text back failed", "error", err)
	}
}

func untilMidnight(now time.Time) time.Duration {
	local := now.In(commune.Zone)
	return time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, commune.Zone).Sub(now)
}
