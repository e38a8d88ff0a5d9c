package notify

import (
	"context"
	"sync"
)

// crew are the goroutines by which a batch sends. They are used again and again:
// one started anew for each wake-up would grow its stack each time, which costs as
// much as the sending.
type crew struct {
	most int
	work chan func()
	all  sync.WaitGroup

	mu sync.Mutex
	n  int
}

func newCrew(most int) *crew { return &crew{most: most, work: make(chan func())} }

// do has one of the crew do the work; it waits while all are busy. It returns
// false, with nothing done, when ctx ends before.
func (c *crew) do(ctx context.Context, work func()) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case c.work <- work:
		return true
	default:
	}
	if c.hire() {
		c.all.Go(func() {
			work()
			for w := range c.work {
				w()
			}
		})
		return true
	}
	select {
	case c.work <- work:
		return true
	case <-ctx.Done():
		return false
	}
}

// hire tells whether there may be one more.
func (c *crew) hire() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n >= c.most {
		return false
	}
	c.n++
	return true
}

// dismiss ends the crew once all work is done. Nothing may be given to it after.
func (c *crew) dismiss() {
	close(c.work)
	c.all.Wait()
}
