package hints

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/sync/phones"
	"langso/sync/wire"
)

// Path is where phones listen.
const Path = "/api/sync/hints"

// longest is how long a long-poll waits at most.
const longest = 55 * time.Second

// ask is what a phone sends: where it stands, and whether it wants a long-poll.
type ask struct {
	Above int64  `json:"above"` // the greatest number it has heard of
	Epoch string `json:"epoch"` // the history that number belongs to
	Wait  int    `json:"wait"`  // seconds of a long-poll; 0: a stream
}

// Bind registers the route.
func (h *Hub) Bind(se *core.ServeEvent) {
	h.init()
	se.Router.POST(Path, h.Serve).Bind(apis.SkipSuccessActivityLog()).Unbind(apis.DefaultLoadAuthTokenMiddlewareId)
}

// Serve answers one signed POST: as a stream of events until the phone goes, or
// with one hint when the ask names a wait.
func (h *Hub) Serve(e *core.RequestEvent) error {
	body, err := io.ReadAll(io.LimitReader(e.Request.Body, 4<<10))
	if err != nil {
		return phones.WriteError(e.Response, badAsk)
	}
	p, err := h.Phones.Signed(e.Request, body)
	if err != nil {
		return phones.WriteError(e.Response, err)
	}
	var a ask
	if json.Unmarshal(body, &a) != nil || a.Above < 0 || a.Wait < 0 {
		return phones.WriteError(e.Response, badAsk)
	}
	l := &listener{phone: p.ID, person: p.Person, key: p.Key, above: a.Above, head: a.Above}
	if l.circles, err = h.Standing(p.Person); err != nil {
		return phones.WriteError(e.Response, err)
	}
	if a.Wait > 0 {
		return h.wait(e, l, a)
	}
	return h.stream(e, l, a)
}

var badAsk = &wire.AskError{Status: http.StatusBadRequest, Failure: wire.Failure{Code: "bad_ask", Say: "Máy chủ không đọc được yêu cầu này."}}

// full refuses when too many listen. Phones come back each at another time;
// meanwhile they sync by the clock.
func full(w http.ResponseWriter) error {
	w.Header().Set("Retry-After", retryAfter())
	return phones.WriteError(w, &wire.AskError{Status: http.StatusServiceUnavailable, Failure: tooMany})
}

var tooMany = wire.Failure{Code: "too_many_listeners", Say: "Máy chủ đang có nhiều máy cùng nghe, máy vẫn tự đồng bộ mỗi phút."}

func retryAfter() string { return strconv.Itoa(60 + rand.IntN(120)) }

// behind tells what a phone has to hear at once: it is asked after the listener
// was taken in, so that nothing falls between.
func (h *Hub) behind(ctx context.Context, l *listener, a ask) (hint Head, has bool) {
	h.mu.Lock()
	circles := l.circles // none when it was dropped meanwhile
	h.mu.Unlock()
	head, ahead, err := h.Ahead(ctx, circles, a.Above)
	if err != nil {
		return Head{}, false // it hears what comes; the clock brings the rest
	}
	other := a.Epoch != "" && a.Epoch != head.Epoch
	if !other {
		head.Epoch = ""
	} else { // its number means nothing here
		h.mu.Lock()
		l.above, l.head = 0, head.Seq
		h.mu.Unlock()
	}
	return head, ahead || other
}

func (h *Hub) stream(e *core.RequestEvent, l *listener, a ask) error {
	header := e.Response.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx holds streams back otherwise
	header.Del("X-Frame-Options")
	header.Del("X-Xss-Protection")
	err := h.takeOver(e.Response, l)
	if errors.Is(err, http.ErrNotSupported) { // HTTP/2
		return h.park(e, l, a)
	}
	if err != nil {
		return nil // it is gone, or was told that there is no room
	}
	if hint, has := h.behind(e.Request.Context(), l, a); has && l.sink.hint(hint) != nil {
		h.drop(l)
	}
	return nil
}

// takeOver makes the request's connection a stream. From then on nothing of the
// request is kept: a connection, a small goroutine that waits for its end, and
// the listener.
func (h *Hub) takeOver(w http.ResponseWriter, l *listener) error {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	header := w.Header()
	s := &socket{conn: conn}
	l.sink = s
	s.mu.Lock() // the greeting comes before the first hint
	if !h.add(l, time.Now()) {
		s.mu.Unlock()
		header.Set("Retry-After", retryAfter())
		header.Set("Content-Type", "application/json")
		return errors.Join(errFull, refuse(conn, header), conn.Close())
	}
	err = greet(conn, header)
	s.mu.Unlock()
	if err != nil {
		h.drop(l)
		return err
	}
	go h.untilClosed(l, conn)
	return nil
}

var errFull = errors.New("too many listen")

// alive is a comment line: it says that the stream flows.
const alive = ":\n\n"

