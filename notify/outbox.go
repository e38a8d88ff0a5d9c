package notify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"langso/commune"
)

// How the outbox works through what is due.
const (
	scanEvery   = time.Second      // a lost poke is late by no more
	batchSize   = 100              // deliveries leased at a time
	jobsAtOnce  = 16               // of them under way at a time
	pageSize    = 200              // phones between two writes: what a crash may repeat
	sendsAtOnce = 100              // wake-ups under way at a time
	sendTime    = 15 * time.Second // one wake-up; three strikes and two rounds of a page stay within a lease
	keepDone    = 30 * 24 * time.Hour
	sweepEvery  = time.Hour
)

// Outbox sends what [Raise] wrote. Its fields are set before the first use and
// not changed after. Several outboxes, in one process or in many, may work on
// one database.
type Outbox struct {
	App     core.App
	Senders []Sender
	// Now is the server's clock; nil is time.Now.
	Now func() time.Time
	// Rand returns a random duration in [0, n); nil is the usual source.
	Rand func(n time.Duration) time.Duration

	once     sync.Once
	pokes    chan struct{}
	sends    chan struct{} // a token for each wake-up under way
	channels map[string]*channel
}

func (o *Outbox) setup() {
	o.once.Do(func() {
		if o.Now == nil {
			o.Now = time.Now
		}
		if o.Rand == nil {
			o.Rand = func(n time.Duration) time.Duration { return rand.N(max(n, 1)) }
		}
		o.pokes = make(chan struct{}, 1)
		o.sends = make(chan struct{}, sendsAtOnce)
		o.channels = map[string]*channel{}
		for _, s := range o.Senders {
			o.channels[s.Name()] = &channel{sender: s}
		}
	})
}

// Poke tells a running outbox that something may be due. It never blocks.
func (o *Outbox) Poke() {
	o.setup()
	select {
	case o.pokes <- struct{}{}:
	default:
	}
}

// Run sends what is due, at once when a delivery is written and within a
// second in any case, until ctx ends or the app terminates; then it gives its
// leases back, before the app closes its database. Trouble is logged and tried
// again.
func (o *Outbox) Run(ctx context.Context) {
	o.setup()
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	defer close(ended)
	defer stop()
	last := o.App.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{
		Func: func(e *core.TerminateEvent) error { stop(); <-ended; return e.Next() },
	})
	defer o.App.OnTerminate().Unbind(last)
	written := o.App.OnRecordAfterCreateSuccess("deliveries").Bind(&hook.Handler[*core.RecordEvent]{
		Func: func(e *core.RecordEvent) error { o.Poke(); return e.Next() },
	})
	defer o.App.OnRecordAfterCreateSuccess("deliveries").Unbind(written)
	tick := time.NewTicker(scanEvery)
	defer tick.Stop()
	var swept time.Time
	for {
		if err := o.Pass(ctx); err != nil && ctx.Err() == nil {
			o.App.Logger().Error("outbox pass failed", "error", err)
		}
		if now := o.Now(); now.Sub(swept) >= sweepEvery {
			swept = now
			if err := sweep(o.App, now.Add(-keepDone)); err != nil {
				o.App.Logger().Error("outbox sweep failed", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-o.pokes:
		case <-tick.C:
		}
	}
}

// Pass sends all that is due now and returns. When ctx ends it stops between
// two wake-ups and gives the leases back; what was under way is sent again.
func (o *Outbox) Pass(ctx context.Context) error {
	o.setup()
	for ctx.Err() == nil {
		n, err := o.batch(ctx)
		if err != nil || n < batchSize {
			return err
		}
	}
	return ctx.Err()
}

// batch leases some deliveries and works through them. All of them were
// committed before the first wake-up goes, so one wake-up of a phone serves
// every one of them.
func (o *Outbox) batch(ctx context.Context) (int, error) {
	now := o.Now()
	if some, err := due(o.App, now); err != nil || !some {
		return 0, err
	}
	b := &batch{outbox: o, worker: newWorker(), claimed: map[string]bool{}}
	jobs, err := lease(o.App, b.worker, batchSize, now)
	if err != nil {
		return 0, err
	}
	errs := make([]error, len(jobs))
	turns := make(chan struct{}, jobsAtOnce)
	var all sync.WaitGroup
	for i, j := range jobs {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			if err := b.deliver(ctx, j); !errors.Is(err, errLost) {
				errs[i] = err
			}
		})
	}
	all.Wait()
	err = errors.Join(errs...)
	if err != nil || ctx.Err() != nil {
		err = errors.Join(err, release(o.App, b.worker))
	}
	return len(jobs), err
}

// roads names the senders that have something to work with.
func (o *Outbox) roads() []string {
	var names []string
	for name, c := range o.channels {
		if c.off() == "" {
			names = append(names, name)
		}
	}
	return names
}

// batch is some deliveries that are sent together.
type batch struct {
	outbox *Outbox
	worker string

	mu      sync.Mutex
	claimed map[string]bool // phones that a delivery of this batch wakes: urgently?
}

// claim tells whether the phone is the caller's to wake. Only the first to ask
// is told so, and the first urgent one after others that were not.
func (b *batch) claim(phone string, urgent bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if before, taken := b.claimed[phone]; taken && (before || !urgent) {
		return false
	}
	b.claimed[phone] = urgent
	return true
}

// deliver wakes the phones of one delivery, page by page.
func (b *batch) deliver(ctx context.Context, j *job) error {
	o := b.outbox
	if now := o.Now(); !j.Urgent && quiet(now) {
		return j.write(o.App, step{state: waiting, lease: "@" + j.cursor(), nextAt: afterQuiet(now, j.Key), attempt: j.Attempt})
	}
	for ctx.Err() == nil {
		phones, err := page(o.App, j.Circle, j.cursor(), o.roads(), pageSize, o.Now())
		var unknown *unknownCircle
		if errors.As(err, &unknown) {
			return j.write(o.App, step{state: dead, attempt: j.Attempt, err: unknown.Error()})
		}
		if err != nil {
			return err
		}
		out := b.wake(ctx, phones, j.Urgent)
		if ctx.Err() != nil {
			return nil // nobody knows what arrived: the page is sent again
		}
		more, err := b.settle(j, phones, out)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// wake sends a page and returns the error of each phone, in order. A phone that
// another delivery of the batch wakes counts as woken.
func (b *batch) wake(ctx context.Context, phones []target, urgent bool) []error {
	out := make([]error, len(phones))
	var all sync.WaitGroup
	for i, p := range phones {
		if !b.claim(p.ID, urgent) {
			continue
		}
		select {
		case b.outbox.sends <- struct{}{}:
		case <-ctx.Done():
			out[i] = ctx.Err()
			continue
		}
		all.Go(func() {
			defer func() { <-b.outbox.sends }()
			out[i] = b.outbox.wakeOne(ctx, p, urgent)
		})
	}
	all.Wait()
	return out
}

func (o *Outbox) wakeOne(ctx context.Context, p target, urgent bool) error {
	c := o.channels[p.Transport]
	if c == nil {
		return fmt.Errorf("no road %q", p.Transport)
	}
	return c.send(ctx, Delivery{Phone: p.ID, Address: p.Address, Urgent: urgent, Class: commune.Class(0).Or(urgent)}, o.Now)
}
