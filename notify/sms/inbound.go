package sms

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// Inbound takes what comes back from phones without an app: reports of texts
// that arrived or not, and answers. "DA NHAN" marks the notices of the last week that
// were texted to the number as read; "DUNG" ends the texts; anything else waits in
// sms_replies for an officer. Nothing is answered: each answer would cost a text.
type Inbound struct {
	App core.App
	// Secret is the last part of both paths, for the gateway's settings; "": no routes.
	Secret string
	// Gammu is the folder to look into for answers; nil: none.
	Gammu *Gammu
	Now   func() time.Time // nil: the computer's clock
}

// ReportPath and AnswerPath are where the gateway calls, each followed by the secret.
const (
	ReportPath = "/api/sms/reports/"
	AnswerPath = "/api/sms/answers/"
)

// InboundFromEnv takes the setting LANGSO_SMS_SECRET and, when the gateway is
// gammu's, its inbox.
func InboundFromEnv(app core.App, g Gateway) *Inbound {
	in := &Inbound{App: app, Secret: strings.TrimSpace(os.Getenv("LANGSO_SMS_SECRET"))}
	in.Gammu, _ = g.(*Gammu)
	return in
}

// Bind registers the routes and, for gammu, looks into its inbox every five
// seconds while the server serves.
func (in *Inbound) Bind(se *core.ServeEvent) {
	if len(in.Secret) >= 16 {
		for path, do := range map[string]func(*core.RequestEvent) error{ReportPath: in.report, AnswerPath: in.answer} {
			guarded := func(e *core.RequestEvent) error {
				if subtle.ConstantTimeCompare([]byte(e.Request.PathValue("secret")), []byte(in.Secret)) != 1 {
					return e.NotFoundError("", nil)
				}
				return do(e)
			}
			// The path holds the secret, so no call is logged.
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				se.Router.Route(method, path+"{secret}", guarded).Bind(apis.SkipSuccessActivityLog()).Unbind(apis.DefaultLoadAuthTokenMiddlewareId)
			}
		}
	}
	if in.Gammu == nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	se.App.OnTerminate().BindFunc(func(e *core.TerminateEvent) error { stop(); <-ended; return e.Next() })
	go func() {
		defer close(ended)
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := in.Gammu.Receive(in.Take); err != nil {
					in.App.Logger().Error("reading answers failed", "error", err)
				}
			}
		}
	}()
}

// report takes a delivery report in Kannel's words: status 1 delivered, 2 not, 16
// rejected by the operator.
func (in *Inbound) report(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	key, status := q.Get("key"), q.Get("status")
	state, why := "", ""
	switch status {
	case "1":
		state, why = "sent", "delivered"
	case "2", "16":
		state, why = "failed", "the operator could not deliver it"
	}
	if state != "" {
		// A late failure does not undo a delivery.
		_, err := in.App.NonconcurrentDB().NewQuery(`UPDATE notice_rungs SET state = {:state}, why = {:why}, updated = {:now}
			WHERE id = {:key} AND rung = 'sms' AND state IN ('taken', 'sent', 'unsure') AND why != 'delivered'`).
			Bind(dbx.Params{"key": key, "state": state, "why": why, "now": commune.Moment(in.now())}).Execute()
		if err != nil {
			return err
		}
	}
	return e.String(http.StatusOK, "")
}

// answer takes an answer as Kannel's sms-service forwards it: from, text.
func (in *Inbound) answer(e *core.RequestEvent) error {
	if err := in.Take(e.Request.FormValue("from"), e.Request.FormValue("text")); err != nil {
		return err // the gateway keeps it and calls again
	}
	return e.String(http.StatusOK, "") // an empty answer sends nothing back
}

func (in *Inbound) now() time.Time {
	if in.Now != nil {
		return in.Now()
	}
	return time.Now()
}

// international writes a number as records have it, "+84912345678".
func international(number string) string {
	number = strings.NewReplacer(" ", "", ".", "", "-", "").Replace(number)
	switch {
	case strings.HasPrefix(number, "0084"):
		return "+" + number[2:]
	case strings.HasPrefix(number, "84"):
		return "+" + number
	case strings.HasPrefix(number, "0"):
		return "+84" + number[1:]
	}
	return number
}

