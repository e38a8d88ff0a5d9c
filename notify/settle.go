package notify

import (
	"errors"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// Retries: waits of 2, 4, 8 … seconds up to six hours (after which the phone
// has asked by itself), each shortened at random so that a crowd does not come
// back together. Twenty-four of them last about a day and a half.
const (
	firstWait = 2 * time.Second
	longest   = 6 * time.Hour
	maxTries  = 24
)

// When more than half of a page, and at least so many, are told to be gone, it
// is not the phones that are wrong but the project.
const massDeath = 20

// outcome is one page's answers, sorted.
type outcome struct {
	reached int
	gone    []target
	refused []failed // never will do
	stuck   []failed // may do later
	rest    time.Time
}

type failed struct {
	phone target
	why   string
}

// sortOut reads the errors of a page.
func (o *Outbox) sortOut(phones []target, errs []error) outcome {
	var out outcome
	var after time.Duration
	for i, err := range errs {
		p := phones[i]
		var gone *Dead
		var later *Later
		var config *Config
		var rests *resting
		switch {
		case err == nil:
			out.reached++
		case errors.As(err, &gone):
			out.gone = append(out.gone, p)
		case errors.As(err, &later):
			after = max(after, later.After)
			out.stuck = append(out.stuck, failed{p, cleaned(err, p)})
		case errors.As(err, &config), errors.As(err, &rests), o.channels[p.Transport] == nil:
			out.stuck = append(out.stuck, failed{p, cleaned(err, p)})
		default:
			out.refused = append(out.refused, failed{p, cleaned(err, p)})
		}
	}
	if len(out.gone) >= massDeath && 2*len(out.gone) > len(phones) {
		out = o.distrust(out)
	}
	out.rest = o.Now().Add(after)
	for _, f := range out.stuck {
		if c := o.channels[f.phone.Transport]; c != nil && c.restUntil().After(out.rest) {
			out.rest = c.restUntil()
		}
	}
	return out
}

// distrust keeps the phones of a page that says most are gone, and stops
// the roads that said so.
func (o *Outbox) distrust(out outcome) outcome {
	const why = "most phones of a page were said to be gone: wrong project?"
	for _, p := range out.gone {
		o.channels[p.Transport].pause(o.Now().Add(configRest), why, true)
		out.stuck = append(out.stuck, failed{p, why})
	}
	out.gone = nil
	return out
}

// cleaned is the error's text without the address, should a sender have let it
// slip.
func cleaned(err error, p target) string {
	if p.Address == "" {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), p.Address, "…")
}

// settle writes what became of a page, in one transaction, and tells whether
// there are pages to come.
func (b *batch) settle(j *job, phones []target, errs []error) (more bool, err error) {
	o := b.outbox
	out := o.sortOut(phones, errs)
	alone := len(out.stuck) > 0 && out.reached+len(out.gone)+len(out.refused) == 0
	more = len(phones) == pageSize && !alone
	err = o.App.RunInTransaction(func(tx core.App) error {
		if alone {
			// Nothing went: it is the road, not a phone. The whole delivery waits
			// where it is, instead of a row for each of its phones.
			return j.write(tx, b.again(j, out))
		}
		if err := j.write(tx, b.onward(j, phones, out, more)); err != nil {
			return err
		}
		return b.scatter(tx, j, out, more)
	})
	return more, err
}

// again is the step of a delivery that is to be tried later, or given up.
func (b *batch) again(j *job, out outcome) step {
	s := step{state: waiting, lease: "@" + j.cursor(), attempt: j.Attempt + 1, err: out.stuck[0].why}
	if s.attempt > maxTries {
		s.state, s.lease = dead, ""
		return s
	}
	s.nextAt = b.outbox.nextTry(s.attempt, out.rest)
	if !j.Urgent {
		s.nextAt = afterQuiet(s.nextAt, j.Key)
	}
	return s
}

// onward is the step of a delivery whose page went.
func (b *batch) onward(j *job, phones []target, out outcome, more bool) step {
	s := step{state: done, reached: out.reached}
	switch {
	case more:
		s.state = waiting
		s.lease, s.until = j.leaseAt(b.worker, phones[len(phones)-1].ID), b.outbox.Now().Add(leaseTime)
	case j.Circle.Kind() == onePhone && len(out.refused) > 0:
		s.state, s.attempt, s.err = dead, j.Attempt, out.refused[0].why
	}
	return s
}

// scatter writes what concerns single phones, and keeps the batch's leases.
func (b *batch) scatter(tx core.App, j *job, out outcome, more bool) error {
	for _, p := range out.gone {
		if err := retire(tx, p.ID, p.Address); err != nil {
			return err
		}
	}
	if j.Circle.Kind() != onePhone {
		for _, f := range out.refused {
			if err := leave(tx, j, f.phone.ID, dead, f.why, time.Time{}); err != nil {
				return err
			}
		}
		for _, f := range out.stuck {
			if err := leave(tx, j, f.phone.ID, waiting, f.why, b.outbox.nextTry(1, out.rest)); err != nil {
				return err
			}
		}
	}
	if !more {
		return nil
	}
	return renew(tx, b.worker, b.outbox.Now())
}

// nextTry is when to try again after so many attempts: at a random moment of
// a wait that doubles, and never before the road's rest is over.
func (o *Outbox) nextTry(attempt int, rest time.Time) time.Time {
	now := o.Now()
	wait := min(longest, firstWait<<min(attempt-1, 20))
	at := now.Add(o.Rand(wait) + time.Second)
	if at.Before(rest) {
		at = rest.Add(o.Rand(min(30*time.Second, rest.Sub(now)/10)))
	}
	return at
}
