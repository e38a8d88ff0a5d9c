package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// textRoad is the name of the sender that carries texts to numbers.
const textRoad = "sms"

// TextFor is all that a text says, by how much its notice presses and nothing else: no
// name, no kind, no sender. Without diacritics, and with a link of up to 40
// characters, it is one part.
func TextFor(class commune.Class, link string) string {
	words := "Bac co thong bao moi tu xa. Xin mo ung dung Lang So de xem, hoac hoi truong thon."
	if class == commune.Emergency {
		words = "TIN KHAN tu xa. Xin mo ung dung Lang So de xem ngay, hoac hoi truong thon."
	}
	return strings.TrimSpace(words + " " + link)
}

// How the ladder is climbed.
const (
	personsAtOnce = 200              // persons of a circle looked at in one transaction
	textsAtOnce   = 8                // texts under way at a time
	textPatience  = 10 * time.Minute // a text that was taken and not told of since is not sent again
	maxTexts      = 8                // tries of one text
	mostErrands   = 20               // households a village head is sent to for one notice
)

// rungs of a notice as they are first written.
type firstRung struct {
	key, rung string
	at        time.Time
}

func rungsOf(class commune.Class, n commune.Notice, id string, now time.Time) []firstRung {
	if !n.Expires.IsZero() && !n.Expires.After(now) {
		return nil // the inbox has it; no road carries what is over
	}
	out := []firstRung{{id, pushRung, firstTry(class, n.To, id, now, n.Expires)}}
	r := rules[class]
	for _, next := range []struct {
		rung string
		wait time.Duration
	}{{textRung, r.text}, {taskRung, r.errand}} {
		if next.wait == 0 || persons[n.To.Kind()] == "" {
			continue
		}
		at := now.Add(next.wait)
		if r.quiet {
			at = afterQuiet(at, id)
		}
		if n.Expires.IsZero() || at.Before(n.Expires) {
			out = append(out, firstRung{id + ":" + next.rung, next.rung, at})
		}
	}
	return out
}

// persons finds, for each kind of circle, the persons p whom a notice to it
// is for. Officers on duty are not: they work in the app.
var persons = map[string]string{
	"person":    `p.id = {:name}`,
	"guardian":  `p.id IN (SELECT guardian FROM guardians WHERE person = {:name} AND ` + running + `)`,
	"household": `p.household = {:name}`,
	"village":   `p.village = {:name}`,
	"commune":   `1`,
}

// unheard is the condition on a person p that no phone of theirs has the notice
// and they have not marked it as read.
const unheard = `NOT EXISTS (SELECT 1 FROM notice_marks m WHERE m.person = p.id AND m.notice = {:notice})
	AND ({:seq} = 0 OR NOT EXISTS (SELECT 1 FROM phones f WHERE f.person = p.id AND f.cursor_epoch = {:epoch} AND f.cursor >= {:seq}))`

// addressee is a person whom the ladder reaches for.
type addressee struct {
	ID, Name, Number, Household, Village string
	Agreed                               bool
}

