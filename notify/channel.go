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

// channel is a sender and what is known about its service just now. It lives in
// memory: a restart tries afresh.
type channel struct {
	sender Sender

	mu      sync.Mutex
	until   time.Time // nothing is sent before
	why     string    // why not; "" when the road is well
	stopped bool      // by a [Config]: somebody must repair the settings

	// one is held by the only wake-up that is under way on a road that was
	// not well a moment ago; the others wait for what it learns.
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

// send hands the wake-up to the sender, unless the road rests. After a rest
// one wake-up goes alone, and the others only if it did not end the same way.
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
	err := c.sender.Send(ctx, d)
	if ctx.Err() == nil {
		c.learn(now(), err)
	}
	return err
}

func (c *channel) well() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why == ""
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

// recover declares the road well; a late answer to an older wake-up does not end
// a rest.
func (c *channel) recover(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !now.Before(c.until) {
		c.until, c.why, c.stopped = time.Time{}, "", false
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
