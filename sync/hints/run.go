package hints

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"langso/sync/wire"
)

// pace is the time that the spread gives to each phone to be hinted: what an
// exchange costs the server, with room for everything else. Ten phones are
// hinted within 20 ms, a thousand within 2 s, five thousand within 10 s.
const pace = 2 * time.Millisecond

// Run sends hints and keeps streams alive until ctx ends.
func (h *Hub) Run(ctx context.Context) {
	h.init()
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { h.keep(ctx) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		}
		now, later := h.gather()
		h.send(now)
		if len(later) > 0 {
			running.Go(func() { h.spread(ctx, later) })
		}
	}
}

// gather takes the news and finds whom they concern: phones to be hinted now,
// and others in a random order. Who is to be hinted already is not found again.
func (h *Hub) gather() (now, later []*listener) {
	h.news.Lock()
	circles, seq := h.news.circles, h.news.seq
	h.news.circles = map[string]bool{}
	h.news.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	hurried := map[*listener]bool{}
	for _, urgent := range []bool{true, false} {
		for c, is := range circles {
			if is != urgent {
				continue
			}
			for l := range h.circles[c] {
				if seq <= l.above {
					continue // it came after these news
				}
				l.head = max(l.head, seq)
				switch {
				case urgent && !hurried[l]: // also who was to be hinted later
					hurried[l], l.pending = true, true
					now = append(now, l)
				case !urgent && !l.pending:
					l.pending = true
					later = append(later, l)
				}
			}
		}
	}
	rand.Shuffle(len(later), func(i, j int) { later[i], later[j] = later[j], later[i] })
	return now, later
}

// spread hints one phone after the other.
func (h *Hub) spread(ctx context.Context, later []*listener) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	begun := time.Now()
	for sent := 0; sent < len(later); {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		due := min(len(later), int(time.Since(begun)/pace)) // ticks that were missed are made up for
		h.send(later[sent:max(sent, due)])
		sent = max(sent, due)
	}
}

// hands is how many phones are written to at once: one whose connection is full
// keeps the others for a moment only.
const hands = 4

// send hints those that wait still.
func (h *Hub) send(to []*listener) {
	if len(to) == 0 {
		return
	}
	now := time.Now()
	heads := make([]int64, len(to)) // 0: hinted meanwhile
	h.mu.Lock()
	for i, l := range to {
		if _, here := h.listeners[l]; here && l.pending {
			heads[i] = max(l.head, 1)
		}
		l.pending, l.quiet = false, now
	}
	h.mu.Unlock()
	h.each(to, func(i int, l *listener) error {
		if heads[i] == 0 {
			return nil
		}
		return l.sink.hint(Head{Seq: heads[i]})
	})
}

// each does something with every listener, some at once; who fails is dropped.
func (h *Hub) each(to []*listener, do func(int, *listener) error) {
	var working sync.WaitGroup
	part := max(1, (len(to)+hands-1)/hands)
	for from := 0; from < len(to); from += part {
		work := func() {
			for i := from; i < min(from+part, len(to)); i++ {
				if do(i, to[i]) != nil {
					h.drop(to[i])
				}
			}
		}
		if len(to) <= part {
			work()
		} else {
			working.Go(work)
		}
	}
	working.Wait()
}

// keep says to quiet streams that the server lives, and looks again who may
// listen to what.
func (h *Hub) keep(ctx context.Context) {
	tick := time.NewTicker(min(time.Second, h.beat()/4, h.review()/4))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		var quiet, due []*listener
		h.mu.Lock()
		for l := range h.listeners {
			if now.Sub(l.quiet) >= h.beat() {
				l.quiet = now
				quiet = append(quiet, l)
			}
			if now.Sub(l.reviewed) >= h.review() {
				l.reviewed = now
				due = append(due, l)
			}
		}
		h.mu.Unlock()
		h.each(quiet, func(_ int, l *listener) error { return l.sink.beat() })
		for _, l := range due {
			if ctx.Err() != nil {
				return
			}
			h.lookAgain(l)
		}
	}
}

// lookAgain ends the stream of a phone that is blocked or signed out, and hints
// one whose standing is another now, though nothing was written.
func (h *Hub) lookAgain(l *listener) {
	p, err := h.Phones.Find(l.phone)
	var refused *wire.AskError
	if errors.As(err, &refused) || err == nil && p.Key != l.key {
		h.Drop(l.phone)
		return
	}
	if err != nil {
		h.App.Logger().Error("looking at a listening phone failed", "error", err)
		return
	}
	circles, err := h.Standing(l.person)
	if err != nil {
		h.App.Logger().Error("looking at the standing of a listening phone failed", "error", err)
		return
	}
	h.mu.Lock()
	_, here := h.listeners[l]
	same := slices.Equal(circles, l.circles)
	if here && !same {
		h.stand(l, circles)
		l.pending = true
	}
	h.mu.Unlock()
	if here && !same {
		h.send([]*listener{l})
	}
}
