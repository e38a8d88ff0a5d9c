// Package exchange is one meeting of a phone and the server, from beginning to
// end: edits go up, verdicts and changes come down, in one round trip.
//
// The order inside is what keeps the promises. Who asks is known before
// anything is read. The standing is computed by the domains, never sent by the
// phone. Edits are judged and committed, then an exact state is read and the
// answer is made of it; the read transaction is over before the first byte goes
// to a phone on a slow link.
package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/sync/journal"
	"langso/sync/pull"
	"langso/sync/push"
	"langso/sync/wire"
)

// Engine serves exchanges of one commune.
type Engine struct {
	app       core.App
	journal   *journal.Journal
	judge     push.Judge
	standings *standings
	ranks     map[string]int
	now       func() time.Time
	slots     chan struct{} // exchanges at work at once, idle ones aside
}

// atOnce bounds the memory and the connections that exchanges take together:
// when a wake-up reaches a whole commune, phones stand in a short queue.
const atOnce = 8

// New makes the engine. sign is the server's signature for receipts, now its clock.
func New(app core.App, j *journal.Journal, domains []commune.Domain, sign func([]byte) string, now func() time.Time) *Engine {
	x := &Engine{
		app: app, journal: j, now: now,
		judge:     push.Judge{App: app, Journal: j, Domains: domains, Sign: sign},
		standings: newStandings(app, j, domains),
		ranks:     map[string]int{},
		slots:     make(chan struct{}, atOnce),
	}
	for _, d := range domains {
		for _, c := range d.Collections {
			x.ranks[c.Name] = int(c.Rank)
		}
	}
	return x
}

// Phone is who asks; the caller has made sure of it.
type Phone struct {
	ID     string
	Person string
}

// Circles returns the standing of a person now, sorted.
func (x *Engine) Circles(person string) ([]string, error) {
	last, err := x.journal.Last(x.standings.from)
	if err != nil {
		return nil, err
	}
	circles, _, err := x.standings.of(person, x.now(), last)
	return circles, err
}

