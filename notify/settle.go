package notify

import (
	"errors"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// Retries: waits of 2, 4, 8 … seconds up to six hours (after which the phone
// has asked by itself), each shortened at random so that a crowd does not come
// back together. Twenty-four of them last about a day and a half.
const (
	firstWait = 2 * time.Second
	longest   = 6 * time.Hour
	maxTries  = 24
)

// When in one minute at least massDeath phones of a service, and more than
// massShare in a hundred of those it answered for, are said to be gone, it is
// not the phones that are wrong but the project.
const (
	massDeath = 20
	massShare = 30
)

// outcome is one page's answers, sorted.
type outcome struct {
	reached int
	muted   int
	well    []target // suspects that were reached
	gone    []target
	suspect []failed
	refused []failed // never will do
	stuck   []failed // may do later
	held    []failed // were not to be woken now
	rest    time.Time
	revive  map[string]time.Time // roads that were wrong about phones since then
}

type failed struct {
	phone target
	why   string
	until time.Time // not to be tried before
}

// sortOut reads what became of a page.
func (o *Outbox) sortOut(phones []target, errs []error) outcome {
	var out outcome
	now := o.Now()
	for i, err := range errs {
		p := phones[i]
		if err == nil { // nearly all: nothing is to be made for them
			out.reached++
			if p.Suspect {
				out.well = append(out.well, p)
			}
			continue
		}
		var gone *Dead
		var suspect *Suspect
		var later *Later
		var config *Config
		var rests *resting
		var waits *held
		switch {
		case errors.Is(err, errMuted):
			out.muted++
		case errors.As(err, &waits):
			out.held = append(out.held, failed{phone: p, until: waits.until})
		case errors.As(err, &gone):
			out.gone = append(out.gone, p)
		case errors.As(err, &suspect):
			out.suspect = append(out.suspect, failed{phone: p, why: cleaned(err, p)})
		case errors.As(err, &later):
			out.stuck = append(out.stuck, failed{p, cleaned(err, p), now.Add(later.After)})
		case errors.As(err, &config), errors.As(err, &rests), o.channels[p.Transport] == nil:
			out.stuck = append(out.stuck, failed{phone: p, why: cleaned(err, p)})
		default:
			out.refused = append(out.refused, failed{phone: p, why: cleaned(err, p)})
		}
	}
	o.distrust(&out)
	out.rest = now
	for i := range out.stuck {
		f := &out.stuck[i]
		if c := o.channels[f.phone.Transport]; c != nil {
			f.until = latest(f.until, c.lane(f.phone.Address).restUntil())
		}
		out.rest = latest(out.rest, f.until)
	}
	return out
}

// distrust keeps the phones of a service that says of too many that they are
// gone, takes back what it said before in that minute, and stops it.
func (o *Outbox) distrust(out *outcome) {
	const why = "too many phones were said to be gone at once: wrong project?"
	var kept []target
	for _, p := range out.gone {
		l := o.channels[p.Transport].lane(p.Address)
		since, wrong := l.massDeath()
		if !wrong {
			kept = append(kept, p)
			continue
		}
		l.pause(o.Now().Add(configRest), why, true)
		out.stuck = append(out.stuck, failed{phone: p, why: why})
		if out.revive == nil {
			out.revive = map[string]time.Time{}
		}
		out.revive[p.Transport] = since
	}
	out.gone = kept
}

// cleaned is the error's text without the address, should a sender have let it
// slip.
func cleaned(err error, p target) string {
	if p.Address == "" {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), p.Address, "…")
}

// untried cuts off the end of a page that was not tried because its roads rest:
// it is for the next page, instead of a row for each of its phones.
func untried(phones []target, errs []error) int {
	n := len(phones)
	for n > 0 {
		var rests *resting
		if !errors.As(errs[n-1], &rests) {
			break
		}
		n--
	}
	return n
}

