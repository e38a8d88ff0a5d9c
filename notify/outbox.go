package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"

	"langso/commune"
)

// A page is the phones between two writes: what a crash may repeat. It begins
// small, doubles while all goes well, and halves at trouble: so a service is
// never met by the whole commune at once, and a troubled one by fewer. An emergency
// begins with full pages while no trouble is known: what FCM asks of senders, to
// come to their full rate by degrees, is for loads of minutes, and 750 messages are
// the twelfth part of what it grants in a second. One wake-up goes before
// all others in any case.
const (
	minWindow = 100
	maxWindow = 750
)

// patience is how long a page waits for a service that asked to be left alone;
// longer, and the delivery is put aside.
const patience = 5 * time.Second

// How the outbox works through what is due.
const (
	scanEvery   = time.Second      // a lost poke is late by no more
	batchSize   = 100              // deliveries leased at a time
	jobsAtOnce  = 16               // of them under way at a time
	sendsAtOnce = 750              // wake-ups of a pace under way at a time: a whole page
	sendTime    = 15 * time.Second // one wake-up
	keepDone    = 30 * 24 * time.Hour
	keepGone    = 60 * 24 * time.Hour // addresses that are no good, for whoever repairs a project
	staleAfter  = 30 * 24 * time.Hour // a phone that did not sync for so long is woken for what presses alone
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

	// Heard, when set, tells at which number of the journal's order a notice
	// stands, in which epoch; 0 when it has none yet. It lets the outbox see
	// which phones have a notice: their cursor has passed it.
	Heard func(app core.App, notice string) (seq int64, epoch string, err error)
	// Live, when set, tells whether a phone listens to the server at this moment
	// and so learns of every change by itself: it gets no silent wake-up.
	Live func(phone string) bool
	// Link is the app's short address, with which texts end; "": none.
	Link string
	// Settle, when set, writes down how far phones have come, before the ladder
	// looks at it.
	Settle func() error

	once     sync.Once
	pokes    [2]chan struct{}
	channels map[string]*channel
	window   atomic.Int64
	troubled atomic.Bool // a page was in trouble since the window was full
	atOnce   int         // sends of a batch under way; 0: sendsAtOnce
	tally    tally

	opening sync.Mutex
	buckets *buckets
	alerts  alerts
	callers callers
}

func (o *Outbox) setup() {
	o.once.Do(func() {
		if o.Now == nil {
			o.Now = time.Now
		}
		if o.Rand == nil {
			o.Rand = func(n time.Duration) time.Duration { return rand.N(max(n, 1)) }
		}
		for i := range o.pokes {
			o.pokes[i] = make(chan struct{}, 1)
		}
		o.window.Store(minWindow)
		o.atOnce = cmp.Or(o.atOnce, sendsAtOnce)
		o.channels = map[string]*channel{}
		for _, s := range o.Senders {
			o.channels[s.Name()] = newChannel(s)
		}
	})
}

// Poke tells a running outbox that something may be due. It never blocks.
func (o *Outbox) Poke() {
	o.setup()
	for _, p := range o.pokes {
		select {
		case p <- struct{}{}:
		default:
		}
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
	var loops sync.WaitGroup
	for i, p := range []pace{pressing, leisured} {
		loops.Go(func() { o.loop(ctx, o.pokes[i], scanEvery, func() error { return o.work(ctx, p) }) })
	}
	loops.Go(func() { o.loop(ctx, nil, scanEvery, func() error { return o.climb(ctx) }) })
	loops.Go(func() { o.loop(ctx, nil, sweepEvery, o.sweep) })
	loops.Go(func() { o.loop(ctx, nil, time.Minute, o.closeErrands) })
	loops.Wait()
}

// loop does the work at once, at each poke, and in any case at each beat.
func (o *Outbox) loop(ctx context.Context, pokes <-chan struct{}, beat time.Duration, work func() error) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		if err := work(); err != nil && ctx.Err() == nil {
			o.App.Logger().Error("outbox pass failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-pokes:
		case <-tick.C:
		}
	}
}

func (o *Outbox) sweep() error {
	now := o.Now()
	b, err := o.open()
	if err != nil {
		return err
	}
	return errors.Join(sweep(o.App, now.Add(-keepDone)), sweepRungs(o.App, now.Add(-keepDone)), forget(o.App, now.Add(-keepGone)), b.sweep(o.App, now))
}

// open returns the buckets, read at the first use.
func (o *Outbox) open() (*buckets, error) {
	o.opening.Lock()
	defer o.opening.Unlock()
	if o.buckets == nil {
		b, err := openBuckets(o.App, o.Now())
		if err != nil {
			return nil, err
		}
		o.buckets = b
	}
	return o.buckets, nil
}

