package server

import (
	"maps"
	"sync"
	"time"
)

// compared remembers which phones were comparing lately. One comparison takes
// several exchanges, and more when the road breaks, and yet is one mismatch and one
// repair; and what a change of the history explains is neither.
type compared struct {
	mu     sync.Mutex
	phones map[string]*comparison
}

// comparison is what was counted of a phone since it began.
type comparison struct {
	begun              time.Time
	mismatch, repaired bool
}

// oneComparison is how long the exchanges of one phone are the same comparison.
const oneComparison = 10 * time.Minute

// round is what one exchange says of a comparison.
type round struct {
	excused bool // the history is another: of course they differ
	differs bool // the phone's sums are not the server's
	listed  bool // the phone looks for single records
}

// note tells whether this exchange is the first of its comparison in which the
// phone differed, and in which it looked for single records.
func (c *compared) note(phone string, r round, now time.Time) (mismatch, repaired bool) {
	if r == (round{}) {
		return false, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phones == nil {
		c.phones = map[string]*comparison{}
	}
	is := c.phones[phone]
	if is == nil || now.Sub(is.begun) >= oneComparison {
		is = &comparison{begun: now}
		c.phones[phone] = is
	}
	if r.excused {
		*is = comparison{begun: now, mismatch: true, repaired: true}
	}
	mismatch, repaired = r.differs && !is.mismatch, r.listed && !is.repaired
	is.mismatch, is.repaired = is.mismatch || r.differs, is.repaired || r.listed
	return mismatch, repaired
}

// forget drops comparisons that are over.
func (c *compared) forget(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.phones, func(_ string, is *comparison) bool { return now.Sub(is.begun) >= oneComparison })
}
