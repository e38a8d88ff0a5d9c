package snapshot

import (
	"container/list"
	"context"
	"fmt"
	"sync"
)

// lately keeps what was made lately, up to so many bytes; what was not asked for
// longest goes first. What several want at once is made once, and who wants
// something else does not wait for it.
type lately struct {
	most int

	mu    sync.Mutex
	found map[string]*list.Element // of *made
	order list.List                // the latest first
	size  int
}

type made struct {
	key   string
	ready chan struct{} // closed when body or err is there
	body  []byte
	err   error
}

// get returns what is kept under a key, or makes it. It is made to its end even
// if ctx ends: others may wait for it, and the next one asks for it.
func (l *lately) get(ctx context.Context, key string, makeIt func() ([]byte, error)) ([]byte, error) {
	m := l.begun(key, makeIt)
	select {
	case <-m.ready:
		return m.body, m.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// has tells whether something is kept, or being made, under a key.
func (l *lately) has(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.found[key] != nil
}

// begun returns what is kept or being made under a key, and has it made if there
// is none.
func (l *lately) begun(key string, makeIt func() ([]byte, error)) *made {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, ok := l.found[key]; ok {
		l.order.MoveToFront(at)
		return at.Value.(*made)
	}
	m := &made{key: key, ready: make(chan struct{})}
	if l.found == nil {
		l.found = map[string]*list.Element{}
	}
	l.found[key] = l.order.PushFront(m)
	go func() {
		defer func() {
			if bug := recover(); bug != nil { // no request's goroutine: it would end the server
				m.body, m.err = nil, fmt.Errorf("make %s: %v", key, bug)
			}
			l.keep(m)
			close(m.ready)
		}()
		m.body, m.err = makeIt()
	}()
	return m
}

// keep counts what was made, and makes room for it.
func (l *lately) keep(m *made) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.size += len(m.body)
	if m.err != nil || len(m.body) > l.most {
		l.drop(l.found[m.key])
	}
	for at := l.order.Back(); at != nil && l.size > l.most; {
		before := at.Prev()
		if at.Value.(*made).isReady() {
			l.drop(at)
		}
		at = before
	}
}

func (l *lately) drop(at *list.Element) {
	m := l.order.Remove(at).(*made)
	delete(l.found, m.key)
	l.size -= len(m.body)
}

func (m *made) isReady() bool {
	select {
	case <-m.ready:
		return true
	default:
		return false
	}
}
