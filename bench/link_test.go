package bench

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// link is a slow road between phones and the server: a TCP proxy with a delay
// each way, a rate each way shared by all connections, and, where breakAfter is
// set, a road that breaks each connection after so many bytes down and is away
// for a second.
type link struct {
	listener   net.Listener
	to         string
	delay      time.Duration
	up, down   *rate
	breakAfter int64
	awayUntil  atomic.Int64
	bytesDown  atomic.Int64
	bytesUp    atomic.Int64
}

// rate lets bytes pass one after the other.
type rate struct {
	mu     sync.Mutex
	perSec float64
	free   time.Time
}

// reserve returns when n bytes are through.
func (r *rate) reserve(n int) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.free.Before(now) {
		r.free = now
	}
	r.free = r.free.Add(time.Duration(float64(n) / r.perSec * float64(time.Second)))
	return r.free
}

func newLink(b *testing.B, to string, l *link) string {
	b.Helper()
	u, err := url.Parse(to)
	if err != nil {
		b.Fatal(err)
	}
	l.to = u.Host
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.listener.Close() })
	go l.accept()
	return "http://" + l.listener.Addr().String()
}

func (l *link) accept() {
	for {
		c, err := l.listener.Accept()
		if err != nil {
			return
		}
		if time.Now().UnixNano() < l.awayUntil.Load() {
			_ = c.Close()
			continue
		}
		go l.carry(c)
	}
}

func (l *link) carry(c net.Conn) {
	time.Sleep(2 * l.delay) // the handshake of a connection
	s, err := net.Dial("tcp", l.to)
	if err != nil {
		_ = c.Close()
		return
	}
	done := make(chan struct{}, 2)
	go func() { l.pipe(s, c, l.up, &l.bytesUp, 0); done <- struct{}{} }()
	go func() { l.pipe(c, s, l.down, &l.bytesDown, l.breakAfter); done <- struct{}{} }()
	<-done
	_ = errors.Join(c.Close(), s.Close())
	<-done
}

type packet struct {
	bytes []byte
	at    time.Time
}

// pipe carries bytes: read as they come, written when they are through.
func (l *link) pipe(to io.Writer, from io.Reader, r *rate, count *atomic.Int64, breakAfter int64) {
	queue := make(chan packet, 1<<14)
	go func() {
		defer close(queue)
		for {
			buf := make([]byte, 1400)
			n, err := from.Read(buf)
			if n > 0 {
				at := time.Now()
				if r != nil {
					at = r.reserve(n)
				}
				queue <- packet{buf[:n], at.Add(l.delay)}
			}
			if err != nil {
				return
			}
		}
	}()
	passed := int64(0)
	for p := range queue {
		time.Sleep(time.Until(p.at))
		if breakAfter > 0 && passed+int64(len(p.bytes)) > breakAfter {
			p.bytes = p.bytes[:breakAfter-passed]
		}
		n, err := to.Write(p.bytes)
		passed += int64(n)
		count.Add(int64(n))
		if err != nil {
			return
		}
		if breakAfter > 0 && passed >= breakAfter {
			l.awayUntil.Store(time.Now().Add(time.Second).UnixNano())
			return
		}
	}
}

func plain() *http.Transport { return &http.Transport{DisableCompression: true} }

// BenchmarkLinkEDGE: a first sync over 300 ms each way, 100 kbit/s down, 40 up.
// over-ideal is the time taken over what the bytes and two round trips need.
func BenchmarkLinkEDGE(b *testing.B) {
	p := communeOf(b, workload)
	for b.Loop() {
		l := &link{delay: 300 * time.Millisecond, down: &rate{perSec: 100_000 / 8}, up: &rate{perSec: 40_000 / 8}}
		ph := p.phoneOver(b, newLink(b, p.url, l), plain())
		start := time.Now()
		mustSync(b, ph)
		took := time.Since(start).Seconds()
		ideal := float64(l.bytesDown.Load())/(100_000/8) + 4*0.3
		b.ReportMetric(took, "s/sync")
		b.ReportMetric(took/ideal, "over-ideal")
		b.ReportMetric(float64(l.bytesDown.Load()), "bytes-down/op")
	}
}

// BenchmarkLinkBreaks: every connection breaks after 30 kB and 100 kB and the
// road is away for a second; the first sync ends by itself. over-unbroken is the
// bytes down over those of a road that holds.
func BenchmarkLinkBreaks(b *testing.B) {
	p := communeOf(b, workload)
	for _, after := range []int64{100_000, 30_000, 10_000} {
		b.Run(map[int64]string{100_000: "100kB", 30_000: "30kB", 10_000: "10kB"}[after], func(b *testing.B) {
			for b.Loop() {
				whole := &link{}
				mustSync(b, p.phoneOver(b, newLink(b, p.url, whole), plain()))
				l := &link{breakAfter: after}
				ph := p.phoneOver(b, newLink(b, p.url, l), plain())
				tries := 0
				for {
					r, err := ph.Sync(context.Background())
					if tries++; r.Complete {
						break
					}
					if err == nil || tries > 200 {
						b.Fatal(err, tries)
					}
					time.Sleep(100 * time.Millisecond)
				}
				b.ReportMetric(float64(tries), "tries/op")
				b.ReportMetric(float64(l.bytesDown.Load())/float64(whole.bytesDown.Load()), "over-unbroken")
				b.ReportMetric(float64(l.bytesDown.Load()), "bytes-down/op")
			}
		})
	}
}
