// Package hints tells phones whose app is open that something may be new.
//
// A hint says nothing but a number: the journal has come to n, and something in
// one of your circles moved; meet the server. It is never data, so it may be
// lost, repeated or late without harm: whoever missed one learns all at the next
// exchange. From this follows how it is made:
//
//   - whoever wrote is never kept: [Hub.News] notes names and returns;
//   - many changes are one hint, and only phones that stand in a circle that
//     moved get it;
//   - hints are spread over a time that grows with their count, so that a
//     commune of phones does not ask at the same instant; urgent ones are not;
//   - a phone that does not read is dropped, not waited for;
//   - who is there, and in which circles, is looked at again each minute.
//
// The stream is the answer of one signed POST ([Hub.Serve]): one round trip, and
// no credential in an address that others log. Where streams are held back by a
// proxy the same POST with a wait is a long-poll.
package hints

import (
	"context"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/sync/phones"
)

// Hub knows the phones that listen. Its fields are set before the first call.
type Hub struct {
	App    core.App
	Phones phones.Book // who may listen

	// Standing returns the circles of a person now.
	Standing func(person string) ([]string, error)
	// Ahead tells whether one of the circles holds something above a number,
	// and the head of the journal.
	Ahead func(ctx context.Context, circles []string, above int64) (Head, bool, error)

	Most   int           // streams and long-polls at once; 0: 10,000
	Beat   time.Duration // silence after which a stream says that it lives; 0: 40 s
	Review time.Duration // how often a phone's right to listen is looked at; 0: 45 s

	news struct {
		sync.Mutex
		seq     int64
		circles map[string]bool      // moved since the last look; true: urgent
		urgent  map[string]time.Time // announced as urgent, until then
	}
	wake chan struct{} // one slot
	once sync.Once

	mu        sync.Mutex
	listeners map[*listener]struct{}
	circles   map[string]map[*listener]struct{}
	windows   map[string][]*listener
	closed    bool
	counted   func(listeners int) // hears each change, under the lock; nil but in tests
}

// Head is a place in the history.
type Head struct {
	Epoch string
	Seq   int64
}

// perPhone is how many windows of one phone may listen.
const perPhone = 3

// hurry is how long after [Hub.Hurry] the news of a circle are urgent.
const hurry = 10 * time.Second

func (h *Hub) init() {
	h.once.Do(func() {
		h.wake = make(chan struct{}, 1)
		h.news.circles, h.news.urgent = map[string]bool{}, map[string]time.Time{}
		h.listeners, h.circles, h.windows = map[*listener]struct{}{}, map[string]map[*listener]struct{}{}, map[string][]*listener{}
	})
}

// News notes that something in the circles moved, up to number seq. It returns
// at once, whatever the phones do.
func (h *Hub) News(circles []string, seq int64) {
	h.init()
	now := time.Now()
	h.news.Lock()
	h.news.seq = max(h.news.seq, seq)
	for _, c := range circles {
		until, ok := h.news.urgent[c]
		if ok {
			delete(h.news.urgent, c)
		}
		h.news.circles[c] = h.news.circles[c] || ok && now.Before(until)
	}
	h.news.Unlock()
	h.poke()
}

// Hurry says that the next news of a circle are urgent: its phones are hinted
// at once, all together. It is called before the news, within the write.
func (h *Hub) Hurry(circle string) {
	h.init()
	now := time.Now()
	h.news.Lock()
	defer h.news.Unlock()
	for c, until := range h.news.urgent { // of writes that were undone
		if now.After(until) {
			delete(h.news.urgent, c)
		}
	}
	h.news.urgent[circle] = now.Add(hurry)
}

func (h *Hub) poke() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Count is how many phones listen.
func (h *Hub) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.listeners)
}

// Listens tells whether a phone has a stream open: it hears of news by itself.
func (h *Hub) Listens(phone string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.windows[phone]) > 0
}

// Drop ends the streams of a phone, after a last hint: it asks, and is told why.
func (h *Hub) Drop(phone string) {
	h.init()
	h.mu.Lock()
	of := append([]*listener(nil), h.windows[phone]...)
	for _, l := range of {
		h.remove(l)
	}
	h.mu.Unlock()
	// A phone that does not read must not keep whoever blocks it.
	go func() {
		for _, l := range of {
			_ = l.sink.hint(Head{Seq: l.head})
			l.sink.close()
		}
	}()
}

// Close ends all streams and takes no more.
func (h *Hub) Close() {
	h.init()
	h.mu.Lock()
	h.closed = true
	all := make([]*listener, 0, len(h.listeners))
	for l := range h.listeners {
		all = append(all, l)
	}
	for _, l := range all {
		h.remove(l)
	}
	h.mu.Unlock()
	for _, l := range all {
		l.sink.close()
	}
}

func (h *Hub) most() int             { return or(h.Most, 10_000) }
func (h *Hub) beat() time.Duration   { return or(h.Beat, 40*time.Second) }
func (h *Hub) review() time.Duration { return or(h.Review, 45*time.Second) }

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