// climb takes one rung of one notice: the persons who have not heard get theirs
// written down, page by page, under the delivery's lease.
func (b *batch) climb(ctx context.Context, j *job) error {
	o := b.outbox
	if o.Settle != nil {
		if err := o.Settle(); err != nil {
			return fmt.Errorf("settle phones: %w", err)
		}
	}
	has, err := o.heard(j)
	if err != nil {
		return err
	}
	if rules[j.Class].quiet && quiet(o.Now()) {
		return j.write(o.App, step{state: waiting, lease: "@" + j.cursor(), nextAt: afterQuiet(o.Now(), j.Key), attempt: j.Attempt})
	}
	if j.Rung == textRung && !o.texts() {
		return j.write(o.App, step{state: done, err: "no road for texts"})
	}
	for more := true; more && ctx.Err() == nil; {
		err := o.App.RunInTransaction(func(tx core.App) error {
			var err error
			more, err = b.takeRungs(tx, j, has)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// texts tells whether texts can be sent.
func (o *Outbox) texts() bool {
	c := o.channels[textRoad]
	return c != nil && c.off() == ""
}

// takeRungs writes the rungs of one page of persons and moves the delivery on.
// Who has heard is asked here, in the transaction that takes the rung.
func (b *batch) takeRungs(tx core.App, j *job, has heard) (more bool, err error) {
	now := b.outbox.Now()
	in, known := persons[j.Circle.Kind()]
	if !known {
		return false, j.write(tx, step{state: dead, attempt: j.Attempt, err: (&unknownCircle{j.Circle.Kind()}).Error()})
	}
	var page []addressee
	err = tx.NonconcurrentDB().NewQuery(`SELECT p.id, p.name, p.phone_number number, p.household, p.village, ifnull(c.sms, FALSE) agreed
		FROM persons p LEFT JOIN notice_choices c ON c.person = p.id
		WHERE p.id > {:after} AND ` + in + ` AND p.status NOT IN ('dead', 'moved') AND ` + unheard + ` ORDER BY p.id LIMIT {:limit}`).
		Bind(params{"after": j.cursor(), "name": j.Circle.Name(), "today": commune.Day(now), "limit": personsAtOnce,
			"notice": j.Notice, "seq": has.seq, "epoch": has.epoch}).All(&page)
	if err != nil {
		return false, fmt.Errorf("read persons of a circle: %w", err)
	}
	more = len(page) == personsAtOnce
	s := step{state: done}
	if more {
		s = step{state: waiting, lease: j.leaseAt(b.worker, page[len(page)-1].ID), until: now.Add(leaseTime)}
	}
	for _, p := range page {
		taken, err := b.takeRung(tx, j, p, now)
		if err != nil {
			return false, err
		}
		if taken {
			s.reached++
		}
	}
	return more, j.write(tx, s)
}

func (b *batch) takeRung(tx core.App, j *job, p addressee, now time.Time) (bool, error) {
	if j.Rung == taskRung {
		return sendErrand(tx, j, p, now)
	}
	if !mobile(p.Number) || !p.Agreed && j.Class != commune.Emergency {
		return false, nil
	}
	return writeRung(tx, j, p, waiting, now)
}

// mobile tells whether a number is one that a text reaches: +84 and nine digits.
func mobile(number string) bool {
	digits, ok := strings.CutPrefix(number, "+84")
	return ok && len(digits) == 9 && strings.Trim(digits, "0123456789") == ""
}

// writeRung writes a rung, unless it is there. A number that somebody else's
// rung of the same notice has got is not used again.
func writeRung(tx core.App, j *job, p addressee, state string, now time.Time) (bool, error) {
	number := ""
	if j.Rung == textRung {
		sum := sha256.Sum256([]byte(j.Notice + p.Number))
		number = hex.EncodeToString(sum[:])[:15]
	}
	res, err := tx.NonconcurrentDB().NewQuery(`INSERT INTO notice_rungs (id, notice, person, rung, state, number, class, expires, next_at, created, updated)
		SELECT {:id}, {:notice}, {:person}, {:rung},
			CASE WHEN {:number} != '' AND EXISTS (SELECT 1 FROM notice_rungs WHERE notice = {:notice} AND rung = {:rung} AND number = {:number}) THEN 'shared' ELSE {:state} END,
			CASE WHEN EXISTS (SELECT 1 FROM notice_rungs WHERE notice = {:notice} AND rung = {:rung} AND number = {:number}) THEN '' ELSE {:number} END,
			{:class}, {:expires}, {:next}, {:now}, {:now}
		WHERE true ON CONFLICT (notice, person, rung) DO NOTHING`).
		Bind(params{"id": ID(commune.Named("person", p.ID), j.Notice+":"+j.Rung), "notice": j.Notice, "person": p.ID, "rung": j.Rung, "state": state,
			"number": number, "class": j.Class, "expires": j.Expires, "next": now.Unix(), "now": commune.Moment(now)}).Execute()
	if err != nil {
		return false, fmt.Errorf("write rung: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// sendErrand asks the village head to see a household; the persons of one
// household are one errand. Beyond mostErrands a village gets one errand for all
// the others: nobody can visit a whole village in an evening.
func sendErrand(tx core.App, j *job, p addressee, now time.Time) (bool, error) {
	if p.Village == "" {
		return false, nil
	}
	taken, err := writeRung(tx, j, p, "sent", now)
	if err != nil || !taken {
		return false, err
	}
	id, house, names := ID(commune.Named("household", p.Household), j.Notice+":errand"), p.Household, p.Name
	r, err := tx.FindRecordById("errands", id)
	if err != nil {
		var n int
		if err := tx.NonconcurrentDB().NewQuery(`SELECT count(*) FROM errands WHERE notice = {:notice} AND village = {:village}`).
			Bind(params{"notice": j.Notice, "village": p.Village}).Row(&n); err != nil {
			return false, fmt.Errorf("count errands: %w", err)
		}
		if n >= mostErrands {
			id, house, names = ID(commune.Named("village", p.Village), j.Notice+":errand"), "", "Nhiều hộ trong thôn chưa nhận được, xin báo qua loa"
			if _, err := tx.FindRecordById("errands", id); err == nil {
				return true, nil
			}
		}
		errands, err := tx.FindCachedCollectionByNameOrId("errands")
		if err != nil {
			return false, fmt.Errorf("find errands: %w", err)
		}
		r = core.NewRecord(errands)
		r.Id = id
		r.Load(map[string]any{"village": p.Village, "household": house, "notice": j.Notice, "state": "open", "at": commune.Moment(now), "names": names})
		if house != "" {
			r.Set("person", p.ID)
		}
	} else {
		r.Set("names", shorten(r.GetString("names")+", "+p.Name, 300))
		r.Set("person", "") // of several: closed by hand
	}
	if err := tx.Save(r); err != nil {
		return false, fmt.Errorf("save errand: %w", err)
	}
	return true, Raise(tx, commune.Notice{
		To: commune.Named("village-head", p.Village), Key: "errands:" + j.Notice, Kind: "errand", Class: commune.Needed,
		Title: "Có hộ cần ghé báo tin", Body: "Có người chưa nhận được thông báo của xã. Xin xem danh sách và ghé nhà giúp ạ.", Link: "#/viec-thon",
	}, now)
}

// rung is a text that is to be sent.
type rung struct {
	ID, Notice, Person string
	Class              commune.Class
	Expires            int64
	Attempt            int
	Number             string
}

// climb sends the texts that are due. Each is taken before it is sent and told of
// after; what was taken and never told of may have gone and is not sent again:
// the next rung, an errand, finds who did not hear.
func (o *Outbox) climb(ctx context.Context) error {
	c := o.channels[textRoad]
	if c == nil || c.off() != "" {
		return nil
	}
	for ctx.Err() == nil {
		now := o.Now()
		limit, _ := c.lane("").limit.left(now)
		if limit = min(limit, textsAtOnce); limit == 0 || c.lane("").rest(now) != nil {
			return nil
		}
		rungs, err := o.takeTexts(now, limit)
		if err != nil || len(rungs) == 0 {
			return err
		}
		errs := make([]error, len(rungs))
		var all sync.WaitGroup
		for i, r := range rungs {
			all.Go(func() { errs[i] = o.text(ctx, c, r) })
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		if len(rungs) < limit {
			return nil
		}
	}
	return nil
}

// takeTexts takes up to limit texts that are due, in one transaction, and calls
// off those whose person has heard meanwhile.
func (o *Outbox) takeTexts(now time.Time, limit int) (rungs []rung, err error) {
	var some int
	err = o.App.ConcurrentDB().NewQuery(`SELECT EXISTS (SELECT 1 FROM notice_rungs WHERE state = 'waiting' AND next_at <= {:now} OR state = 'taken' AND next_at <= {:lost})`).
		Bind(params{"now": now.Unix(), "lost": now.Add(-textPatience).Unix()}).Row(&some)
	if err != nil || some == 0 {
		return nil, err
	}
	if o.Settle != nil {
		if err := o.Settle(); err != nil {
			return nil, fmt.Errorf("settle phones: %w", err)
		}
	}
	err = o.App.RunInTransaction(func(tx core.App) error {
		bind := params{"now": now.Unix(), "lost": now.Add(-textPatience).Unix(), "limit": limit, "moment": commune.Moment(now)}
		for _, q := range []string{
			`UPDATE notice_rungs SET state = 'unsure', why = 'taken and not told of', updated = {:moment} WHERE state = 'taken' AND next_at <= {:lost}`,
			`UPDATE notice_rungs SET state = 'failed', why = 'of no more use', updated = {:moment} WHERE state = 'waiting' AND expires > 0 AND expires <= {:now}`,
		} {
			if _, err := tx.NonconcurrentDB().NewQuery(q).Bind(bind).Execute(); err != nil {
				return fmt.Errorf("put rungs in order: %w", err)
			}
		}
		var all []rung
		err := tx.NonconcurrentDB().NewQuery(`SELECT r.id, r.notice, r.person, r.class, r.expires, r.attempt, ifnull(p.phone_number, '') number
			FROM notice_rungs r LEFT JOIN persons p ON p.id = r.person
			WHERE r.state = 'waiting' AND r.rung = 'sms' AND r.next_at <= {:now} ORDER BY r.class, r.next_at, r.id LIMIT {:limit}`).Bind(bind).All(&all)
		if err != nil {
			return fmt.Errorf("read rungs: %w", err)
		}
		for _, r := range all {
			state, err := o.standing(tx, r)
			if err != nil {
				return err
			}
			_, err = tx.NonconcurrentDB().NewQuery(`UPDATE notice_rungs SET state = {:state}, attempt = attempt + 1, next_at = {:now}, updated = {:moment} WHERE id = {:id}`).
				Bind(params{"id": r.ID, "state": state, "now": now.Unix(), "moment": commune.Moment(now)}).Execute()
			if err != nil {
				return fmt.Errorf("take rung: %w", err)
			}
			if state == "taken" {
				rungs = append(rungs, r)
			}
		}
		return nil
	})
	return rungs, err
}

// standing is what becomes of a rung that is due: taken, or called off.
func (o *Outbox) standing(tx core.App, r rung) (string, error) {
	if !mobile(r.Number) {
		return "failed", nil
	}
	has, err := o.heard(&job{Notice: r.Notice})
	if err != nil {
		return "", err
	}
	var still bool
	err = tx.NonconcurrentDB().NewQuery(`SELECT EXISTS (SELECT 1 FROM persons p WHERE p.id = {:person} AND ` + unheard + `)
		AND NOT EXISTS (SELECT 1 FROM deliveries WHERE notice = {:notice} AND state = 'stopped')`).
		Bind(params{"person": r.Person, "notice": r.Notice, "seq": has.seq, "epoch": has.epoch}).Row(&still)
	if err != nil {
		return "", fmt.Errorf("ask who has heard: %w", err)
	}
	if !still {
		return "cancelled", nil
	}
	return "taken", nil
}

// text sends one text and writes down what became of it.
func (o *Outbox) text(ctx context.Context, c *channel, r rung) error {
	d := Delivery{Address: r.Number, Class: r.Class, Urgent: true, Text: TextFor(r.Class, o.Link), Key: r.ID}
	if r.Expires > 0 {
		d.Life = time.Unix(r.Expires, 0).Sub(o.Now())
	}
	err := c.send(ctx, d, o.Now)
	state, why, next := o.told(err, r)
	if err != nil {
		why = strings.ReplaceAll(err.Error(), r.Number, "…")
	}
	_, err = o.App.NonconcurrentDB().NewQuery(`UPDATE notice_rungs SET state = {:state}, why = {:why}, next_at = {:next}, updated = {:now} WHERE id = {:id} AND state = 'taken'`).
		Bind(params{"id": r.ID, "state": state, "why": shorten(why, 300), "next": unix(next), "now": commune.Moment(o.Now())}).Execute()
	if err != nil {
		return fmt.Errorf("write what became of a text: %w", err)
	}
	return nil
}

// told sorts the answer to a text. Only a text that surely did not go is tried
// again.
func (o *Outbox) told(err error, r rung) (state, why string, next time.Time) {
	now := o.Now()
	var later *Later
	var config *Config
	var rests *resting
	switch {
	case err == nil:
		return "sent", "", now
	case errors.As(err, &later) && later.Unsure, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "unsure", "", now
	case errors.As(err, &config), errors.As(err, &rests):
		return waiting, "", latest(now.Add(time.Minute), o.channels[textRoad].lane("").restUntil())
	case errors.As(err, &later) && r.Attempt+1 < maxTexts:
		return waiting, "", o.nextTry(r.Attempt+1, now.Add(later.After))
	}
	return "failed", "", now
}

// sweepRungs deletes the rungs of notices that are long over.
func sweepRungs(app core.App, before time.Time) error {
	_, err := app.NonconcurrentDB().NewQuery(`DELETE FROM notice_rungs WHERE id IN (SELECT id FROM notice_rungs WHERE state != 'waiting' AND next_at < {:before} LIMIT 1000)`).
		Bind(params{"before": before.Unix()}).Execute()
	if err != nil {
		return fmt.Errorf("sweep rungs: %w", err)
	}
	return nil
}

// closeErrands ends the errands whose person has heard by now.
func (o *Outbox) closeErrands() error {
	var open []struct{ ID, Notice, Person string }
	err := o.App.ConcurrentDB().NewQuery(`SELECT id, notice, person FROM errands WHERE state = 'open' AND person != '' ORDER BY created DESC LIMIT 500`).All(&open)
	if err != nil {
		return fmt.Errorf("read open errands: %w", err)
	}
	for _, e := range open {
		has, err := o.heard(&job{Notice: e.Notice})
		if err != nil {
			return err
		}
		_, err = o.App.NonconcurrentDB().NewQuery(`UPDATE errands SET state = 'received', updated = {:now} WHERE id = {:id} AND state = 'open'
			AND EXISTS (SELECT 1 FROM persons p WHERE p.id = errands.person AND NOT (` + unheard + `))`).
			Bind(params{"id": e.ID, "notice": e.Notice, "seq": has.seq, "epoch": has.epoch, "now": commune.Moment(o.Now())}).Execute()
		if err != nil {
			return fmt.Errorf("close errand: %w", err)
		}
	}
	return nil
}