// Pass sends all that is due now and returns. When ctx ends it stops between
// two wake-ups and gives the leases back; what was under way is sent again.
func (o *Outbox) Pass(ctx context.Context) error {
	o.setup()
	return errors.Join(o.work(ctx, pressing), o.work(ctx, leisured), o.climb(ctx))
}

// work sends all of a pace that is due now.
func (o *Outbox) work(ctx context.Context, p pace) error {
	for ctx.Err() == nil {
		n, err := o.batch(ctx, p)
		if err != nil || n < batchSize {
			return err
		}
	}
	return nil
}

// batch leases some deliveries and works through them. All of them were
// committed before the first wake-up goes, so one wake-up of a phone serves
// every one of them.
func (o *Outbox) batch(ctx context.Context, p pace) (int, error) {
	now := o.Now()
	if some, err := due(o.App, p, now); err != nil || !some {
		return 0, err
	}
	buckets, err := o.open()
	if err != nil {
		return 0, err
	}
	b := &batch{outbox: o, worker: newWorker(), buckets: buckets, crew: newCrew(o.atOnce)}
	defer b.crew.dismiss()
	jobs, err := lease(o.App, p, b.worker, batchSize, now)
	if err != nil {
		return 0, err
	}
	if len(jobs) > 1 {
		b.claimed, b.seed = map[uint64]commune.Class{}, maphash.MakeSeed()
	}
	defer b.keep(ctx)()
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

// keep renews the batch's leases at every beat until the function it returns is
// called. A process that is paused or killed does not, and loses them.
func (b *batch) keep(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var beating sync.WaitGroup
	beating.Go(func() {
		tick := time.NewTicker(beat)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := renew(b.outbox.App, b.worker, b.outbox.Now()); err != nil {
				b.outbox.App.Logger().Warn("outbox could not renew its leases", "error", err)
			}
		}
	})
	return func() { cancel(); beating.Wait() }
}

// roads names the senders that wake phones and have something to work with.
func (o *Outbox) roads() []string {
	var names []string
	for name, c := range o.channels {
		if name != textRoad && c.off() == "" {
			names = append(names, name)
		}
	}
	return names
}

// batch is some deliveries that are sent together.
type batch struct {
	outbox  *Outbox
	worker  string
	buckets *buckets
	crew    *crew

	mu      sync.Mutex
	seed    maphash.Seed
	claimed map[uint64]commune.Class // phones, by a hash, that a delivery of this batch wakes: how pressingly; nil: it is alone
}

// claim tells whether the phone is the caller's to wake. Only the first to ask
// is told so, and the first whose notice presses after others that do not.
func (b *batch) claim(phone string, class commune.Class) bool {
	if b.claimed == nil {
		return true
	}
	key := maphash.String(b.seed, phone)
	b.mu.Lock()
	defer b.mu.Unlock()
	if before, taken := b.claimed[key]; taken && (before.Shown() || !class.Shown()) {
		return false
	}
	b.claimed[key] = class
	return true
}

// deliver does the work of one delivery, page by page.
func (b *batch) deliver(ctx context.Context, j *job) error {
	o := b.outbox
	switch now := o.Now(); {
	case j.over(now):
		return j.write(o.App, step{state: expired, attempt: j.Attempt})
	case j.Rung != pushRung && j.Rung != "push":
		return b.climb(ctx, j)
	case rules[j.Class].quiet && quiet(now):
		morning := afterQuiet(now, j.Key)
		if j.Expires == 0 || morning.Unix() < j.Expires {
			return j.write(o.App, step{state: waiting, lease: "@" + j.cursor(), nextAt: morning, attempt: j.Attempt})
		}
	}
	has, err := o.heard(j)
	if err != nil {
		return err
	}
	begun := time.Now()
	wide, err := b.spread(j)
	o.tally.spent(begun)
	if err != nil {
		return err
	}
	var next ahead
	for ctx.Err() == nil {
		begun := time.Now()
		phones, more, err := next.page(o, j, has)
		o.tally.spent(begun)
		var unknown *unknownCircle
		if errors.As(err, &unknown) {
			return j.write(o.App, step{state: dead, attempt: j.Attempt, err: unknown.Error()})
		}
		if err != nil {
			return err
		}
		out := b.wake(ctx, j, phones, wide)
		if ctx.Err() != nil {
			return nil // nobody knows what arrived: the page is sent again
		}
		begun = time.Now()
		more, err = b.settle(j, phones, out, more)
		o.tally.spent(begun)
		o.tally.pages.Add(1)
		if err != nil || !more {
			return err
		}
		if j.over(o.Now()) {
			return j.write(o.App, step{state: expired, attempt: j.Attempt})
		}
	}
	return nil
}

