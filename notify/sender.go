package notify

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"langso/commune"
)

// Sender is a road to people: one service that wakes their phones, or carries
// a text to their number. Implementations live in folders of their own
// (notify/fcm), which alone know their service.
type Sender interface {
	// Name is the road: for a road that wakes phones as they name it when they
	// register ("fcm", "webpush"), for the road of texts "sms".
	Name() string
	// Send hands one delivery to the service, once: trying again is the outbox's
	// affair. Its error is a *[Dead], *[Suspect], *[Later] or *[Config], or any
	// other, which means that this delivery will never do though the address is
	// well. It is called from many goroutines at once. No error holds an address
	// or a key of the service.
	Send(ctx context.Context, d Delivery) error
}

// A sender that also has this method can say that it has nothing to work with.
type maybeOff interface {
	// Off says in English why the road is off; "" when it is on.
	Off() string
}

// A sender that also has this method can say that somebody should look, though
// it works.
type maybeAlarmed interface {
	// Alarm says in English, without secrets, what is the matter; "" when nothing is.
	Alarm() string
}

// A sender that also has this method reaches not one service but several (each
// maker of browsers has a push service of its own). What one of them asks for or
// refuses says nothing of the others, so rests and alarms are kept a lane.
type maybeLanes interface {
	// Lane names the service that an address belongs to, without secrets: the
	// host of an endpoint.
	Lane(address string) string
}

// A sender that also has this method may be used no more often: each of its services,
// if it has lanes.
type maybeLimited interface {
	// PerMinute is the most deliveries to one service in a minute; 0: no limit of ours.
	PerMinute() int
}

// Delivery is one wake-up of one phone, or one text to one number.
type Delivery struct {
	Phone   string // id of the phone; "" for a text
	Address string // where its service finds it, or the number in the form +84912345678: a secret

	Class  commune.Class // how much it presses; never the zero Class
	Urgent bool          // Class.Shown: somebody should look now

	// Tag is the same for wake-ups that are about one and the same, so that a phone that
	// hears twice shows once. It is a hash and says nothing. "" when nothing is to be shown.
	Tag string
	// Life is how long the service may keep trying; zero: as long as it can.
	Life time.Duration
	// Spread is over how long the phones that are woken together should spread
	// their exchanges: each waits a random part of it.
	Spread time.Duration

	// Text is what a text says: without diacritics, one part, no content. ""
	// for a wake-up.
	Text string
	// Key is the same at every try of the same text: an idempotency key, and what
	// a delivery report may name. "" for a wake-up, which may be repeated.
	Key string
}

// Dead says that the address is gone for good: the app was removed, or the
// service gave the phone another one. The phone stays, its address rests until
// it registers again.
type Dead struct{ Why string }

func (e *Dead) Error() string { return "address gone: " + e.Why }

// Suspect says that the service does not take this address, and that the fault
// may as well be in our settings (another project's address). The phone is marked
// for officers to see and tried as before: no address is ever lost by it.
type Suspect struct{ Why string }

func (e *Suspect) Error() string { return "address suspect: " + e.Why }

// Later says that the service may take the wake-up another time.
type Later struct {
	// After is how long the service asks to be left alone: the whole road rests
	// so long. Zero: it did not ask, only this wake-up is tried again.
	After time.Duration
	// Unsure: the service may have taken it all the same (the connection broke
	// after the request went). A wake-up is repeated, a text is not.
	Unsure bool
	Why    string
}

func (e *Later) Error() string { return "try later: " + e.Why }

// Config says that the service does not know us: a wrong project, a revoked
// key. It says nothing about any phone.
type Config struct{ Why string }

func (e *Config) Error() string { return "road is set up wrongly: " + e.Why }

// RetryAfter reads the header of that name, in seconds or as a date; 0 when it
// is absent, past or unreadable, and never more than a week.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	const most = 7 * 24 * time.Hour
	text := h.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil {
		return max(0, time.Duration(min(n, int(most/time.Second)))*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(most, max(0, at.Sub(now)))
	}
	return 0
}
