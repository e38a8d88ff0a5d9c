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
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pocketbase/dbx"
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
	known     pull.Collections
	now       func() time.Time
	slots     chan struct{} // exchanges at work at once, idle ones aside

	// Words gives the app's sentence for a code of sync, or else the one at hand; nil:
	// there are none.
	Words func(code, say string) string

	// Offer names the snapshot files that lie ready for circles; nil offers none.
	Offer func(circles []string, head journal.Head) []wire.Snapshot
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
		slots:     make(chan struct{}, atOnce),
	}
	ranks := map[string]int{}
	x.known = pull.Collections{Rank: func(coll string) int { return ranks[coll] }, Files: map[string][]string{}, Alone: map[string]bool{}}
	for _, d := range domains {
		for _, c := range d.Collections {
			ranks[c.Name], x.known.Alone[c.Name] = int(c.Rank), c.Alone
			for _, circle := range c.Snapshot {
				x.known.Files[string(circle)] = append(x.known.Files[string(circle)], c.Name)
			}
		}
	}
	return x
}

// Call has people be called what f says, where others read of them. It is called
// before the engine is used.
func (x *Engine) Call(f func(app core.App, person string) string) { x.judge.Called = f }

// Files returns for each circle that has a snapshot file the collections in it.
func (x *Engine) Files() map[string][]string { return x.known.Files }

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
	is, err := x.standings.of(person, x.now(), last)
	if err != nil {
		return nil, err
	}
	return slices.Clone(is.circles), nil
}

