package commune

import (
	"time"

	"github.com/pocketbase/pocketbase/tools/types"
)

// Zone is the commune's time, all year round. A fixed offset needs no zone
// file on the machine: Việt Nam has had +07:00 since 1975.
var Zone = time.FixedZone("+07", 7*60*60)

// Day writes the commune's calendar day of t: 2026-11-24.
func Day(t time.Time) string { return t.In(Zone).Format(time.DateOnly) }

// ParseDay returns the first moment of a day written 2026-11-24; ok is false
// for anything else and for days that no calendar has.
func ParseDay(s string) (start time.Time, ok bool) {
	t, err := time.ParseInLocation(time.DateOnly, s, Zone)
	return t, err == nil
}

// Moment writes t as PocketBase writes dates, 2026-11-24 06:10:00.000Z: the
// form of every text field that holds a moment.
func Moment(t time.Time) string { return t.UTC().Format(types.DefaultDateLayout) }
