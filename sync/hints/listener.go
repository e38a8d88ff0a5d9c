package hints

import (
	"slices"
	"time"
)

// listener is one open stream or long-poll. Its fields but sink are guarded by
// the hub's lock.
type listener struct {
	sink     sink
	phone    string
	person   string
	key      string // the public key that signed: another means a phone signed out
	circles  []string
	above    int64     // what the phone had heard of when it came
	head     int64     // told, or to be told with the next hint
	pending  bool      // a hint is on its way
	quiet    time.Time // since when nothing was sent
	reviewed time.Time
}

// sink is the way to one phone. A method that fails has the phone dropped; none
// may wait long.
type sink interface {
	hint(Head) error
	beat() error
	close()
}

// add takes a listener in; false means that there is no room. The oldest window
// of a phone that opens too many makes room for the new one.
func (h *Hub) add(l *listener, now time.Time) bool {
	h.mu.Lock()
	var old *listener
	of := h.windows[l.phone]
	if len(of) >= perPhone {
		old = of[0]
		h.remove(old)
	}
	if h.closed || len(h.listeners) >= h.most() {
		h.mu.Unlock()
		if old != nil {
			old.sink.close()
		}
		return false
	}
	l.quiet, l.reviewed = now, now
	h.listeners[l] = struct{}{}
	h.count()
	h.windows[l.phone] = append(h.windows[l.phone], l)
	h.stand(l, l.circles)
	h.mu.Unlock()
	if old != nil {
		old.sink.close()
	}
	return true
}

// stand puts a listener into the circles of its person.
func (h *Hub) stand(l *listener, circles []string) {
	for _, c := range l.circles {
		if of := h.circles[c]; of != nil {
			if delete(of, l); len(of) == 0 {
				delete(h.circles, c)
			}
		}
	}
	l.circles = circles
	for _, c := range circles {
		of := h.circles[c]
		if of == nil {
			of = map[*listener]struct{}{}
			h.circles[c] = of
		}
		of[l] = struct{}{}
	}
}

// remove forgets a listener, under the lock; it may be gone already.
func (h *Hub) remove(l *listener) {
	if _, ok := h.listeners[l]; !ok {
		return
	}
	delete(h.listeners, l)
	h.count()
	h.stand(l, nil)
	of := slices.DeleteFunc(slices.Clone(h.windows[l.phone]), func(o *listener) bool { return o == l })
	if len(of) == 0 {
		delete(h.windows, l.phone)
	} else {
		h.windows[l.phone] = of
	}
}

func (h *Hub) count() {
	if h.counted != nil {
		h.counted(len(h.listeners))
	}
}

// drop forgets a listener and closes its way.
func (h *Hub) drop(l *listener) {
	h.mu.Lock()
	h.remove(l)
	h.mu.Unlock()
	l.sink.close()
}