func greet(conn net.Conn, header http.Header) error {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\nConnection: close\r\n")
	_ = header.Write(&b) // into memory
	b.WriteString("\r\n" + alive)
	_ = conn.SetDeadline(time.Time{}) // the server's limits are for requests
	return write(conn, b.Bytes())
}

func refuse(conn net.Conn, header http.Header) error {
	raw, err := json.Marshal(tooMany)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: " + strconv.Itoa(len(raw)) + "\r\n")
	_ = header.Write(&b)
	b.WriteString("\r\n")
	b.Write(raw)
	return write(conn, b.Bytes())
}

// untilClosed waits for the end of a connection: a phone says nothing more.
func (h *Hub) untilClosed(l *listener, conn net.Conn) {
	var b [1]byte
	_, _ = conn.Read(b[:])
	h.drop(l)
}

// soon is how long a write may wait for a phone that does not read: what its
// connection's buffer takes, it takes at once.
const soon = 50 * time.Millisecond

func write(conn net.Conn, b []byte) error {
	_ = conn.SetWriteDeadline(time.Now().Add(soon))
	_, err := conn.Write(b)
	return err
}

// socket is a phone at the other end of a connection of its own.
type socket struct {
	mu   sync.Mutex // held for one write, at most [soon]
	conn net.Conn
}

func (s *socket) hint(head Head) error { return s.say(event(head)) }
func (s *socket) beat() error          { return s.say([]byte(alive)) }
func (s *socket) close()               { _ = s.conn.Close() }

func (s *socket) say(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return write(s.conn, b)
}

func event(head Head) []byte { return []byte("data: " + said(head) + "\n\n") }

// said is a hint in words: {"head":131}, with the epoch when it is another.
func said(head Head) string {
	if head.Epoch == "" {
		return fmt.Sprintf(`{"head":%d}`, head.Seq)
	}
	return fmt.Sprintf(`{"head":%d,"epoch":%q}`, head.Seq, head.Epoch)
}

// slot is a phone whose handler waits: on HTTP/2, where connections are shared,
// and in a long-poll.
type slot struct {
	hints chan Head     // one: a newer hint takes the place of an older
	beats chan struct{} // one
	done  context.CancelFunc
}

func newSlot(ctx context.Context) (*slot, context.Context) {
	ctx, done := context.WithCancel(ctx)
	return &slot{make(chan Head, 1), make(chan struct{}, 1), done}, ctx
}

func (s *slot) hint(head Head) error {
	for {
		select {
		case s.hints <- head:
			return nil
		default:
		}
		select {
		case <-s.hints:
		default:
		}
	}
}

var errStuck = errors.New("the phone does not read")

// beat fails when the beat before was not written yet.
func (s *slot) beat() error {
	select {
	case s.beats <- struct{}{}:
		return nil
	default:
		return errStuck
	}
}

func (s *slot) close() { s.done() }

// park streams from within the handler.
func (h *Hub) park(e *core.RequestEvent, l *listener, a ask) error {
	s, ctx := newSlot(e.Request.Context())
	l.sink = s
	if !h.add(l, time.Now()) {
		return full(e.Response)
	}
	defer h.drop(l)
	rc := http.NewResponseController(e.Response)
	_ = rc.SetReadDeadline(time.Time{})
	say := func(b []byte) bool {
		_ = rc.SetWriteDeadline(time.Now().Add(10 * time.Second))
		_, err := e.Response.Write(b)
		return err == nil && rc.Flush() == nil
	}
	e.Response.WriteHeader(http.StatusOK)
	flows := say([]byte(alive))
	if hint, has := h.behind(ctx, l, a); has && flows {
		flows = say(event(hint))
	}
	for flows {
		select {
		case head := <-s.hints:
			flows = say(event(head))
		case <-s.beats:
			flows = say([]byte(alive))
		case <-ctx.Done():
			select { // the last word of a phone that is dropped
			case head := <-s.hints:
				say(event(head))
			default:
			}
			return nil
		}
	}
	return nil
}

// wait is a long-poll: {"head":n} as soon as there is something, else 204.
func (h *Hub) wait(e *core.RequestEvent, l *listener, a ask) error {
	s, ctx := newSlot(e.Request.Context())
	l.sink = s
	if !h.add(l, time.Now()) {
		return full(e.Response)
	}
	defer h.drop(l)
	hint, has := h.behind(ctx, l, a)
	if !has {
		timer := time.NewTimer(min(longest, time.Duration(min(a.Wait, 3600))*time.Second))
		defer timer.Stop()
	waiting:
		for {
			select {
			case hint = <-s.hints:
				has = true
				break waiting
			case <-s.beats: // nothing is said meanwhile
			case <-timer.C:
				break waiting
			case <-ctx.Done():
				select {
				case hint = <-s.hints:
					has = true
				default:
				}
				break waiting
			}
		}
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	if !has {
		e.Response.WriteHeader(http.StatusNoContent)
		return nil
	}
	e.Response.Header().Set("Content-Type", "application/json")
	_, err := io.WriteString(e.Response, said(hint))
	return err
}
