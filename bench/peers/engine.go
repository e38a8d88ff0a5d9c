package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Engine is one way to keep a phone equal to a server. Its notes say what is
// run and how it is set up.
type Engine struct {
	Name  string
	What  string // what runs, with versions
	Start func(context.Context, *Bench) (Server, error)
}

// Bench is what all engines share in one run.
type Bench struct {
	*Workload
	Dir  string // for folders of the run, removed after it
	Repo string // the repository
}

// Server is an engine's server side, which holds the workload's records.
type Server interface {
	// Address is where it listens, host:port.
	Address() string
	// Change changes fields as somebody else in the commune would, and returns
	// when phones that ask are told.
	Change(context.Context, []Record) error
	// Missing returns how many of the records the server does not hold.
	Missing(context.Context, []Record) (int, error)
	// Phone makes a new phone of the person, which finds the server at address.
	Phone(ctx context.Context, address string) (Phone, error)
	Close() error
}

// Phone is an engine's phone side.
type Phone interface {
	// Sync meets the server until both are equal. An engine that is told of changes
	// by a stream without an end knows that it is equal when it sees those.
	Sync(ctx context.Context, see []Record) error
	// Rest closes the app: what is open is closed, what is not stored yet is.
	Rest(context.Context) error
	// Edit writes records while there is no network.
	Edit(context.Context, []Record) error
	// Held returns what the phone holds.
	Held(context.Context) ([]Record, error)
	Close() error
}

// ErrNotHere means that an engine cannot run on this machine, and why.
var ErrNotHere = errors.New("not measured here")

func notHere(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrNotHere, fmt.Errorf(format, args...))
}

// Result is what one engine did.
type Result struct {
	Engine                    string
	What                      string
	First, Idle, Delta, Push  Measure
	EDGEFirst, EDGE20, EDGEUp Measure
	Err                       error
}

// Measure is one phase.
type Measure struct {
	Count
	Took time.Duration
}

// still is how long nothing must pass before a phase counts as over.
const still = 400 * time.Millisecond

// measure runs the workload through one proxy. Each phase ends with a look at
// both sides: a phase that left them unequal is an error, not a number.
func measure(ctx context.Context, e Engine, b *Bench, edge bool) (res Result) {
	res = Result{Engine: e.Name, What: e.What}
	fail := func(phase string, err error) Result {
		res.Err = fmt.Errorf("%s: %w", phase, err)
		return res
	}
	s, err := e.Start(ctx, b)
	if err != nil {
		return fail("start", err)
	}
	defer func() { res.Err = errors.Join(res.Err, s.Close()) }()
	proxy, err := NewProxy(s.Address())
	if err != nil {
		return fail("open proxy", err)
	}
	defer func() { _ = proxy.Close() }()

	phase := func(p Phone, shape Shape, into *Measure, see, want []Record) error {
		proxy.Begin(shape)
		begin := time.Now()
		if err := p.Sync(ctx, see); err != nil {
			return err
		}
		into.Took = time.Since(begin)
		if err := p.Rest(ctx); err != nil {
			return err
		}
		into.Count = proxy.End(still + 2*shape.Delay)
		if want == nil {
			return nil
		}
		held, err := p.Held(ctx)
		if err != nil {
			return err
		}
		if d := Differ(want, held); d != "" {
			return errors.New("the phone is not equal: " + d)
		}
		return nil
	}
	push := func(p Phone, shape Shape, into *Measure, edits []Record) error {
		proxy.Away()
		if err := p.Edit(ctx, edits); err != nil {
			return err
		}
		if err := phase(p, shape, into, nil, nil); err != nil {
			return err
		}
		if n, err := s.Missing(ctx, edits); err != nil || n > 0 {
			return errors.Join(err, fmt.Errorf("the server lacks %d of %d edits", n, len(edits)))
		}
		return nil
	}

	// What an engine does once for all phones is done for one that is not measured.
	proxy.Begin(Shape{})
	before, err := s.Phone(ctx, proxy.Address())
	if err != nil {
		return fail("make phone", err)
	}
	var none Measure
	if err := errors.Join(phase(before, Shape{}, &none, nil, b.Records), before.Close()); err != nil {
		return fail("first sync of another phone", err)
	}
	p, err := s.Phone(ctx, proxy.Address())
	if err != nil {
		return fail("make phone", err)
	}
	defer func() { res.Err = errors.Join(res.Err, p.Close()) }()
	if err := phase(p, Shape{}, &res.First, nil, b.Records); err != nil {
		return fail("first sync", err)
	}
	for range 2 { // the second is as every later one
		if err := phase(p, Shape{}, &res.Idle, nil, b.Records); err != nil {
			return fail("idle sync", err)
		}
	}
	if err := s.Change(ctx, b.Changes); err != nil {
		return fail("change", err)
	}
	if err := phase(p, Shape{}, &res.Delta, b.Changes, b.Changed()); err != nil {
		return fail("20 changes", err)
	}
	if edge { // while the phone is complete
		back := revert(b.Workload)
		if err := s.Change(ctx, back); err != nil {
			return fail("change", err)
		}
		if err := phase(p, EDGE, &res.EDGE20, back, b.Records); err != nil {
			return fail("20 changes over EDGE", err)
		}
		proxy.Begin(Shape{})
		other, err := s.Phone(ctx, proxy.Address())
		if err != nil {
			return fail("make phone", err)
		}
		defer func() { res.Err = errors.Join(res.Err, other.Close()) }()
		if err := phase(other, EDGE, &res.EDGEFirst, nil, b.Records); err != nil {
			return fail("first sync over EDGE", err)
		}
	}
	if err := push(p, Shape{}, &res.Push, b.Edits[0]); err != nil {
		return fail("20 edits", err)
	}
	if edge {
		if err := push(p, EDGE, &res.EDGEUp, b.Edits[1]); err != nil {
			return fail("20 edits over EDGE", err)
		}
	}
	return res
}

// revert are the changes that make the records what they were.
func revert(w *Workload) []Record {
	was := map[string]Record{}
	for _, r := range w.Records {
		was[r.Coll+"/"+r.ID] = r
	}
	var out []Record
	for _, c := range w.Changes {
		fields := map[string]any{}
		for k := range c.Fields {
			fields[k] = was[c.Coll+"/"+c.ID].Fields[k]
		}
		out = append(out, Record{c.Coll, c.ID, fields})
	}
	return out
}