// settle writes what became of a page, in one transaction, and tells whether
// there are pages to come.
func (b *batch) settle(j *job, phones []target, errs []error, more bool) (bool, error) {
	o := b.outbox
	tried := untried(phones, errs)
	if tried == 0 {
		tried = len(phones)
	}
	cut := tried < len(phones)
	out := o.sortOut(phones[:tried], errs[:tried])
	if cut {
		out.rest = latest(out.rest, o.channels[phones[tried].Transport].lane(phones[tried].Address).restUntil())
	}
	b.adapt(out, tried, cut)
	alone := len(out.stuck) > 0 && len(out.stuck) == tried
	low := b.buckets.lowered()
	err := o.App.RunInTransaction(func(tx core.App) error {
		next := b.onward(j, phones[:tried], out, more)
		switch {
		case alone:
			// Nothing went: it is the road, not a phone. The whole delivery waits
			// where it is, instead of a row for each of its phones.
			next = b.again(j, out)
		case cut:
			next = step{state: waiting, lease: "@" + phones[tried-1].place(), nextAt: out.rest, reached: out.reached}
		}
		if err := j.write(tx, next); err != nil {
			return err
		}
		for road, since := range out.revive {
			if err := revive(tx, road, since); err != nil {
				return err
			}
		}
		if err := saveBuckets(tx, low); err != nil || alone {
			return err
		}
		return b.scatter(tx, j, out)
	})
	if err == nil {
		b.buckets.written(low)
	}
	return more && !alone && !cut, err
}

// adapt makes the next page larger when all went well, and smaller when a
// service was in trouble.
func (b *batch) adapt(out outcome, tried int, cut bool) {
	o := b.outbox
	size := o.window.Load()
	switch {
	case cut || len(out.stuck)*10 > tried:
		o.troubled.Store(true)
		o.window.Store(max(minWindow, size/2))
	case int64(tried) >= size && len(out.stuck)*20 <= tried:
		size = min(maxWindow, size*2)
		o.window.Store(size)
		if size == maxWindow {
			o.troubled.Store(false)
		}
	}
}

// pageOf is how many phones of a delivery of the class go in one page.
func (o *Outbox) pageOf(class commune.Class) int {
	if class == commune.Emergency && !o.troubled.Load() {
		return maxWindow
	}
	return int(o.window.Load())
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// again is the step of a delivery that is to be tried later, or given up.
func (b *batch) again(j *job, out outcome) step {
	s := step{state: waiting, lease: "@" + j.cursor(), attempt: j.Attempt + 1, err: out.stuck[0].why}
	if s.attempt > maxTries {
		s.state, s.lease = dead, ""
		return s
	}
	s.nextAt = b.outbox.nextTry(s.attempt, out.rest)
	if rules[j.Class].quiet {
		s.nextAt = afterQuiet(s.nextAt, j.Key)
	}
	if j.Expires > 0 && s.nextAt.Unix() > j.Expires {
		s.nextAt = time.Unix(j.Expires, 0) // to be called expired
	}
	return s
}

// onward is the step of a delivery whose page went.
func (b *batch) onward(j *job, phones []target, out outcome, more bool) step {
	s := step{state: done, reached: out.reached}
	one := j.Circle.Kind() == onePhone
	switch {
	case more:
		s.state = waiting
		s.lease, s.until = j.leaseAt(b.worker, phones[len(phones)-1].place()), b.outbox.Now().Add(leaseTime)
	case one && len(out.refused) > 0:
		s.state, s.attempt, s.err = dead, j.Attempt, out.refused[0].why
	case one && len(out.suspect) > 0:
		s.state, s.attempt, s.err = dead, j.Attempt, out.suspect[0].why
	case one && len(out.held) > 0:
		s.state, s.attempt, s.nextAt = waiting, j.Attempt, out.held[0].until
	}
	return s
}

// scatter writes what concerns single phones.
func (b *batch) scatter(tx core.App, j *job, out outcome) error {
	now := b.outbox.Now()
	for _, p := range out.gone {
		if err := mark(tx, p, "gone", now); err != nil {
			return err
		}
	}
	for _, p := range out.well {
		if err := mark(tx, p, "ok", now); err != nil {
			return err
		}
	}
	for _, f := range out.suspect {
		if err := mark(tx, f.phone, "suspect", now); err != nil {
			return err
		}
	}
	if j.Circle.Kind() != onePhone {
		for _, f := range out.refused {
			if err := leave(tx, j, f.phone.ID, dead, f.why, 1, time.Time{}); err != nil {
				return err
			}
		}
		for _, f := range out.stuck {
			if err := leave(tx, j, f.phone.ID, waiting, f.why, 1, b.outbox.nextTry(1, f.until)); err != nil {
				return err
			}
		}
		for _, f := range out.held {
			if err := leave(tx, j, f.phone.ID, waiting, "", 0, f.until); err != nil {
				return err
			}
		}
	}
	return nil
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
