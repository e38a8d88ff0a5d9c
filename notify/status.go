package notify

import (
	"fmt"
	"sort"
	"sync/atomic"
	"time"
)

// Status is what officers see of the outbox.
type Status struct {
	Channels []ChannelStatus `json:"channels"`
	Waiting  int             `json:"waiting"` // wake-ups to come, single phones included
	Texts    int             `json:"texts"`   // texts to come
	Errands  int             `json:"errands"` // open errands of village heads
	Dead     int             `json:"dead"`    // given up; an officer may set them to waiting again
	// Oldest is how long the oldest due delivery has been due; 0: none is. More
	// than a minute means that the outbox is not keeping up or not running.
	Oldest time.Duration `json:"oldest"`
	// Gone counts the phones whose address is no longer good; they get their
	// notices when they sync, and wake-ups again once they register.
	Gone int `json:"gone"`
}

// ChannelStatus is one road to phones.
type ChannelStatus struct {
	Name  string    `json:"name"`
	On    bool      `json:"on"`
	Why   string    `json:"why,omitempty"`   // why it is off or resting, in English, without secrets
	Alarm bool      `json:"alarm,omitempty"` // somebody must repair the settings; no phone was lost
	Until time.Time `json:"until,omitzero"`  // resting until then
}

// Status counts what waits and what failed, and says how the roads are.
func (o *Outbox) Status() (Status, error) {
	o.setup()
	now := o.Now()
	var s Status
	var oldest int64
	err := o.App.ConcurrentDB().NewQuery(`SELECT
		(SELECT count(*) FROM deliveries WHERE state = 'waiting' AND rung NOT IN ('sms', 'task')),
		(SELECT count(*) FROM deliveries WHERE state = 'dead'),
		(SELECT ifnull(min(next_at), 0) FROM deliveries WHERE state = 'waiting' AND next_at <= {:now}),
		(SELECT count(*) FROM phones WHERE address_state = 'gone'),
		(SELECT count(*) FROM notice_rungs WHERE state = 'waiting'),
		(SELECT count(*) FROM errands WHERE state = 'open')`).
		Bind(params{"now": now.Unix()}).Row(&s.Waiting, &s.Dead, &oldest, &s.Gone, &s.Texts, &s.Errands)
	if err != nil {
		return Status{}, fmt.Errorf("count deliveries: %w", err)
	}
	if oldest > 0 {
		s.Oldest = now.Sub(time.Unix(oldest, 0))
	}
	for _, c := range o.channels {
		s.Channels = append(s.Channels, c.status(now))
	}
	sort.Slice(s.Channels, func(i, j int) bool { return s.Channels[i].Name < s.Channels[j].Name })
	return s, nil
}

// tally is what fan-outs cost the database since the start.
type tally struct{ pages, database atomic.Int64 }

func (t *tally) spent(begun time.Time) { t.database.Add(int64(time.Since(begun))) }

// Cost is how many pages of phones were sent and written since the start, and how
// long the database took to count, read and write them. No network is in it: the
// database is never held during a call.
func (o *Outbox) Cost() (pages int, database time.Duration) {
	return int(o.tally.pages.Load()), time.Duration(o.tally.database.Load())
}
