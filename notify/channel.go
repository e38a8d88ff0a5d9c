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

// channel is a sender with its lanes.
type channel struct {
	sender Sender

	mu    sync.Mutex
	lanes map[string]*lane
}

func newChannel(s Sender) *channel {
	return &channel{sender: s, lanes: map[string]*lane{}}
}

// lane is the part of the road that the address is reached by.
func (c *channel) lane(address string) *lane {
	name := ""
	if m, ok := c.sender.(maybeLanes); ok {
		name = m.Lane(address)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lanes[name]
	if l == nil {
		l = &lane{name: name, one: make(chan struct{}, 1)}
		if m, ok := c.sender.(maybeLimited); ok {
			l.limit.perMinute = m.PerMinute()
		}
		c.lanes[name] = l
	}
	return l
}

// send hands the delivery to the sender, unless its lane rests.
func (c *channel) send(ctx context.Context, d Delivery, now func() time.Time) error {
	l := c.lane(d.Address)
	if err := l.limit.wait(ctx, now); err != nil {
		return err
	}
	return l.send(ctx, c.sender, d, now)
}

// lane is one service and what is known about it just now. It lives in memory: a
// restart tries afresh.
type lane struct {
	name  string
	limit limit

	mu      sync.Mutex
	until   time.Time // nothing is sent before
	why     string    // why not; "" when the road is well
	stopped bool      // by a [Config]: somebody must repair the settings
	asked   bool      // by the service itself, to be left alone so long
	proved  bool      // the service has answered since the start
	failed  int       // strikes so far

	// What was answered in the running minute, to tell phones that are gone from
	// a project that is wrong.
	minute        time.Time
	answers, dead int

	// one is held by the only wake-up that is under way on a road that is not
	// known to be well; the others wait for what it learns. So the first of all
	// also opens the connection that the others share.
	one chan struct{}
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

// send hands the wake-up to the sender, unless the lane rests. At the start and
// after a rest one goes alone, and the others only if the service answered it.
func (c *lane) send(ctx context.Context, s Sender, d Delivery, now func() time.Time) error {
	if !c.well() {
		select {
		case c.one <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		if c.well() {
			<-c.one
		} else {
			defer func() { <-c.one }()
		}
	}
	if err := c.rest(now()); err != nil {
		return err
	}
	sending, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	err := s.Send(sending, d)
	if ctx.Err() == nil {
		c.learn(now(), err)
	}
	return err
}

func (c *lane) well() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why == "" && c.proved
}

func (c *lane) rest(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.until) {
		return &resting{c.why}
	}
	return nil
}

// learn takes from one answer what it says about the whole road.
func (c *lane) learn(now time.Time, err error) {
	var later *Later
	var config *Config
	var gone *Dead
	c.count(now, errors.As(err, &gone))
	switch {
	case errors.As(err, &config):
		c.pause(now.Add(configRest), config.Why, true)
	case errors.As(err, &later):
		if later.After > 0 {
			c.pause(now.Add(later.After), later.Why, false)
			c.mu.Lock()
			c.asked = true
			c.mu.Unlock()
		} else {
			c.strike(now, later.Why)
		}
	default: // the service answered us, whatever it thinks of the phone
		c.recover(now)
	}
}

// pause lets the road rest at least until then.
func (c *lane) pause(until time.Time, why string, stopped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if until.After(c.until) {
		c.until = until
	}
	c.why, c.stopped, c.asked = why, c.stopped || stopped, false
}

// strike counts a failure on a road that is not known to be well.
func (c *lane) strike(now time.Time, why string) {
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
func (c *lane) recover(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !now.Before(c.until) {
		c.until, c.why, c.stopped, c.proved, c.failed = time.Time{}, "", false, true, 0
	}
}

// restUntil is when the road may be used again; the zero time when it may now.
func (c *lane) restUntil() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.until
}

// count keeps the tally of the minute.
func (c *lane) count(now time.Time, gone bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.minute) >= time.Minute {
		c.minute, c.answers, c.dead = now, 0, 0
	}
	c.answers++
	if gone {
		c.dead++
	}
}

// massDeath tells since when more phones were said to be gone than can be true.
func (c *lane) massDeath() (since time.Time, yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.minute, c.dead >= massDeath && c.dead*100 > c.answers*massShare
}

// askedFor is how much longer the service asked to be left alone; 0 when it did
// not ask.
func (c *lane) askedFor(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.asked {
		return 0
	}
	return c.until.Sub(now)
}

// status tells officers how the road is: as its worst lane.
func (c *channel) status(now time.Time) ChannelStatus {
	s := ChannelStatus{Name: c.sender.Name(), On: true}
	if why := c.off(); why != "" {
		s.On, s.Why = false, why
		return s
	}
	if m, ok := c.sender.(maybeAlarmed); ok {
		s.Why = m.Alarm()
		s.Alarm = s.Why != ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lanes {
		l.tell(&s, now)
	}
	return s
}

func (c *lane) tell(s *ChannelStatus, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == "" || s.Alarm && !c.stopped {
		return
	}
	why := c.why
	if c.name != "" {
		why = c.name + ": " + why
	}
	s.Why, s.Alarm = why, c.stopped
	if now.Before(c.until) {
		s.On, s.Until = false, c.until
		s.Why = fmt.Sprintf("%s; tries again at %s", why, c.until.UTC().Format(time.RFC3339))
	}
}

// limit is a bucket of what a lane may carry in a minute; the zero value has no
// limit.
type limit struct {
	perMinute int

	mu   sync.Mutex
	have float64
	at   time.Time
}

// left is how many may go now, and when the next may.
func (l *limit) left(now time.Time) (n int, next time.Time) {
	if l.perMinute <= 0 {
		return maxWindow, now
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fill(now)
	each := time.Minute / time.Duration(l.perMinute)
	return int(l.have), now.Add(time.Duration((1 - min(1, l.have)) * float64(each)))
}

func (l *limit) fill(now time.Time) {
	most := float64(max(1, l.perMinute/60)) // a second's worth at once
	if l.at.IsZero() {
		l.have = most
	} else if passed := now.Sub(l.at); passed > 0 {
		l.have = min(most, l.have+passed.Minutes()*float64(l.perMinute))
	}
	l.at = now
}

// wait takes one, when there is one. It waits no more than patience: who gets
// none is told to come later.
func (l *limit) wait(ctx context.Context, now func() time.Time) error {
	if l.perMinute <= 0 {
		return nil
	}
	const look = 50 * time.Millisecond
	for range patience / look {
		l.mu.Lock()
		l.fill(now())
		ok := l.have >= 1
		if ok {
			l.have--
		}
		l.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(look):
		}
	}
	return &resting{"our own limit a minute"}
}
