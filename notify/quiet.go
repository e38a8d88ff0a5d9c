package notify

import (
	"time"

	"langso/commune"
)

// The quiet hours of the commune, when only urgent notices wake a phone: from
// 21:00 (included) to 06:00 (excluded), in the commune's own time.
const (
	quietFrom = 21
	quietTo   = 6
)

// morningSpread is how far past 06:00 what waited for the night is spread, so
// that not every phone meets the server in the same second.
const morningSpread = 10 * time.Minute

// holdSpread is the same for what waited until an hour that a person chose.
const holdSpread = 10 * time.Minute

func quiet(t time.Time) bool {
	h := t.In(commune.Zone).Hour()
	return h >= quietFrom || h < quietTo
}

// afterQuiet returns t, or when that is in the quiet hours a moment of the next
// morning, which is always the same for the same key.
func afterQuiet(t time.Time, key string) time.Time {
	if !quiet(t) {
		return t
	}
	local := t.In(commune.Zone)
	morning := time.Date(local.Year(), local.Month(), local.Day(), quietTo, 0, 0, 0, commune.Zone)
	if local.Hour() >= quietFrom {
		morning = morning.AddDate(0, 0, 1)
	}
	return morning.Add(within(key, morningSpread))
}
