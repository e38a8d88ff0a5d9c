package phone

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
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
	Loaded    int // records from snapshot files

	Mismatches int // times that a comparison with the server found a difference
	Mended     int // records that were not, or not so, on the server
	Renumbered int // edits whose numbers another copy of this phone had used
	Complete   bool
	RetryIn    time.Duration // the server asks for patience
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
	m := &meeting{Phone: p, report: &report}
	if err := m.takeOffer(ctx); err != nil {
		return report, err
	}
	for range manyPages {
		again, err := m.exchange(ctx)
		if err == nil && !again {
			again, err = p.heed()
		}
		if e := p.scrubIfDue(); err == nil {
			err = e
		}
		if report.Gone > 0 {
			if e := p.SweepFiles(); err == nil { // photos of what left
				err = e
			}
		}
		if err != nil || !again {
			return report, err
		}
	}
	return report, fmt.Errorf("sync: no end after %d answers", manyPages)
}

// meeting is one Sync, of one or several exchanges.
type meeting struct {
	*Phone
	report  *Report
	compare comparison
	without bool // snapshot files: one could not be had
}

// exchange is one ask and its answer; again when there is more to say or hear.
func (m *meeting) exchange(ctx context.Context) (again bool, err error) {
	if err := m.claim(); err != nil {
		return false, err
	}
	ask, err := m.ask()
	if err == nil {
		err = m.compare.due(m.Phone, ask.Ask)
	}
	if err != nil {
		return false, fmt.Errorf("make ask: %w", err)
	}
	ask.Check, ask.listed = m.compare.next, m.compare.listed
	ask.Snapshots = ask.Snapshots && !m.without
	a, err := m.meet(ctx, ask)
	if err != nil {
		return false, err
	}
	switch {
	case len(a.load) > 0:
		m.without, err = m.fetch(ctx, a.load)
		return err == nil, err
	case a.retried:
		return false, nil // the server asked for patience
	case !a.ended:
		return false, ErrCut
	case a.complete:
		if again, err = m.compare.heard(m.Phone, a); err != nil {
			return false, fmt.Errorf("compare: %w", err)
		}
	}
	return again || a.again || (ask.more && a.complete), nil
}

// meet sends an ask and keeps its answer.
func (m *meeting) meet(ctx context.Context, ask *asking) (*answer, error) {
	m.report.Exchanges++
	m.report.Sent += len(ask.Edits)
	chunks, counted, done, err := m.talk(ctx, ask.Ask)
	if err != nil {
		return nil, err
	}
	defer done()
	a, err := m.keep(ask, chunks, m.report)
	m.report.Down += counted.n
	if err != nil {
		return nil, fmt.Errorf("keep answer: %w", err)
	}
	return a, nil
}

// talk sends an ask in the form that this phone speaks and begins to read the
// answer; done is to be called at the end.
func (m *meeting) talk(ctx context.Context, ask *wire.Ask) (chunks, *counter, func(), error) {
	if !m.json {
		chunks, counted, done, err := m.talkBinary(ctx, ask)
		var f *Failure
		if !errors.As(err, &f) || f.Code != "dictionary" {
			return chunks, counted, done, err
		}
		// A server that does not know this dictionary (any more) understands JSON.
	}
	return m.talkText(ctx, ask)
}

func (m *meeting) talkText(ctx context.Context, ask *wire.Ask) (chunks, *counter, func(), error) {
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("make ask: %w", err)
	}
	encoding := ""
	if len(body) > 1024 {
		body, encoding = pack(body), "zstd"
	}
	m.report.Up += len(body)
	response, err := m.post(ctx, "/api/sync", body, encoding, true)
	if err != nil {
		return nil, nil, nil, m.failed(err)
	}
	done := func() { finish(response) }
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, wire.ContentAnswer) {
		done()
		return nil, nil, nil, fmt.Errorf("%w: answered as %q", ErrNoServer, kind)
	}
	counted := &counter{r: response.Body}
	plain, err := wire.Unpacked(counted, response.Header.Get("Content-Encoding"))
	if err != nil {
		done()
		return nil, nil, nil, fmt.Errorf("%w: %w", ErrCut, err)
	}
	return wire.ReadAnswer(plain), counted, done, nil
}

func (m *meeting) talkBinary(ctx context.Context, ask *wire.Ask) (chunks, *counter, func(), error) {
	id, _, err := m.Self()
	if err != nil {
		return nil, nil, nil, err
	}
	if id == "" {
		return nil, nil, nil, ErrSignedOut
	}
	key, err := m.key()
	if err != nil {
		return nil, nil, nil, err
	}
	body, err := wire.WriteBinaryAsk(ask, id, wire.LatestDictionary(), func(b []byte) []byte {
		return ed25519.Sign(key, wire.SigningBytes(http.MethodPost, "/api/sync", b))
	})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("make ask: %w", err)
	}
	m.report.Up += len(body)
	request, err := m.newPost(ctx, "/api/sync", body)
	if err != nil {
		return nil, nil, nil, err
	}
	request.Header["User-Agent"] = []string{""} // not even Go's own
	response, err := m.do(request)
	if err != nil {
		return nil, nil, nil, m.failed(err)
	}
	done := func() { finish(response) }
	counted := &counter{r: response.Body}
	answers, err := wire.ReadBinaryAnswer(counted)
	if err != nil {
		done()
		return nil, nil, nil, fmt.Errorf("%w: not our answer", ErrNoServer)
	}
	return answers, counted, done, nil
}

// finish closes an answer; one that was read to its end leaves its connection
// for the next request, which saves a slow road two journeys.
func finish(response *http.Response) {
	_, _ = io.CopyN(io.Discard, response.Body, 512)
	_ = response.Body.Close()
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
