package files

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// turns lets one request at a time work on an upload. A phone whose road broke
// comes again before the server has noticed: the new request ends the old one.
type turns struct {
	mu sync.Mutex
	at map[string]*turn
}

type turn struct {
	control *http.ResponseController
	stopped atomic.Bool
	over    chan struct{}
}

// stop ends the reading of the request's body.
func (t *turn) stop() {
	t.stopped.Store(true)
	_ = t.control.SetReadDeadline(time.Now())
}

// longestTurn is how long a request waits for the one before it.
const longestTurn = 20 * time.Second

// take waits for the turn at an upload.
func (t *turns) take(ctx context.Context, id string, control *http.ResponseController) (mine *turn, ok bool) {
	mine = &turn{control: control, over: make(chan struct{})}
	late := time.NewTimer(longestTurn)
	defer late.Stop()
	for {
		t.mu.Lock()
		before := t.at[id]
		if before == nil {
			if t.at == nil {
				t.at = map[string]*turn{}
			}
			t.at[id] = mine
			t.mu.Unlock()
			return mine, true
		}
		t.mu.Unlock()
		before.stop()
		select {
		case <-before.over:
		case <-ctx.Done():
			return nil, false
		case <-late.C:
			return nil, false
		}
	}
}

// leave ends a turn that was taken.
func (t *turns) leave(id string, mine *turn) {
	t.mu.Lock()
	delete(t.at, id)
	t.mu.Unlock()
	close(mine.over)
}

// errBroken means that a body ended before its end.
var errBroken = errors.New("the road broke")

// slow reads a body for as long as bytes come.
type slow struct {
	body    io.Reader
	control *http.ResponseController
	turn    *turn // nil: nobody else can know of the upload yet
}

// Read implements io.Reader. Any error but the end is errBroken.
func (s *slow) Read(b []byte) (int, error) {
	_ = s.control.SetReadDeadline(time.Now().Add(patience)) // a test's writer has none
	if s.turn != nil && s.turn.stopped.Load() {
		return 0, errBroken // looked at after the deadline was put off: stop is not undone
	}
	n, err := s.body.Read(b)
	if err != nil && err != io.EOF {
		err = errBroken
	}
	return n, err
}
