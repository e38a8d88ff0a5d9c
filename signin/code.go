package signin

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/commune/people"
)

// The rules of codes. Villages sit behind one address, so nothing counts by
// address: a number has its own limits, and all numbers together one against a
// flood of paid messages.
const (
	codeLife    = 5 * time.Minute
	codeTries   = 5
	codeWait    = 60 * time.Second
	codesADay   = 5
	asksAMinute = 300
)

var (
	errNumber  = refuse(http.StatusBadRequest, "bad_number", "Số điện thoại chưa đúng, xin xem lại.")
	errTooMany = refuse(http.StatusTooManyRequests, "too_many_codes", "Đã gửi nhiều mã rồi. Xin chờ một lát, hoặc đến bàn một cửa để quét mã QR.")
	errCode    = refuse(http.StatusForbidden, "bad_code", "Mã chưa đúng hoặc đã hết hạn. Xin xem lại tin nhắn, hoặc lấy mã mới.")
	errTries   = refuse(http.StatusTooManyRequests, "too_many_tries", "Nhập sai nhiều lần quá. Xin lấy mã mới.")
	errSMSOff  = refuse(http.StatusServiceUnavailable, "sms_off", "Xã chưa gửi được tin nhắn. Xin đến bàn một cửa để quét mã QR.")
)

func (s *Service) code(e *core.RequestEvent, body []byte) (any, error) {
	var ask struct{ Number string }
	if err := decode(body, &ask); err != nil {
		return nil, err
	}
	number, ok := people.Number(ask.Number)
	if !ok {
		return nil, errNumber
	}
	if s.SMS == nil {
		return nil, errSMSOff
	}
	if !s.admit() || s.spent() {
		return nil, errTooMany
	}
	code, err := newCode()
	if err != nil {
		return nil, err
	}
	// The row is written whether or not somebody has the number, so that the
	// answer and the time it takes tell nothing.
	if err := s.keepCode(number, code); err != nil {
		return nil, err
	}
	known, err := s.holders(number)
	if err != nil {
		return nil, err
	}
	if len(known) > 0 {
		s.dispatch(number, code)
	}
	return map[string]any{"sent": true, "wait": int(codeWait.Seconds())}, nil
}

// sendTime is how long a gateway may take over one code.
const sendTime = 30 * time.Second

// dispatch sends a code apart from the answer, since a slow gateway must not tell
// that somebody has the number. A log takes no time, and who reads it should
// find the code there when the answer comes.
func (s *Service) dispatch(number, code string) {
	if s.SMS.Name() == "log" {
		s.sendCode(context.Background(), number, code)
		return
	}
	ctx := s.serving
	s.sending.Go(func() { s.sendCode(ctx, number, code) })
}

// sendCode sends a code. One that the gateway did not take does not count as
// one of the day.
func (s *Service) sendCode(ctx context.Context, number, code string) {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	text := fmt.Sprintf("Làng Số: mã đăng nhập của bác là %s. Mã dùng trong 5 phút, không đưa cho ai.", code)
	err := s.SMS.Send(ctx, number, text)
	if err == nil {
		return
	}
	s.App.Logger().Error("sending a code failed", "gateway", s.SMS.Name(), "error", err)
	_, err = s.App.NonconcurrentDB().NewQuery(`UPDATE sign_in_codes SET sent_today = max(0, sent_today - 1) WHERE number = {:number}`).
		Bind(dbx.Params{"number": number}).Execute()
	if err != nil {
		s.App.Logger().Error("giving a code back failed", "error", err)
	}
}

// spent tells whether the commune sends no more codes today. It is said to
// everybody alike, so it tells nothing of a number.
func (s *Service) spent() bool {
	purse, ok := s.SMS.(interface{ Spent() bool })
	return ok && purse.Spent()
}

