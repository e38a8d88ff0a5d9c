package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func proxyTo(t *testing.T, h http.Handler) (*Proxy, *http.Client) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	r, err := NewProxy(strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return r, &http.Client{Transport: transport}
}

func answer(t *testing.T, c *http.Client, method, url, body string) string {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// A proxy counts each byte that was written on it, both ways, headers included.
func TestProxyCountsEveryByte(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const reply = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(c, reply)
		}
	}()
	r, err := NewProxy(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.Begin(Shape{})
	c, err := net.Dial("tcp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	asks := []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
		"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	}
	for _, ask := range asks {
		if _, err := io.WriteString(c, ask); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(reply))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != reply {
			t.Fatal(string(got), err)
		}
	}
	want := Count{Up: int64(len(strings.Join(asks, ""))), Down: int64(3 * len(reply)), Connections: 1, Requests: 3}
	if got := r.End(20 * time.Millisecond); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	r.Begin(Shape{})
	if got := r.End(20 * time.Millisecond); got != (Count{}) {
		t.Errorf("after Begin: %+v", got)
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a connection outlives Begin: %v", err)
	}
}

// What a server sends while the phone sends is carried too, and large bodies arrive whole.
func TestProxyCarriesLargeBodies(t *testing.T) {
	r, c := proxyTo(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { _, _ = io.Copy(w, q.Body) }))
	r.Begin(Shape{})
	body := strings.Repeat("Phúc Hoà ", 200_000)
	if got := answer(t, c, http.MethodPost, "http://"+r.Address(), body); got != body {
		t.Errorf("%d of %d bytes came back", len(got), len(body))
	}
	if n := r.End(20 * time.Millisecond); n.Up < int64(len(body)) || n.Down < int64(len(body)) || n.Requests != 1 {
		t.Errorf("counted %+v", n)
	}
}

// A WebSocket's opening is a request; its frames are counted one by one.
func TestProxyCountsFrames(t *testing.T) {
	frame := append([]byte{0x82, 126, 0x01, 0x00}, make([]byte, 256)...)
	r, _ := proxyTo(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		for range 3 {
			_, _ = c.Write(frame)
		}
		_, _ = io.ReadFull(c, make([]byte, 2+4+5))
	}))
	r.Begin(Shape{})
	c, err := net.Dial("tcp", r.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(c)
	if _, err := http.ReadResponse(in, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(in, make([]byte, 3*len(frame))); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(append([]byte{0x81, 0x80 | 5, 1, 2, 3, 4}, "hallo"...)); err != nil {
		t.Fatal(err)
	}
	if n := r.End(20 * time.Millisecond); n.Requests != 1 || n.Messages != 4 {
		t.Errorf("counted %+v, want one request and four frames", n)
	}
}

// While the phone is away nothing passes; the proxy knows when it is back.
func TestProxyAway(t *testing.T) {
	r, c := proxyTo(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	r.Begin(Shape{})
	answer(t, c, http.MethodGet, "http://"+r.Address(), "")
	r.Away()
	if response, err := c.Get("http://" + r.Address()); err == nil {
		response.Body.Close()
		t.Error("somebody answers on a proxy that is away")
	}
	r.Begin(Shape{})
	if got := answer(t, c, http.MethodGet, "http://"+r.Address(), ""); got != "here" {
		t.Errorf("the proxy does not come back: %q", got)
	}
	if n := r.End(20 * time.Millisecond); n.Connections != 1 || n.Requests != 1 {
		t.Errorf("counted %+v", n)
	}
}

// Each byte waits for those before it, on whatever connection they are.
func TestRateIsShared(t *testing.T) {
	r := &Proxy{}
	slow := &rate{bits: 8000} // 1000 bytes a second
	begin := time.Now()
	r.reserve(slow, 500)
	if at := r.reserve(slow, 1500).Sub(begin); at < 2*time.Second || at > 3*time.Second {
		t.Errorf("2000 bytes at 1000 a second are through after %v", at)
	}
	if at := r.reserve(&rate{}, 1<<30); time.Until(at) > 0 {
		t.Error("a link without a limit makes bytes wait")
	}
}

// A shaped proxy takes a round trip for the handshake and one for the answer.
func TestProxyDelays(t *testing.T) {
	r, c := proxyTo(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	r.Begin(Shape{Delay: 10 * time.Millisecond})
	begin := time.Now()
	answer(t, c, http.MethodGet, "http://"+r.Address(), "")
	if took := time.Since(begin); took < 40*time.Millisecond {
		t.Errorf("an answer after %v over 10 ms each way", took)
	}
}