// Take does what an answer asks for.
func (in *Inbound) Take(number, text string) error {
	number = international(number)
	words := strings.Join(strings.Fields(strings.ToUpper(Fold(text))), " ")
	if at := strings.IndexFunc(words, func(r rune) bool { return (r < 'A' || r > 'Z') && r != ' ' }); at >= 0 && strings.Trim(words[at:], ".!?, ") == "" {
		words = strings.TrimSpace(words[:at])
	}
	return in.App.RunInTransaction(func(tx core.App) error {
		switch words {
		case "DA NHAN", "DANHAN", "DA NHAN DUOC":
			done, err := in.read(tx, number)
			if err != nil || done {
				return err
			}
		case "DUNG", "TU CHOI", "STOP":
			done, err := stopTexts(tx, number)
			if err != nil || done {
				return err
			}
		}
		return in.keep(tx, number, text)
	})
}

// read marks what was texted to the number in the last week as read.
func (in *Inbound) read(tx core.App, number string) (bool, error) {
	var all []struct{ Person, Notice string }
	err := tx.DB().NewQuery(`SELECT r.person, r.notice FROM notice_rungs r JOIN persons p ON p.id = r.person JOIN notices n ON n.id = r.notice
		WHERE p.phone_number = {:number} AND r.rung = 'sms' AND r.state IN ('taken', 'sent', 'unsure', 'shared') AND r.next_at >= {:since}`).
		Bind(dbx.Params{"number": number, "since": in.now().Add(-7 * 24 * time.Hour).Unix()}).All(&all)
	if err != nil {
		return false, fmt.Errorf("look for texted notices: %w", err)
	}
	marks, err := tx.FindCachedCollectionByNameOrId("notice_marks")
	if err != nil {
		return false, fmt.Errorf("find marks: %w", err)
	}
	for _, one := range all {
		var have int
		err := tx.DB().NewQuery(`SELECT count(*) FROM notice_marks WHERE person = {:person} AND notice = {:notice}`).Bind(dbx.Params{"person": one.Person, "notice": one.Notice}).Row(&have)
		if err != nil {
			return false, fmt.Errorf("look for a mark: %w", err)
		}
		if have > 0 {
			continue
		}
		// The same id as the person's own phone would give it (pb_public/push/mark.js).
		sum := sha256.Sum256([]byte(one.Person + one.Notice))
		r := core.NewRecord(marks)
		r.Id = hex.EncodeToString(sum[:])[:15]
		r.Load(map[string]any{"person": one.Person, "notice": one.Notice, "read_at": commune.Moment(in.now())})
		if err := tx.Save(r); err != nil {
			return false, fmt.Errorf("save mark: %w", err)
		}
	}
	return len(all) > 0, nil
}

// stopTexts withdraws the consent of everybody with the number.
func stopTexts(tx core.App, number string) (bool, error) {
	choices, err := tx.FindRecordsByFilter("notice_choices", "person.phone_number = {:number}", "", 0, 0, dbx.Params{"number": number})
	if err != nil {
		return false, fmt.Errorf("find choices: %w", err)
	}
	for _, c := range choices {
		c.Set("sms", false)
		if err := tx.Save(c); err != nil {
			return false, fmt.Errorf("save choice: %w", err)
		}
	}
	return len(choices) > 0, nil
}

// keep lays an answer before an officer. The same one within a day is kept once:
// gateways repeat themselves.
func (in *Inbound) keep(tx core.App, number, text string) error {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "?")
	for utf8.RuneCountInString(text) > 1000 {
		text = string([]rune(text)[:1000])
	}
	if strings.TrimSpace(text) == "" || utf8.RuneCountInString(number) > 30 {
		return nil
	}
	had, err := tx.FindFirstRecordByFilter("sms_replies", "number = {:number} && text = {:text} && at >= {:since}",
		dbx.Params{"number": number, "text": text, "since": commune.Moment(in.now().Add(-24 * time.Hour))})
	if err == nil && had != nil {
		return nil
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("look for an answer: %w", err)
	}
	replies, err := tx.FindCachedCollectionByNameOrId("sms_replies")
	if err != nil {
		return fmt.Errorf("find answers: %w", err)
	}
	r := core.NewRecord(replies)
	r.Load(map[string]any{"number": number, "text": text, "at": commune.Moment(in.now()), "state": "waiting"})
	if err := tx.Save(r); err != nil {
		return fmt.Errorf("save answer: %w", err)
	}
	return nil
}
