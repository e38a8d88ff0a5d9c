package notify

import (
	"hash/fnv"
	"time"

	"langso/commune"
)

// rule is what a class of notices asks of the outbox.
type rule struct {
	debounce time.Duration // waits so long for others of the same kind
	quiet    bool          // the night holds it
	text     time.Duration // unheard for so long: a text; 0: never
	errand   time.Duration // unheard for so long: an errand for the village head
}

// rules are by class. An emergency is heard at any hour; a text goes to whoever
// has agreed, except in an emergency, which asks nobody.
var rules = map[commune.Class]rule{
	commune.Emergency:   {text: 10 * time.Minute, errand: 30 * time.Minute},
	commune.Needed:      {debounce: 2 * time.Second, quiet: true, text: 4 * time.Hour, errand: 24 * time.Hour},
	commune.Information: {debounce: 30 * time.Second, quiet: true},
	commune.DataOnly:    {debounce: 10 * time.Second},
}

// wide are the kinds of circles that may hold the whole commune: their
// deliveries keep off the minutes at which everybody's jobs start.
var wide = map[string]bool{"commune": true, "village": true}

// firstTry is when a notice of the class may wake phones. One that would be
// over by the morning does not wait for it.
func firstTry(class commune.Class, to commune.Circle, key string, now, expires time.Time) time.Time {
	r := rules[class]
	at := now.Add(r.debounce)
	if class > commune.Needed && wide[to.Kind()] {
		at = offPeak(at, key)
	}
	if r.quiet {
		if later := afterQuiet(at, key); expires.IsZero() || later.Before(expires) {
			at = later
		}
	}
	return at
}

// offPeak moves a moment in the minutes 0, 15, 30 and 45 into the minute after:
// at those every job of the country starts.
func offPeak(t time.Time, key string) time.Time {
	if t.Minute()%15 != 0 {
		return t
	}
	return t.Truncate(time.Minute).Add(time.Minute + within(key, time.Minute))
}

// within is a duration in [0, d) that is always the same for the same key.
func within(key string, d time.Duration) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(key))
	return time.Duration(h.Sum32()%uint32(d/time.Second)) * time.Second
}

// As many phones a second as the server meets beside its other work, and how
// long the last of a very large crowd is kept from it.
const (
	metPerSecond = 200
	mostSpread   = 30 * time.Minute
	// More phones than these are spread no wider: counting them would be for nothing.
	mostCounted = metPerSecond * int(mostSpread/time.Second)
)

// spread is over how long so many phones that are woken together should meet the
// server.
func spread(phones int) time.Duration {
	return min(mostSpread, time.Duration((phones+metPerSecond-1)/metPerSecond)*time.Second)
}