// Serve does one exchange and returns the answer, newline-delimited JSON. The error is the server's: the ask may be sent again.
func (x *Engine) Serve(ctx context.Context, p Phone, ask *wire.Ask) ([]byte, error) {
	now := x.now()
	if answer, ok, err := x.idle(ctx, p, ask, now); ok || err != nil {
		return answer, err
	}
	select {
	case x.slots <- struct{}{}:
		defer func() { <-x.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// What was written but not yet absorbed may have changed the standing itself.
	if err := x.journal.Absorb(x.app, 0); err != nil {
		return nil, fmt.Errorf("absorb before an exchange: %w", err)
	}
	out := lines{}
	pushed, err := x.push(ctx, p, ask, now)
	if err != nil {
		return nil, fmt.Errorf("judge edits: %w", err)
	}
	down, err := x.pull(ctx, p, ask, now)
	if errors.Is(err, journal.ErrBusy) {
		down, err = []wire.Line{{RetryIn: 5}}, nil
	}
	if err != nil {
		if len(pushed.Verdicts) == 0 {
			return nil, fmt.Errorf("read changes: %w", err)
		}
		// The edits are committed: their verdicts go down whatever befalls the rest.
		x.app.Logger().Error("reading changes failed after a push", "error", err)
		down = []wire.Line{{RetryIn: 20}}
	}
	// A changed epoch stands first: it says what the numbers after it mean.
	if len(down) > 0 && down[0].Epoch != nil {
		out.add(down[0])
		down = down[1:]
	}
	if len(ask.Edits) > 0 || out.n > 0 {
		if len(pushed.Verdicts) > 0 || pushed.SendFrom == 0 {
			out.add(wire.Line{Verdicts: pushed.Verdicts, Acked: &pushed.Acked})
		}
		if pushed.SendFrom > 0 {
			out.add(wire.Line{SendFrom: pushed.SendFrom, Acked: &pushed.Acked})
		}
	}
	if len(pushed.Problems) > 0 {
		out.add(wire.Line{Problems: pushed.Problems})
	}
	for _, line := range down {
		out.add(line)
	}
	return out.Bytes(), out.err
}

// idle answers the commonest ask, nothing to say and nothing to hear, with one
// statement.
func (x *Engine) idle(ctx context.Context, p Phone, ask *wire.Ask, now time.Time) ([]byte, bool, error) {
	if len(ask.Edits) > 0 || ask.Resume != "" || ask.Epoch == "" || ask.Told != "" {
		return nil, false, nil
	}
	circles, asOf, err := x.standings.of(p.Person, now, 0)
	if err != nil || ask.Standing != wire.StandingHash(circles) {
		return nil, false, err
	}
	head, last, idle, err := x.journal.Idle(ctx, circles, int64(ask.Cursor), x.standings.from)
	if err != nil || !idle || last > asOf || head.Epoch != ask.Epoch || int64(ask.Cursor) > head.Seq {
		return nil, false, err
	}
	out := lines{}
	out.add(wire.Line{Complete: &wire.Complete{Cursor: wire.Cursor(head.Seq), Epoch: head.Epoch}})
	return out.Bytes(), true, out.err
}

func (x *Engine) push(ctx context.Context, p Phone, ask *wire.Ask, now time.Time) (push.Outcome, error) {
	if len(ask.Edits) == 0 {
		acked, err := x.acked(p)
		return push.Outcome{Acked: acked}, err
	}
	who, err := x.phone(p)
	if err != nil {
		return push.Outcome{}, err
	}
	circles, err := x.Circles(p.Person)
	if err != nil {
		return push.Outcome{}, err
	}
	author := commune.Author{Person: p.Person, Phone: p.ID}
	for _, c := range circles {
		author.Circles = append(author.Circles, commune.Circle(c))
	}
	who.Confirmed = ask.Confirmed
	if who.Foreign, err = x.foreign(ask); err != nil {
		return push.Outcome{}, err
	}
	var skew time.Duration
	if clock, err := time.Parse(time.RFC3339, ask.Clock); err == nil {
		skew = now.Sub(clock)
	}
	return x.judge.Push(ctx, who, author, ask.Edits, now, skew)
}

// foreign tells whether the ask's numbers are of another history.
func (x *Engine) foreign(ask *wire.Ask) (bool, error) {
	if ask.Epoch == "" {
		return false, nil // it saw nothing yet: its edits have base 0
	}
	head, err := x.journal.Head()
	return head.Epoch != ask.Epoch || int64(ask.Cursor) > head.Seq, err
}

// pull reads the answer from one exact state. Whoever holds a reader must want
// no second connection, or many exchanges at once wait for each other for ever:
// so the standing is computed and remembered first, and looked at again in the
// state that is read: nobody is sent with yesterday's duty what was written today.
func (x *Engine) pull(ctx context.Context, phone Phone, ask *wire.Ask, now time.Time) ([]wire.Line, error) {
	held, err := x.held(ask)
	if err != nil {
		return nil, err
	}
	for range 4 {
		circles, asOf, err := x.standing(phone.Person, now)
		if err != nil {
			return nil, err
		}
		r, err := x.journal.Read(ctx)
		if err != nil {
			return nil, err
		}
		last, err := r.Last(x.standings.from)
		if err != nil || last > asOf {
			r.Close()
			if err != nil {
				return nil, err
			}
			continue
		}
		lines, err := x.read(ctx, r, ask, circles, held)
		r.Close()
		return lines, err
	}
	return nil, journal.ErrBusy
}

// standing computes a person's circles and makes sure that their hash will be
// understood when the phone names it.
func (x *Engine) standing(person string, now time.Time) (circles []string, asOf int64, err error) {
	last, err := x.journal.Last(x.standings.from)
	if err != nil {
		return nil, 0, err
	}
	if circles, asOf, err = x.standings.of(person, now, last); err != nil {
		return nil, 0, err
	}
	return circles, asOf, x.standings.remember(wire.StandingHash(circles), circles)
}

// held returns the circles whose records the phone has as of its cursor: those
// of the standing that went with it, less those that a later answer took away,
// though it never came to its end. It is nil when a hash is not known.
func (x *Engine) held(ask *wire.Ask) ([]string, error) {
	if ask.Cursor == 0 || ask.Standing == "" {
		return nil, nil
	}
	held, err := x.standings.remembered(ask.Standing)
	if err != nil || held == nil || ask.Told == "" {
		return held, err
	}
	told, err := x.standings.remembered(ask.Told)
	if err != nil || told == nil {
		return nil, err
	}
	both := []string{}
	for _, c := range held {
		if slices.Contains(told, c) {
			both = append(both, c)
		}
	}
	return both, nil
}

// read makes the lines of an answer from a state.
func (x *Engine) read(ctx context.Context, r *journal.Reader, ask *wire.Ask, circles, held []string) ([]wire.Line, error) {
	var down []wire.Line
	p := pull.Phone{Cursor: int64(ask.Cursor), Held: held, Now: circles, Resume: ask.Resume, Want: ask.Want}
	switch {
	case ask.Cursor == 0 && (ask.Resume == "" || pull.Fits(ask.Resume, r.Head)):
		// A new phone, or one that is being filled.
	case ask.Epoch == r.Epoch && p.Cursor <= r.Seq && held != nil:
		// A phone that we know.
	default:
		// Another history, a cursor of a future that was lost, or a standing that
		// nobody remembers: the phone starts anew and keeps its edits.
		p.Cursor, p.Held, p.Resume = 0, nil, ""
		down = append(down, wire.Line{Epoch: &wire.EpochLine{Is: r.Epoch, Reset: true}})
	}
	standing := wire.StandingHash(circles)
	if ask.Standing != standing || ask.Told != "" && ask.Told != standing || p.Cursor == 0 {
		down = append(down, wire.Line{Standing: &wire.StandingLine{Hash: standing, Circles: circles}})
	}
	made, err := pull.Make(ctx, r, p, func(coll string) int { return x.ranks[coll] })
	return append(down, made...), err
}

// lines writes an answer.
type lines struct {
	bytes.Buffer
	n   int
	err error
}

func (l *lines) add(line wire.Line) {
	enc := json.NewEncoder(&l.Buffer)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(line); err != nil && l.err == nil {
		l.err = fmt.Errorf("write answer: %w", err)
	}
	l.n++
}
