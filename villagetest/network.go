package villagetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
)

// Network carries requests to the server in memory. Its faults are functions,
// so that a simulation decides by its seed.
type Network struct {
	server *Server
	// Fault decides what happens to a request; nil: nothing.
	Fault func() Fault
	// Requests, Up and Down count what was carried, bodies only.
	Requests, Up, Down atomic.Int64

	// Keep makes the network remember what it carried, for Replay and Stale.
	Keep  bool
	mu    sync.Mutex
	asked []*sent
	late  []*http.Response // answers that were held up, the oldest first
}

// sent is a request as it went over the wire.
type sent struct {
	method, url string
	header      http.Header
	body        []byte
}

// Fault is what a bad network does to one request.
type Fault struct {
	Drop    bool          // the request never arrives
	Repeat  bool          // it arrives twice; the second answer comes back
	Lose    bool          // it arrives, the answer does not
	Cut     func(int) int // how many of the answer's bytes come through
	Captive bool          // a portal answers a page instead
	Delay   bool          // as Lose, but the answer is held up and may come as a Stale one
	Stale   bool          // the oldest answer that was held up comes back instead of this one's
	Between func()        // called when the server has committed and the answer is not yet under way
}

// Network returns a network to this server without faults.
func (s *Server) Network() *Network { return &Network{server: s} }

var errLost = errors.New("the network lost it")

// RoundTrip implements http.RoundTripper.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	n.Requests.Add(1)
	n.Up.Add(int64(len(body)))
	var f Fault
	if n.Fault != nil {
		f = n.Fault()
	}
	switch {
	case f.Drop:
		return nil, errLost
	case f.Captive:
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: io.NopCloser(bytes.NewReader([]byte("<html>Đăng nhập Wi-Fi</html>\n"))), Request: r}, nil
	}
	ask := &sent{r.Method, r.URL.String(), r.Header.Clone(), body}
	n.remember(ask)
	response := n.serve(ask)
	if f.Repeat {
		response = n.serve(ask)
	}
	if f.Between != nil {
		f.Between()
	}
	switch {
	case f.Delay:
		n.mu.Lock()
		n.late = append(n.late, response)
		n.mu.Unlock()
		return nil, errLost
	case f.Lose:
		return nil, errLost
	case f.Stale:
		response = n.stale(response)
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if f.Cut != nil {
		if at := f.Cut(len(answer)); at < len(answer) {
			answer = answer[:at]
		}
	}
	n.Down.Add(int64(len(answer)))
	response.Body = io.NopCloser(bytes.NewReader(answer))
	response.Request = r
	return response, nil
}

// serve brings a request to the server, which sees one of its own, as on a wire.
func (n *Network) serve(s *sent) *http.Response {
	r := httptest.NewRequest(s.method, s.url, bytes.NewReader(s.body)).WithContext(context.Background())
	r.Header = s.header.Clone()
	w := httptest.NewRecorder()
	n.server.Handler().ServeHTTP(w, r)
	return w.Result()
}

func (n *Network) remember(s *sent) {
	if !n.Keep {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, s)
}

func (n *Network) stale(fresh *http.Response) *http.Response {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.late) == 0 {
		return fresh
	}
	old := n.late[0]
	n.late = n.late[1:]
	return old
}

// Replay sends an earlier request again, as some proxies do hours later; nobody
// hears the answer. pick chooses among how many there are.
func (n *Network) Replay(pick func(count int) int) {
	n.mu.Lock()
	asked := n.asked
	n.mu.Unlock()
	if len(asked) > 0 {
		n.serve(asked[pick(len(asked))])
	}
}
