package phone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"langso/sync/wire"
)

// Report is what one Sync did.
type Report struct {
	Exchanges int // requests
	Up, Down  int // bytes of bodies, as sent
	Sent      int // edits
	Verdicts  []wire.Verdict
	Changed   int // records that came or changed
	Gone      int
	Complete  bool
	RetryIn   time.Duration // the server asks for patience
}

// ErrCut means that the answer ended before its end. What came whole is kept;
// the next Sync goes on.
var ErrCut = errors.New("the answer was cut")

// manyPages bounds one Sync against a server that never ends.
const manyPages = 10_000

// Sync meets the server until this phone is complete: usually one exchange. An
// error means that it is not; nothing is lost, and it may be called again at any
// time.
func (p *Phone) Sync(ctx context.Context) (Report, error) {
	p.syncing.Lock()
	defer p.syncing.Unlock()
	var report Report
	for range manyPages {
		again, err := p.exchange(ctx, &report)
		if e := p.scrubIfDue(); err == nil {
			err = e
		}
		if err != nil || !again {
			return report, err
		}
	}
	return report, fmt.Errorf("sync: no end after %d answers", manyPages)
}

// exchange is one ask and its answer; again when there is more to say or hear.
func (p *Phone) exchange(ctx context.Context, report *Report) (again bool, err error) {
	ask, more, err := p.ask()
	if err != nil {
		return false, fmt.Errorf("make ask: %w", err)
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return false, fmt.Errorf("make ask: %w", err)
	}
	encoding := ""
	if len(body) > 1024 {
		body, encoding = pack(body), "zstd"
	}
	report.Exchanges++
	report.Up += len(body)
	report.Sent += len(ask.Edits)
	response, err := p.post(ctx, "/api/sync", body, encoding, true)
	if err != nil {
		return false, p.failed(err)
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, wire.ContentAnswer) {
		return false, fmt.Errorf("%w: answered as %q", ErrNoServer, kind)
	}
	counted := &counter{r: response.Body}
	plain, err := wire.Unpacked(counted, response.Header.Get("Content-Encoding"))
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrCut, err)
	}
	a, err := p.keep(ask, plain, report)
	report.Down += counted.n
	if err != nil {
		return false, fmt.Errorf("keep answer: %w", err)
	}
	if !a.ended {
		if a.retried {
			return false, nil // the server asked for patience
		}
		return false, p.narrow()
	}
	return a.again || (more && a.complete), nil
}

// Watch syncs again and again until ctx ends: every interval, and at once after
// an edit is announced on poke. tell hears of each.
func (p *Phone) Watch(ctx context.Context, every time.Duration, poke <-chan struct{}, tell func(Report, error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		report, err := p.Sync(ctx)
		if ctx.Err() != nil {
			return
		}
		tell(report, err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-poke:
		}
	}
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}
