package notify

import (
	"slices"
	"strings"
	"time"

	"langso/commune"
)

// choice is what a person chose, as it stands in notice_choices; empty texts
// are no choice. It is checked where it is written, and what cannot be read
// here is no choice either.
type choice struct {
	QuietFrom, QuietTo, Digest, Off string
}

// chooses tells whether a person's choice has a say in such a notice at all.
func chooses(class commune.Class, kind string) bool {
	return rules[class].quiet || class > commune.Needed && kind != ""
}

// mutes tells whether the person does not want to be called for such a kind.
// What presses is called for all the same.
func (c choice) mutes(class commune.Class, kind string) bool {
	return class > commune.Needed && kind != "" && slices.Contains(strings.Fields(c.Off), kind)
}

// holdUntil is when the person may be woken for a notice of the class: now, or
// the end of their own quiet hours, or the hour of their digest.
func (c choice) holdUntil(class commune.Class, now time.Time) time.Time {
	if !rules[class].quiet {
		return now
	}
	at := now
	if class == commune.Information {
		if digest, ok := clockTime(c.Digest); ok {
			at = nextAt(at, digest)
		}
	}
	from, ok1 := clockTime(c.QuietFrom)
	to, ok2 := clockTime(c.QuietTo)
	if ok1 && ok2 && from != to && inside(sinceMidnight(at), from, to) {
		at = nextAt(at, to)
	}
	return at
}

// clockTime reads an hour written 21:00 as a time since midnight.
func clockTime(s string) (time.Duration, bool) {
	t, err := time.Parse("15:04", s)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err == nil
}

// inside tells whether t is in [from, to), which may span midnight.
func inside(t, from, to time.Duration) bool {
	if from < to {
		return t >= from && t < to
	}
	return t >= from || t < to
}

func sinceMidnight(t time.Time) time.Duration {
	local := t.In(commune.Zone)
	return time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
}

// nextAt is the next moment at which the commune's clocks show the hour: t
// itself when they do now.
func nextAt(t time.Time, hour time.Duration) time.Time {
	local := t.In(commune.Zone)
	at := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, commune.Zone).Add(hour)
	if at.Before(t.Truncate(time.Minute)) {
		at = at.AddDate(0, 0, 1)
	}
	if at.Before(t) {
		return t
	}
	return at
}
