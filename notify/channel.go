package notify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// configRest is how long a road rests that is set up wrongly, before one
// wake-up is tried to see whether somebody has repaired it.
const configRest = 15 * time.Minute

// A road that is not known to be well is tried by one wake-up at a time. After
// so many that failed in a row it rests for shortRest: one phone's own trouble
// does not stop the road, and a dead network costs no more than three of them.
const (
	strikes   = 3
	shortRest = 2 * time.Second
)

// channel is a sender and what is known about its service just now. It lives in
// memory: a restart tries afresh.
type channel struct {
	sender Sender

	mu      sync.Mutex
	until   time.Time // nothing is sent before
	why     string    // why not; "" when the road is well
	stopped bool      // by a [Config]: somebody must repair the settings
	proved  bool      // the service has answered since the start
	failed  int       // strikes so far

	// one is held by the only wake-up that is under way on a road that is not
	// known to be well; the others wait for what it learns. So the first of all
	// also opens the connection that the others share.
	one sync.Mutex
}

// resting is the error of a wake-up that was not tried.
type resting struct{ why string }

func (e *resting) Error() string { return "road rests: " + e.why }

// off tells why the sender cannot work at all; "" when it can.
func (c *channel) off() string {
	if m, ok := c.sender.(maybeOff); ok {
		return m.Off()
	}
	return ""
}

// send hands the wake-up to the sender, unless the road rests. At the start and
// after a rest one goes alone, and the others only if the service answered it.
func (c *channel) send(ctx context.Context, d Delivery, now func() time.Time) error {
	if !c.well() {
		c.one.Lock()
		if c.well() {
			c.one.Unlock()
		} else {
			defer c.one.Unlock()
		}
	}
	if err := c.rest(now()); err != nil {
		return err
	}
	sending, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	err := c.sender.Send(sending, d)
	if ctx.Err() == nil {
		c.learn(now(), err)
	}
	return err
}

func (c *channel) well() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why == "" && c.proved
}

func (c *channel) rest(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.until) {
		return &resting{c.why}
	}
	return nil
}

// learn takes from one answer what it says about the whole road.
func (c *channel) learn(now time.Time, err error) {
	var later *Later
	var config *Config
	switch {
	case errors.As(err, &config):
		c.pause(now.Add(configRest), config.Why, true)
	case errors.As(err, &later):
		if later.After > 0 {
			c.pause(now.Add(later.After), later.Why, false)
		} else {
			c.strike(now, later.Why)
		}
	default: // the service answered us, whatever it thinks of the phone
		c.recover(now)
	}
}

// pause lets the road rest at least until then.
func (c *channel) pause(until time.Time, why string, stopped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if until.After(c.until) {
		c.until = until
	}
	c.why, c.stopped = why, c.stopped || stopped
}

// strike counts a failure on a road that is not known to be well.
func (c *channel) strike(now time.Time, why string) {
	if c.well() {
		return
	}
	c.mu.Lock()
	c.failed++
	out := c.failed >= strikes
	if out {
		c.failed = 0
	}
	c.mu.Unlock()
	if out {
		c.pause(now.Add(shortRest), why, false)
	}
}

// recover declares the road well; a late answer to an older wake-up does not end
// a rest.
func (c *channel) recover(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !now.Before(c.until) {
		c.until, c.why, c.stopped, c.proved, c.failed = time.Time{}, "", false, true, 0
	}
}

// restUntil is when the road may be used again; the zero time when it may now.
func (c *channel) restUntil() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.until
}

// status tells officers how the road is.
func (c *channel) status(now time.Time) ChannelStatus {
	s := ChannelStatus{Name: c.sender.Name(), On: true}
	if why := c.off(); why != "" {
		s.On, s.Why = false, why
		return s
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Why, s.Alarm = c.why, c.stopped
	if now.Before(c.until) {
		s.On, s.Until = false, c.until
		s.Why = fmt.Sprintf("%s; tries again at %s", c.why, c.until.UTC().Format(time.RFC3339))
	}
	return s
}