// admit counts code requests over all numbers in the running minute.
func (s *Service) admit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if minute := s.now().Truncate(time.Minute); !minute.Equal(s.minute) {
		s.minute, s.asked = minute, 0
	}
	s.asked++
	return s.asked <= asksAMinute
}

func newCode() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%06d", n), nil
}

// hashCode ties the code to its number, under a secret that is never stored:
// who reads the table, or a backup of it, cannot try out a million codes. After a
// restart a person asks for a new one.
func (s *Service) hashCode(number, code string) []byte {
	s.once.Do(func() {
		s.secret = make([]byte, 32)
		_, _ = rand.Read(s.secret) // never fails (crypto/rand)
	})
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(number + "\x00" + code))
	return mac.Sum(nil)
}

func (s *Service) keepCode(number, code string) error {
	now, today := s.now(), commune.Day(s.now())
	return s.App.RunInTransaction(func(tx core.App) error {
		db := tx.NonconcurrentDB()
		var sent int64
		var day string
		var sentToday int
		err := db.NewQuery(`SELECT sent, day, sent_today FROM sign_in_codes WHERE number = {:number}`).Bind(dbx.Params{"number": number}).Row(&sent, &day, &sentToday)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if day != today {
			sentToday = 0
		}
		// A clock that was put back must not shut a number out for long.
		if sentToday >= codesADay || now.Sub(time.Unix(sent, 0)).Abs() < codeWait {
			return errTooMany
		}
		// Rows of earlier days are of no more use.
		if _, err := db.NewQuery(`DELETE FROM sign_in_codes WHERE day < {:today} AND expires < {:now}`).Bind(dbx.Params{"today": today, "now": now.Unix()}).Execute(); err != nil {
			return err
		}
		_, err = db.NewQuery(`INSERT OR REPLACE INTO sign_in_codes (number, hash, expires, tries, sent, day, sent_today)
			VALUES ({:number}, {:hash}, {:expires}, 0, {:now}, {:today}, {:count})`).Bind(dbx.Params{
			"number": number, "hash": s.hashCode(number, code), "expires": now.Add(codeLife).Unix(), "now": now.Unix(), "today": today, "count": sentToday + 1,
		}).Execute()
		return err
	})
}

// tryCode checks a code and counts the try. A good code stays good until it is
// used up, so that the person may be chosen with a second call.
func (s *Service) tryCode(number, code string) error {
	var bad error
	err := s.App.RunInTransaction(func(tx core.App) error {
		bad = nil
		db := tx.NonconcurrentDB()
		var hash []byte
		var expires int64
		var tries int
		err := db.NewQuery(`SELECT hash, expires, tries FROM sign_in_codes WHERE number = {:number}`).Bind(dbx.Params{"number": number}).Row(&hash, &expires, &tries)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			bad = errCode
			return nil
		case err != nil:
			return err
		case tries >= codeTries:
			bad = errTries
			return nil
		case s.now().Unix() >= expires:
			bad = errCode
			return nil
		case hmac.Equal(hash, s.hashCode(number, code)):
			return nil
		}
		bad = errCode
		_, err = db.NewQuery(`UPDATE sign_in_codes SET tries = tries + 1 WHERE number = {:number}`).Bind(dbx.Params{"number": number}).Execute()
		return err
	})
	if err != nil {
		return err
	}
	return bad
}

// useCode makes a code good for nothing more, or refuses it when another phone
// was faster. The row stays: it counts the day's messages.
func (s *Service) useCode(tx core.App, number, code string) error {
	used, err := tx.NonconcurrentDB().NewQuery(`UPDATE sign_in_codes SET expires = 0 WHERE number = {:number} AND hash = {:hash} AND expires > {:now}`).
		Bind(dbx.Params{"number": number, "hash": s.hashCode(number, code), "now": s.now().Unix()}).Execute()
	if err != nil {
		return err
	}
	if n, err := used.RowsAffected(); err != nil || n == 0 {
		return errCode
	}
	return nil
}