// Serve does one exchange and returns the lines of the answer. The error is the
// server's: the ask may be sent again.
func (x *Engine) Serve(ctx context.Context, p Phone, ask *wire.Ask) ([]wire.Line, error) {
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
	// What edits may name is read before they are judged: a field that is saved in
	// between is told by the next answer, after the verdict that did not know it.
	shape, err := x.shape(ask)
	if err != nil {
		return nil, err
	}
	pushed, err := x.push(ctx, p, ask, now)
	if err != nil {
		return nil, fmt.Errorf("judge edits: %w", err)
	}
	// What waits for a person goes with the record that it is about.
	if err := x.judge.Follow(x.app); err != nil {
		return nil, fmt.Errorf("follow what waits for a person: %w", err)
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
	if ask.Shape == "" && !slices.ContainsFunc(pushed.Verdicts, func(v wire.Verdict) bool { return v.Is == wire.Parked && push.Unknown(v) }) {
		shape = "" // it has nothing that waits for another
	}
	return shaped(shape, assemble(ask, pushed, down)), nil
}

// shape is what edits may name, for a phone that sends some or waits for more to
// be known, and was told another; "" for all others.
func (x *Engine) shape(ask *wire.Ask) (string, error) {
	if ask.Shape == "" && len(ask.Edits) == 0 {
		return "", nil
	}
	shape, err := x.judge.Shape(x.app)
	if err != nil || shape == ask.Shape {
		return "", err
	}
	return shape, nil
}

// shaped is an answer with its shape before the verdicts: it is told of edits that
// were judged before, not of those that are judged now.
func shaped(shape string, lines []wire.Line) []wire.Line {
	if shape == "" {
		return lines
	}
	at := 0
	if len(lines) > 0 && lines[0].Epoch != nil {
		at = 1
	}
	return slices.Insert(lines, at, wire.Line{Shape: shape})
}

// assemble puts the lines in their order. What must not wait for the first rows
// is a chunk of its own: verdicts, and what a standing takes away.
func assemble(ask *wire.Ask, pushed push.Outcome, down []wire.Line) []wire.Line {
	var out []wire.Line
	// A changed epoch stands first: it says what the numbers after it mean.
	if len(down) > 0 && down[0].Epoch != nil {
		out, down = append(out, down[0]), down[1:]
	}
	// A phone that was told more than the server knows, and does not know yet in which
	// history, learns it from the number: the server was restored meanwhile.
	behind := ask.Confirmed > pushed.Acked
	out = append(out, said(pushed, len(ask.Edits) > 0 || len(out) > 0 || behind)...)
	urgent := len(pushed.Verdicts) > 0 && several(down)
	if len(down) > 0 && down[0].Standing != nil {
		out, down = append(out, down[0]), down[1:]
		urgent = true
		if len(down) > 0 && down[0].Mark != nil {
			out, down = append(out, down[0]), down[1:]
			urgent = false
		}
	}
	if urgent {
		none := ""
		out = append(out, wire.Line{Mark: &none})
	}
	return append(out, down...)
}

// mostFromBlocked bounds what one blocked phone may hand in: it may be in a
// thief's hands.
const mostFromBlocked = 2000

// HandIn takes the edits of a blocked phone: each is parked for a person, none is
// done, and the phone learns nothing but up to which number they were taken, and
// what became, without a word more, of those that were judged before it was blocked.
func (x *Engine) HandIn(ctx context.Context, p Phone, ask *wire.Ask) (acked int64, judged []wire.Verdict, err error) {
	who, err := x.phone(p)
	if err != nil || len(ask.Edits) == 0 {
		return who.Acked, nil, err
	}
	// What cannot even be parked, being no edit or too big, leaves a verdict, and counts too.
	var have int
	err = x.app.ConcurrentDB().NewQuery(`SELECT count(*) FROM sync_verdicts WHERE phone = {:phone} AND verdict ->> 'code' IN ('phone_blocked', 'bad_edit', 'too_big', 'bad_value')`).Bind(dbx.Params{"phone": p.ID}).Row(&have)
	if err != nil {
		return who.Acked, nil, err
	}
	if have >= mostFromBlocked {
		return before(ask.Edits, who.Acked), nil, nil
	}
	who.Blocked = true
	pushed, err := x.judge.Push(ctx, who, commune.Author{Person: p.Person, Phone: p.ID}, ask.Edits, x.now(), 0)
	// Numbers that another copy of this phone used were not taken with these edits.
	for _, v := range pushed.Verdicts {
		if v.Code == "fork" {
			pushed.Acked = min(pushed.Acked, v.N-1)
		}
		if v.Is == wire.Known && v.Was != wire.Parked {
			judged = append(judged, wire.Verdict{N: v.N, Is: v.Was})
		}
	}
	return pushed.Acked, judged, err
}

// before is a number below all of the edits, which nobody looked at, at most acked.
func before(edits []json.RawMessage, acked int64) int64 {
	for _, raw := range edits {
		if n, ok := wire.EditNumber(raw); ok {
			acked = min(acked, n-1)
		}
	}
	return acked
}

// said are the lines about the ask's edits.
func said(pushed push.Outcome, asked bool) (out []wire.Line) {
	if asked {
		if len(pushed.Verdicts) > 0 || pushed.SendFrom == 0 {
			out = append(out, wire.Line{Verdicts: pushed.Verdicts, Acked: &pushed.Acked})
		}
		if pushed.SendFrom > 0 {
			out = append(out, wire.Line{SendFrom: pushed.SendFrom, Acked: &pushed.Acked})
		}
	}
	if len(pushed.Problems) > 0 {
		out = append(out, wire.Line{Problems: pushed.Problems})
	}
	return out
}

// several tells whether lines are more than one chunk.
func several(lines []wire.Line) bool {
	for _, l := range lines {
		if l.Mark != nil || l.More != "" {
			return true
		}
	}
	return false
}

// idle answers the commonest ask, nothing to say and nothing to hear, with one
// statement.
func (x *Engine) idle(ctx context.Context, p Phone, ask *wire.Ask, now time.Time) ([]wire.Line, bool, error) {
	if len(ask.Edits) > 0 || ask.Resume != "" || ask.Epoch == "" || ask.Cursor == 0 || ask.Told != "" || len(ask.Lost) > 0 || ask.Compare || ask.Check != nil {
		return nil, false, nil
	}
	is, err := x.standings.of(p.Person, now, 0)
	if err != nil || ask.Standing != is.hash {
		return nil, false, err
	}
	q, err := x.journal.Idle(ctx, is.circles, int64(ask.Cursor), x.standings.from)
	if err != nil || !q.Idle || q.Last > is.asOf || q.Epoch != ask.Epoch || int64(ask.Cursor) > q.Seq || int64(ask.Cursor) < q.Floor {
		return nil, false, err
	}
	if shape, err := x.shape(ask); err != nil || shape != "" {
		return nil, false, err
	}
	return []wire.Line{{Complete: &wire.Complete{Cursor: wire.Cursor(q.Seq), Epoch: q.Epoch, Sum: q.Sum}}}, true, nil
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
	pushed, err := x.judge.Push(ctx, who, author, ask.Edits, now, skew)
	x.word(pushed)
	return pushed, err
}

// word puts what is told of edits into the app's words. What is kept of a verdict
// is its code.
func (x *Engine) word(pushed push.Outcome) {
	if x.Words == nil {
		return
	}
	for i, v := range pushed.Verdicts {
		pushed.Verdicts[i].Say = x.Words(v.Code, v.Say)
	}
	for i, p := range pushed.Problems {
		pushed.Problems[i].Say = x.Words(p.Code, p.Say)
	}
}

// foreign tells whether the ask's numbers are of another history.
func (x *Engine) foreign(ask *wire.Ask) (bool, error) {
	if ask.Epoch == "" {
		return false, nil // it saw nothing yet: its edits have base 0
	}
	if ask.Compare {
		return true, nil
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
		is, err := x.standing(phone.Person, now)
		if err != nil {
			return nil, err
		}
		r, err := x.journal.Read(ctx)
		if err != nil {
			return nil, err
		}
		last, err := r.Last(x.standings.from)
		if err != nil || last > is.asOf {
			r.Close()
			if err != nil {
				return nil, err
			}
			continue
		}
		lines, err := x.read(ctx, r, ask, is, held)
		r.Close()
		return lines, err
	}
	return nil, journal.ErrBusy
}

// standing computes a person's circles and makes sure that their hash will be
// understood when the phone names it.
func (x *Engine) standing(person string, now time.Time) (*standing, error) {
	last, err := x.journal.Last(x.standings.from)
	if err != nil {
		return nil, err
	}
	is, err := x.standings.of(person, now, last)
	if err != nil {
		return nil, err
	}
	return is, x.standings.remember(is.hash, is.circles)
}

// held returns the circles whose records the phone has as of its cursor: those
// of the standing that went with it, less those that later answers took away,
// though they never came to their end. It is nil when a hash is not known.
func (x *Engine) held(ask *wire.Ask) ([]string, error) {
	if ask.Cursor == 0 || ask.Standing == "" {
		return nil, nil
	}
	held, err := x.standings.remembered(ask.Standing)
	if err != nil || held == nil {
		return held, err
	}
	told := held
	if ask.Told != "" {
		if told, err = x.standings.remembered(ask.Told); err != nil || told == nil {
			return nil, err
		}
	}
	both := []string{}
	for _, c := range held {
		if slices.Contains(told, c) && !slices.Contains(ask.Lost, c) {
			both = append(both, c)
		}
	}
	return both, nil
}

// read makes the lines of an answer from a state.
func (x *Engine) read(ctx context.Context, r *journal.Reader, ask *wire.Ask, is *standing, held []string) ([]wire.Line, error) {
	p, epoch := x.place(r, ask, is.circles, held)
	var down []wire.Line
	if epoch != nil {
		down = append(down, wire.Line{Epoch: epoch})
	}
	if ask.Standing != is.hash || ask.Told != "" && ask.Told != is.hash || p.Cursor == 0 {
		down = append(down, wire.Line{Standing: &wire.StandingLine{Hash: is.hash, Circles: is.circles}})
	}
	if p.Cursor == 0 && p.Resume == "" && ask.Snapshots && x.Offer != nil {
		if offer := x.offer(p, r.Head); len(offer) > 0 {
			return append(down, wire.Line{Load: offer}), nil
		}
	}
	if token := pull.Begun(p, r.Head); token != "" && len(down) > 0 && down[len(down)-1].Standing != nil {
		down = append(down, wire.Line{Mark: &token})
	}
	changes, full, err := pull.Make(ctx, r, p, x.known)
	if err != nil || full {
		return append(down, changes...), err
	}
	var end []wire.Line
	if ask.Check != nil && epoch == nil {
		drops, mended, err := pull.NewRows(r, p, x.known).Check(ctx, ask.Check)
		if err != nil {
			return nil, err
		}
		down = append(down, drops...)
		if len(changes) > 0 && len(mended) > 0 {
			none := ""
			end = append(end, wire.Line{Mark: &none}) // what is mended is not compressed together with what has changed
		}
		end = append(end, mended...)
	}
	if old := x.oldest(p); old > 0 && old < r.Floor {
		// What it should hear is gone may be forgotten: it finds out by comparing.
		end = append(end, wire.Line{Check: "sums"})
	}
	sum, err := r.Sum(ctx, is.circles)
	if err != nil {
		return nil, err
	}
	end = append(end, wire.Line{Complete: &wire.Complete{Cursor: wire.Cursor(r.Seq), Epoch: r.Epoch, Sum: sum}})
	return slices.Concat(down, changes, end), nil
}

// place decides from where a phone can go on, and whether its history is ours.
func (x *Engine) place(r *journal.Reader, ask *wire.Ask, circles, held []string) (pull.Phone, *wire.EpochLine) {
	p := pull.Phone{Cursor: int64(ask.Cursor), Held: held, Now: circles, Whole: ask.Compare, Resume: ask.Resume, Want: ask.Want}
	same := ask.Epoch == r.Epoch
	switch {
	case ask.Cursor == 0 && len(ask.Loaded) > 0 && (!same || !loadedFits(ask, r.Seq)):
		// Files of another history.
	case ask.Cursor == 0 && (ask.Resume == "" || pull.Fits(ask.Resume, r.Head)):
		// A new phone, or one that is being filled.
		p.Loaded = map[string]int64{}
		for _, c := range circles {
			if at, ok := ask.Loaded[c]; ok {
				p.Loaded[c] = int64(at)
			}
		}
		return p, nil
	case ask.Cursor > 0 && held != nil && same && p.Cursor <= r.Seq:
		return p, nil // a phone that we know
	case ask.Cursor > 0 && held != nil:
		// Another history, or a future that was lost: it keeps what it has, hears
		// what changed since as a whole, and compares.
		p.Whole, p.Resume = true, ""
		x.app.Logger().Warn("a phone knows another history: it compares", "epoch", ask.Epoch, "cursor", ask.Cursor)
		return p, &wire.EpochLine{Is: r.Epoch, Compare: true}
	}
	// A standing that nobody remembers: it starts anew and keeps its edits.
	return pull.Phone{Now: circles, Want: ask.Want}, &wire.EpochLine{Is: r.Epoch, Reset: true}
}

func loadedFits(ask *wire.Ask, seq int64) bool {
	for _, at := range ask.Loaded {
		if int64(at) > seq || at <= 0 {
			return false
		}
	}
	return true
}

// oldest is the earliest number that a phone goes on from; 0 when it begins.
func (x *Engine) oldest(p pull.Phone) int64 {
	old := p.Cursor
	for _, at := range p.Loaded {
		if old == 0 || at < old {
			old = at
		}
	}
	return old
}

// offer names the files that the phone has not loaded.
func (x *Engine) offer(p pull.Phone, head journal.Head) (out []wire.Snapshot) {
	for _, s := range x.Offer(p.Now, head) {
		if slices.ContainsFunc(s.Circles, func(c string) bool { _, has := p.Loaded[c]; return !has }) {
			out = append(out, s)
		}
	}
	return out
}
