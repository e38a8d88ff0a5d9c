package notify

import (
	"sync"
	"time"

	"langso/commune"
)

// How often in an hour one person may have others look at their phones: at those of
// one circle, and in all. Beyond, what they raise is in the inbox as ever and
// phones sync for it, but none is made to show it: an order, a message, a step is
// never refused for it, and nobody is called all evening by one neighbour.
const (
	callsToOne = 6
	callsToAll = 120 // an officer who works through a morning's dossiers
)

// callers counts, in memory: after a restart everybody begins anew.
type callers struct {
	mu   sync.Mutex
	hour int64
	n    map[string]int
}

// Temper returns the notice as it may be raised for what this person wrote: beyond
// their hour's calls it no longer presses. Emergencies pass: they take a duty, and so
// does what a domain calls urgent without a class (a nurse's tenth patient in danger);
// notices to the writer's own circle pass and are not counted. by is "" for the
// server, which has no limit.
func (o *Outbox) Temper(by string, n commune.Notice, now time.Time) commune.Notice {
	class := n.Class.Or(n.Urgent)
	if by == "" || class != commune.Needed || n.To == commune.Named("person", by) {
		return n
	}
	o.callers.mu.Lock()
	defer o.callers.mu.Unlock()
	if hour := now.Unix() / 3600; hour != o.callers.hour || o.callers.n == nil {
		o.callers.hour, o.callers.n = hour, map[string]int{}
	}
	all, one := by, by+" "+string(n.To)
	if o.callers.n[all] >= callsToAll || o.callers.n[one] >= callsToOne {
		n.Class, n.Urgent = commune.Information, false
		return n
	}
	o.callers.n[all]++
	o.callers.n[one]++
	return n
}