// heard asks where the delivery's notice stands in the order of changes.
func (o *Outbox) heard(j *job) (heard, error) {
	if o.Heard == nil || j.Notice == "" {
		return heard{}, nil
	}
	seq, epoch, err := o.Heard(o.App, j.Notice)
	if err != nil {
		return heard{}, fmt.Errorf("ask where a notice stands: %w", err)
	}
	return heard{seq, epoch}, nil
}

// spread is over how long the phones of the delivery are to meet the server.
func (b *batch) spread(j *job) (time.Duration, error) {
	if !wide[j.Circle.Kind()] {
		return 0, nil
	}
	n, err := reach(b.outbox.App, j.Circle, b.outbox.roads(), mostCounted, b.outbox.Now())
	return spread(n), err
}

// wake sends a page and returns what became of each phone, in order: nil when it
// was woken, by this delivery or another of the batch.
func (b *batch) wake(ctx context.Context, j *job, phones []target, wide time.Duration) []error {
	out := make([]error, len(phones))
	var all sync.WaitGroup
	for i, p := range phones {
		now := b.outbox.Now()
		d, err := b.plan(j, p, wide, now)
		if err != nil || d == nil {
			out[i] = err
			continue
		}
		all.Add(1)
		if !b.crew.do(ctx, func() { defer all.Done(); out[i] = b.outbox.wakeOne(ctx, p.Transport, *d) }) {
			all.Done()
			out[i] = ctx.Err()
		}
	}
	all.Wait()
	return out
}

// errMuted is the outcome of a phone that is not to be woken for this notice.
var errMuted = errors.New("the person does not want to be called for this kind")

// held is the outcome of a phone that is to be woken later.
type held struct{ until time.Time }

func (e *held) Error() string { return "held until " + e.until.UTC().Format(time.RFC3339) }

// plan makes the wake-up of one phone. It is nil when another delivery of
// the batch wakes the phone or it needs none, errMuted or *held when this is not the time.
func (b *batch) plan(j *job, p target, wide time.Duration, now time.Time) (*Delivery, error) {
	if p.mutes(j.Class, j.Kind) {
		return nil, errMuted
	}
	class := j.Class
	if j.Circle.Kind() != onePhone {
		if until := p.holdUntil(class, now); until.After(now) {
			// Many chose the same hour: they do not come in the same second.
			return nil, &held{until.Add(within(p.ID, holdSpread))}
		}
	}
	if !class.Shown() && b.outbox.Live != nil && b.outbox.Live(p.ID) || !b.claim(p.ID, class) {
		return nil, nil
	}
	if class == commune.Needed && !b.outbox.alerts.take(p.ID, now) {
		class = commune.Information // enough noise for this hour
	}
	d := &Delivery{Phone: p.ID, Address: p.Address, Class: class, Urgent: class.Shown(), Life: j.life(now), Spread: wide}
	if class.Shown() {
		d.Tag = j.Notice
		return d, nil
	}
	if ok, next := b.buckets.take(p.ID, now); !ok {
		return nil, &held{next}
	}
	return d, nil
}

// wakeOne sends one wake-up. A service that asked to be left alone for a moment
// is waited for.
func (o *Outbox) wakeOne(ctx context.Context, road string, d Delivery) error {
	c := o.channels[road]
	if c == nil {
		return fmt.Errorf("no road %q", road)
	}
	for range 3 {
		err := c.send(ctx, d, o.Now)
		var rests *resting
		if !errors.As(err, &rests) {
			return err
		}
		wait := c.lane(d.Address).askedFor(o.Now())
		if wait <= 0 || wait > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait + o.Rand(wait/4+time.Millisecond)):
		}
	}
	return c.send(ctx, d, o.Now)
}

// alerts counts what is shown on a phone in an hour.
type alerts struct {
	mu   sync.Mutex
	hour int64
	seed maphash.Seed
	n    map[uint64]uint8 // by a hash of the phone: of a million, a name each would be much
}

// mostAlerts is how many times an hour one phone is made to show something that
// is no emergency.
const mostAlerts = 10

func (a *alerts) take(phone string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if hour := now.Unix() / 3600; hour != a.hour || a.n == nil {
		a.hour, a.n, a.seed = hour, map[uint64]uint8{}, maphash.MakeSeed()
	}
	key := maphash.String(a.seed, phone)
	if a.n[key] >= mostAlerts {
		return false
	}
	a.n[key]++
	return true
}
