package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy is the one TCP way between phones and a server. It counts what passes:
// every byte that is delivered, with all headers, every connection, and every
// HTTP/1.1 request. What TCP, IP and TLS add is not counted, for any engine.
type Proxy struct {
	listener net.Listener
	to       string

	mu      sync.Mutex
	open    map[net.Conn]bool
	carried time.Time
	count   Count
	shape   Shape
	up      rate
	down    rate
	away    bool
}

// Count is what passed.
type Count struct {
	Up, Down    int64 // bytes
	Connections int   // opened
	Requests    int   // of HTTP/1.1; a WebSocket's opening is one
	Messages    int   // WebSocket frames after that, both ways
}

// Shape is what a proxy does to bytes. The zero value does nothing.
type Shape struct {
	Delay    time.Duration // each way; a connection's handshake takes it twice
	Up, Down float64       // bits a second, shared by all connections; 0: no limit
}

// EDGE is the link of a village behind the hill.
var EDGE = Shape{Delay: 300 * time.Millisecond, Up: 40_000, Down: 100_000}

// NewProxy opens a proxy to the server at a loopback address, host:port.
func NewProxy(to string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Proxy{listener: l, to: to, open: map[net.Conn]bool{}}
	go r.accept()
	return r, nil
}

// Address is where phones find the proxy, host:port.
func (r *Proxy) Address() string { return r.listener.Addr().String() }

// Close ends the proxy and what is open on it.
func (r *Proxy) Close() error {
	err := r.listener.Close()
	r.HangUp()
	return err
}

// Begin hangs up what is open, takes the shape and counts from nothing: a phone
// that was out of reach comes back.
func (r *Proxy) Begin(s Shape) {
	r.HangUp()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count, r.shape, r.away = Count{}, s, false
	r.up, r.down = rate{bits: s.Up}, rate{bits: s.Down}
}

// Away hangs up and refuses connections until Begin: no signal.
func (r *Proxy) Away() {
	r.mu.Lock()
	r.away = true
	r.mu.Unlock()
	r.HangUp()
}

// HangUp ends all connections and returns when they are gone.
func (r *Proxy) HangUp() {
	r.mu.Lock()
	for c := range r.open {
		_ = c.Close()
	}
	r.mu.Unlock()
	for {
		r.mu.Lock()
		n := len(r.open)
		r.mu.Unlock()
		if n == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// End waits until nothing has passed for a while, so that late
// acknowledgements and farewells are counted too, and returns the count.
func (r *Proxy) End(still time.Duration) Count {
	for {
		r.mu.Lock()
		since, n := time.Since(r.carried), r.count
		r.mu.Unlock()
		if since >= still {
			return n
		}
		time.Sleep(still - since)
	}
}

func (r *Proxy) accept() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		away := r.away
		if !away {
			r.open[c] = true
			r.count.Connections++
			r.carried = time.Now()
		}
		r.mu.Unlock()
		if away {
			_ = c.Close()
			continue
		}
		go r.carry(c)
	}
}

func (r *Proxy) carry(c net.Conn) {
	defer func() {
		_ = c.Close()
		r.mu.Lock()
		delete(r.open, c)
		r.mu.Unlock()
	}()
	r.mu.Lock()
	s, up, down := r.shape, &r.up, &r.down
	r.mu.Unlock()
	time.Sleep(2 * s.Delay) // the handshake of a connection
	far, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer far.Close()
	look := newLookout(r)
	defer look.close()
	done := make(chan bool, 2)
	go func() { r.pipe(far, io.TeeReader(c, look.up), up, s.Delay, &r.count.Up); done <- true }()
	go func() { r.pipe(c, io.TeeReader(far, look.down), down, s.Delay, &r.count.Down); done <- true }()
	<-done
	_, _ = c.Close(), far.Close()
	<-done
}

type packet struct {
	bytes []byte
	at    time.Time
}

// pipe carries bytes: read as they come, written when they are through.
func (r *Proxy) pipe(to io.Writer, from io.Reader, rate *rate, delay time.Duration, count *int64) {
	queue := make(chan packet, 1<<14)
	go func() {
		defer close(queue)
		for {
			buf := make([]byte, 1400)
			n, err := from.Read(buf)
			if n > 0 {
				queue <- packet{buf[:n], r.reserve(rate, n).Add(delay)}
			}
			if err != nil {
				return
			}
		}
	}()
	broken := false
	for p := range queue { // to the end, or the reader would hang
		if broken {
			continue
		}
		time.Sleep(time.Until(p.at))
		n, err := to.Write(p.bytes)
		r.mu.Lock()
		*count += int64(n)
		r.carried = time.Now()
		r.mu.Unlock()
		broken = err != nil
	}
}

// rate lets bytes pass one after the other.
type rate struct {
	bits float64
	free time.Time
}

// reserve returns when n bytes are through.
func (r *Proxy) reserve(t *rate, n int) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if t.bits == 0 {
		return now
	}
	if t.free.Before(now) {
		t.free = now
	}
	t.free = t.free.Add(time.Duration(float64(n) * 8 / t.bits * float64(time.Second)))
	return t.free
}

// lookout reads along to count requests and, after an upgrade, frames.
type lookout struct {
	up, down *io.PipeWriter
	upgraded atomic.Bool
}

func newLookout(r *Proxy) *lookout {
	upOut, up := io.Pipe()
	downOut, down := io.Pipe()
	l := &lookout{up: up, down: down}
	go l.requests(r, upOut)
	go l.answers(r, downOut)
	return l
}

func (l *lookout) close() { _, _ = l.up.Close(), l.down.Close() }

// requests counts requests. It reads to the end whatever comes, so that the
// bytes it reads along with are never held up.
func (l *lookout) requests(r *Proxy, from io.Reader) {
	in := bufio.NewReader(from)
	defer func() { _, _ = io.Copy(io.Discard, in) }()
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		upgrade := req.Header.Get("Upgrade") != ""
		if upgrade {
			l.upgraded.Store(true)
		}
		r.mu.Lock()
		r.count.Requests++
		r.mu.Unlock()
		if upgrade {
			frames(r, in)
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
	}
}

// answers counts the frames after the answer to an upgrade.
func (l *lookout) answers(r *Proxy, from io.Reader) {
	in := bufio.NewReader(from)
	defer func() { _, _ = io.Copy(io.Discard, in) }()
	if _, err := in.Peek(1); err != nil || !l.upgraded.Load() {
		return
	}
	response, err := http.ReadResponse(in, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		return
	}
	frames(r, in)
}

// frames counts WebSocket frames, RFC 6455 section 5.2.
func frames(r *Proxy, in *bufio.Reader) {
	for {
		var head [14]byte
		if _, err := io.ReadFull(in, head[:2]); err != nil {
			return
		}
		n := int64(head[1] & 0x7f)
		more := map[int64]int{126: 2, 127: 8}[n]
		if more > 0 {
			if _, err := io.ReadFull(in, head[2:2+more]); err != nil {
				return
			}
			n = 0
			for _, b := range head[2 : 2+more] {
				n = n<<8 | int64(b)
			}
		}
		if head[1]&0x80 != 0 {
			n += 4 // the mask
		}
		r.mu.Lock()
		r.count.Messages++
		r.mu.Unlock()
		if _, err := io.CopyN(io.Discard, in, n); err != nil {
			return
		}
	}
}
