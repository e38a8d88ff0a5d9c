package sms

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"langso/commune"
	"langso/notify"
)

// refusal is why a text is not sent: a stable code that officers see. Nobody is
// answered by it.
type refusal string

func (r refusal) Error() string { return "text refused: " + string(r) }

// Sender is the road "sms": the texts of the ladder, out of the day's purse. It
// implements notify.Sender.
type Sender struct {
	Purse   *Purse
	Gateway Gateway // nil: off
	// Minute is the most texts a minute, as the gateway can carry; 0: no limit.
	Minute int
}

// perMinute is one SIM's patience.
const perMinute = 25

// SenderFromEnv makes the sender on a gateway, with the setting LANGSO_SMS_PER_MINUTE.
// A [Log] is no road: the texts of the ladder would end in it unread.
func SenderFromEnv(p *Purse, g Gateway) *Sender {
	if _, demo := g.(*Log); demo {
		g = nil
	}
	return &Sender{Purse: p, Gateway: g, Minute: number("LANGSO_SMS_PER_MINUTE", perMinute)}
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

// Alarm says what the administrator should know of the day's texts; "" when all is well.
func (s *Sender) Alarm() string { return s.Purse.Alarm() }

// longestLink is the longest address that fits every sentence: one part with it.
const longestLink = 40

// LinkFromEnv is the setting LANGSO_SMS_LINK: the app's short address, which texts
// end with, as "xa.vn/a". Anything that would not fit a text is an error.
func LinkFromEnv() (string, error) {
	link := strings.TrimSpace(os.Getenv("LANGSO_SMS_LINK"))
	if len(link) > longestLink || Fold(link) != link || strings.ContainsFunc(link, unicode.IsSpace) {
		return "", fmt.Errorf("LANGSO_SMS_LINK is no short address: at most %d characters without diacritics", longestLink)
	}
	return link, nil
}

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
	if err := s.Purse.notice(d.Address, d.Class); err != nil {
		return err
	}
	var err error
	if k, ok := s.Gateway.(keyed); ok {
		err = k.SendKeyed(ctx, d.Key, d.Address, text)
	} else {
		err = s.Gateway.Send(ctx, d.Address, text)
	}
	if surelyNot(err) {
		s.Purse.giveBack(trace(d.Address, false))
	}
	return err
}

// surelyNot tells whether a text that was handed over with this answer did not go.
func surelyNot(err error) bool {
	var later *notify.Later
	return err != nil && (!errors.As(err, &later) || !later.Unsure)
}

func untilMidnight(now time.Time) time.Duration {
	local := now.In(commune.Zone)
	return time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, commune.Zone).Sub(now)
}
