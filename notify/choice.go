package notify

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// choice is what a person chose, as it stands in notice_choices; empty texts
// are no choice. It is checked where it is written, and what cannot be read
// here is no choice either.
type choice struct {
	QuietFrom, QuietTo, Digest, Off string
}

// chosen is what the people of a circle chose: few do, so all of it is read at once,
// and again when it is no longer new. To look it up beside each phone costs more
// than to read the phone. Persons are known by a hash, as of a million a name each
// would be much, and equal choices are one.
type chosen struct {
	at   time.Time
	seed maphash.Seed
	by   map[uint64]*choice
}

// newChoices is how long what was read of choices is used.
const newChoices = time.Minute

func (c *chosen) of(person string) *choice { return c.by[maphash.String(c.seed, person)] }

// read reads the choices of a circle's people, unless it has, just now.
func (c *chosen) read(app core.App, circle commune.Circle, now time.Time) error {
	if c.by != nil && now.Sub(c.at).Abs() <= newChoices {
		return nil
	}
	in, known := people[circle.Kind()]
	if !known {
		return &unknownCircle{circle.Kind()}
	}
	if circle.Kind() != "commune" {
		in = `c.person IN (SELECT person FROM phones p WHERE ` + in + `)`
	}
	rows, err := app.ConcurrentDB().NewQuery(`SELECT concat_ws('|', c.person, c.quiet_from, c.quiet_to, c.digest, c.off)
		FROM notice_choices c WHERE ` + in).Bind(params{"name": circle.Name(), "today": commune.Day(now)}).Rows()
	if err != nil {
		return fmt.Errorf("read choices: %w", err)
	}
	defer rows.Close()
	c.at, c.seed, c.by = now, maphash.MakeSeed(), map[uint64]*choice{}
	same := map[string]*choice{}
	var text string
	for rows.Next() {
		if err := rows.Rows.Scan(&text); err != nil {
			return fmt.Errorf("read a choice: %w", err)
		}
		person, what, _ := strings.Cut(text, "|")
		if same[what] == nil {
			if part := strings.SplitN(what, "|", 4); len(part) == 4 {
				same[what] = &choice{part[0], part[1], part[2], part[3]}
			}
		}
		if same[what] != nil {
			c.by[maphash.String(c.seed, person)] = same[what]
		}
	}
	if err := rows.Err(); err != nil {
		c.by = nil
		return fmt.Errorf("read choices: %w", err)
	}
	return nil
}

// chooses tells whether a person's choice has a say in such a notice at all.
func chooses(class commune.Class, kind string) bool {
	return rules[class].quiet || class > commune.Needed && kind != ""
}

// mutes tells whether the person does not want to be called for such a kind.
// What presses is called for all the same.
func (c *choice) mutes(class commune.Class, kind string) bool {
	return c != nil && class > commune.Needed && kind != "" && slices.Contains(strings.Fields(c.Off), kind)
}

// holdUntil is when the person may be woken for a notice of the class: now, or
// the end of their own quiet hours, or the hour of their digest.
func (c *choice) holdUntil(class commune.Class, now time.Time) time.Time {
	if c == nil || !rules[class].quiet {
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
