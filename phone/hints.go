package phone

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"langso/sync/wire"
)

const hintsPath = "/api/sync/hints"

// How a phone listens (docs/PROTOCOL.md §12).
const (
	hintSilence  = 100 * time.Second // a stream that says nothing for so long is dead: it beats each 40 s
	hintGreeting = 10 * time.Second  // a stream that does not even greet is held back by a proxy
	hintWait     = 55 * time.Second  // of a long-poll
	hintPolls    = 10                // long-polls before a stream is tried again
	hintFirst    = time.Second       // the first wait after a failure, at most; doubled at each
	hintLongest  = time.Minute       // the longest
)

// hint is what the server says.
type hint struct {
	Head int64 `json:"head"`
}

// errHeldBack says that streams do not pass here.
var errHeldBack = errors.New("the stream is held back")

// Hints listens for hints of the server until ctx ends: each number that is
// received says that a Sync would bring something. Hints that nobody takes are
// one, the newest. A broken road is tried again, each time later and at a random
// moment; a wait the server asks for is kept. The channel is closed when ctx
// ends, and when the server no longer accepts this phone: then after a last
// number, so that the next Sync tells why. ErrSignedOut means that no phone is
// signed in here.
func (p *Phone) Hints(ctx context.Context) (<-chan int64, error) {
	id, _, err := p.Self()
	if err != nil {
		return nil, err
	}
	if id == "" {
		return nil, ErrSignedOut
	}
	out := make(chan int64, 1)
	l := &listening{phone: p, tell: func(n int64) {
		for {
			select {
			case out <- n:
				return
			default:
			}
			select {
			case <-out:
			default:
			}
		}
	}}
	go func() {
		defer close(out)
		l.run(ctx)
	}()
	return out, nil
}

// listening is one life of Hints.
type listening struct {
	phone *Phone
	tell  func(int64)
	heard int64 // the greatest number heard
	polls int   // long-polls to do before a stream is tried again
}

func (l *listening) run(ctx context.Context) {
	for fails := 0; ctx.Err() == nil; {
		began := time.Now()
		var err error
		if l.polls > 0 {
			l.polls--
			err = l.listen(ctx, hintWait)
		} else if err = l.listen(ctx, 0); errors.Is(err, errHeldBack) {
			l.polls = hintPolls
			continue
		}
		var f *Failure
		if errors.As(err, &f) && (f.Status == http.StatusUnauthorized || f.Status == http.StatusForbidden) {
			l.tell(l.heard)
			return
		}
		if err == nil && l.polls > 0 {
			fails = 0
			continue
		}
		if time.Since(began) > hintLongest {
			fails = 0 // it worked for a while
		}
		pause := time.Duration(rand.Int64N(int64(min(hintLongest, hintFirst<<min(fails, 10)))))
		var later *laterError
		if errors.As(err, &later) {
			pause = later.after + time.Duration(rand.Int64N(int64(later.after/2)+1))
		}
		fails++
		wait(ctx, pause)
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// laterError is a server that asks for patience.
type laterError struct {
	after time.Duration
	error
}

func (e *laterError) Unwrap() error { return e.error }

// listen does one request: a stream until it ends, or one long-poll. A nil error
// of a long-poll is an answer.
func (l *listening) listen(ctx context.Context, poll time.Duration) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	patience := time.AfterFunc(hintGreeting+poll, stop)
	defer patience.Stop()
	cursor, err := getNumber(l.phone.db, "cursor")
	if err != nil {
		return err
	}
	epoch, err := getMeta(l.phone.db, "epoch")
	if err != nil {
		return err
	}
	response, err := l.phone.askForHints(ctx, map[string]any{"above": max(cursor, l.heard), "epoch": epoch, "wait": int(poll / time.Second)})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNoContent {
		return nil
	}
	kind := response.Header.Get("Content-Type")
	switch {
	case poll > 0 && strings.HasPrefix(kind, "application/json"):
		raw, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		if err != nil {
			return err
		}
		return l.hear(raw)
	case poll > 0 || !strings.HasPrefix(kind, "text/event-stream"):
		return fmt.Errorf("%w: answered as %q", ErrNoServer, kind)
	}
	greeted := false
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		greeted = true
		patience.Reset(hintSilence)
		if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
			if err := l.hear([]byte(data)); err != nil {
				return err
			}
		}
	}
	if !greeted && ctx.Err() != nil {
		return errHeldBack
	}
	return lines.Err()
}

func (l *listening) hear(raw []byte) error {
	var h hint
	if err := json.Unmarshal(raw, &h); err != nil {
		return fmt.Errorf("%w: no hint", ErrNoServer)
	}
	l.heard = max(l.heard, h.Head)
	l.tell(h.Head)
	return nil
}

// askForHints sends the signed request. The client's own time limit is for
// exchanges; a stream has none.
func (p *Phone) askForHints(ctx context.Context, ask map[string]any) (*http.Response, error) {
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	request, err := p.newPost(ctx, hintsPath, body)
	if err != nil {
		return nil, err
	}
	id, _, err := p.Self()
	if err != nil {
		return nil, err
	}
	key, err := p.key()
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", wire.ContentAsk)
	request.Header.Set("User-Agent", "langso")
	request.Header.Set("Authorization", wire.Authorization(id, ed25519.Sign(key, wire.SigningBytes(http.MethodPost, hintsPath, body))))
	response, err := (&http.Client{Transport: p.client.Transport}).Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoServer, err)
	}
	if response.StatusCode < 400 {
		return response, nil
	}
	defer response.Body.Close()
	f := &Failure{Status: response.StatusCode}
	raw, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil || json.Unmarshal(raw, &f.Failure) != nil || f.Code == "" {
		return nil, fmt.Errorf("%w: status %d", ErrNoServer, response.StatusCode)
	}
	if after, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && after > 0 {
		return nil, &laterError{time.Duration(min(after, 3600)) * time.Second, f}
	}
	return nil, f
}
