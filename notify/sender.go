package notify

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// Sender is a road to phones: one service that wakes them. Implementations
// live in folders of their own (notify/fcm), which alone know their service.
type Sender interface {
	// Name is the road as phones name it when they register: "fcm".
	Name() string
	// Send hands one wake-up to the service, once: trying again is the outbox's
	// affair. Its error is a *[Dead], *[Later] or *[Config], or any other, which
	// means that this wake-up will never do though the phone is well. It is called from many
	// goroutines at once. No error holds an address or a key of the service.
	Send(ctx context.Context, d Delivery) error
}

// A sender that also has this method can say that it has nothing to work with.
type maybeOff interface {
	// Off says in English why the road is off; "" when it is on.
	Off() string
}

// Delivery is one wake-up of one phone.
type Delivery struct {
	Phone   string // id of the phone
	Address string // where its service finds it: a secret
	Urgent  bool   // somebody should look now
}

// Dead says that the address is gone for good: the app was removed, or the
// service gave the phone another one. The phone stays, its address rests until
// it registers again.
type Dead struct{ Why string }

func (e *Dead) Error() string { return "address gone: " + e.Why }

// Later says that the service may take the wake-up another time.
type Later struct {
	// After is how long the service asks to be left alone: the whole road rests
	// so long. Zero: it did not ask, only this wake-up is tried again.
	After time.Duration
	Why   string
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
