package fcmsim

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// desk is a sender by hand, with a clock that the test moves.
type desk struct {
	*Sim
	t      testing.TB
	client *http.Client
	mu     sync.Mutex
	at     time.Time
}

func newDesk(t testing.TB, change ...func(*Options)) *desk {
	t.Helper()
	d := &desk{t: t, at: time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)}
	o := Options{Open: true, Now: func() time.Time { d.mu.Lock(); defer d.mu.Unlock(); return d.at }}
	for _, f := range change {
		f(&o)
	}
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	d.Sim = s
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.Roots()}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	d.client = &http.Client{Transport: transport}
	return d
}

func (d *desk) add(by time.Duration) { d.mu.Lock(); d.at = d.at.Add(by); d.mu.Unlock() }

func (d *desk) post(message string) (*http.Response, string) {
	d.t.Helper()
	resp, err := d.client.Post(d.URL+"/v1/projects/langso/messages:send", "application/json", strings.NewReader(`{"message":`+message+`}`))
	if err != nil {
		return nil, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp, string(body)
}

func (d *desk) ok(message string) {
	d.t.Helper()
	if resp, body := d.post(message); resp == nil || resp.StatusCode != 200 {
		d.t.Fatalf("%s: %s", message, body)
	}
}

const tickle = `{"token":"a","android":{"collapse_key":"s","priority":"normal","ttl":"2419200s"},"data":{"t":"s"}}`

func TestItSpeaksHTTP2(t *testing.T) {
	d := newDesk(t)
	if resp, body := d.post(tickle); resp == nil || resp.ProtoMajor != 2 || !strings.HasPrefix(body, `{"name":"projects/langso/messages/`) {
		t.Errorf("answered %v %s", resp, body)
	}
}

// TestBucket: twenty at once, then one in three minutes; those above wait, and
// what waits under one key is one.
func TestBucket(t *testing.T) {
	d := newDesk(t)
	for range 30 {
		d.ok(tickle)
	}
	if p := d.Phone("a"); len(p.Received) != 20 || p.Waiting != 1 || d.Counts().Throttled != 10 {
		t.Errorf("got %d, %d wait, %d throttled", len(p.Received), p.Waiting, d.Counts().Throttled)
	}
	d.add(3 * time.Minute)
	if p := d.Phone("a"); len(p.Received) != 21 || p.Waiting != 0 {
		t.Errorf("after three minutes got %d", len(p.Received))
	}
	d.ok(`{"token":"a","android":{"priority":"high"}}`)
	if p := d.Phone("a"); len(p.Received) != 22 {
		t.Error("what is not collapsible waited")
	}
}

func TestPhoneThatIsAway(t *testing.T) {
	d := newDesk(t)
	d.Away("a", true)
	for range 5 {
		d.ok(tickle)
	}
	d.ok(`{"token":"a","android":{"ttl":"60s","notification":{"tag":"x"}}}`)
	d.ok(`{"token":"a","android":{"ttl":"600s","notification":{"tag":"y"}}}`)
	d.ok(`{"token":"a","android":{"ttl":"600s","notification":{"tag":"y"}}}`)
	d.add(2 * time.Minute)
	d.Away("a", false)
	if p := d.Phone("a"); len(p.Received) != 3 || p.Shown["y"] != 1 || p.Shown["x"] != 0 {
		t.Errorf("got %d, shown %v", len(p.Received), p.Shown)
	}
	d.Away("a", true)
	for range 101 {
		d.ok(`{"token":"a","data":{"n":"1"}}`)
	}
	d.Away("a", false)
	if p := d.Phone("a"); p.Wipes != 1 || len(p.Received) != 3 {
		t.Errorf("%d wipes, got %d", p.Wipes, len(p.Received))
	}
}

func TestQuotas(t *testing.T) {
	d := newDesk(t, func(o *Options) { o.Quota = 10 })
	for i := range 10 {
		d.ok(fmt.Sprintf(`{"token":"p%d"}`, i))
	}
	resp, body := d.post(`{"token":"p11"}`)
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" || !strings.Contains(body, "QUOTA_EXCEEDED") {
		t.Errorf("above the project's quota: %d %s", resp.StatusCode, body)
	}
	d = newDesk(t)
	for range perPhoneMinute {
		d.ok(`{"token":"a"}`)
	}
	if resp, _ := d.post(`{"token":"a"}`); resp.StatusCode != 429 {
		t.Errorf("above a phone's quota: %d", resp.StatusCode)
	}
}

func TestFaults(t *testing.T) {
	for who, c := range map[string]struct {
		f      Faults
		status int
		says   string
		got    int
	}{
		"503":               {Faults{Unavailable: 1, RetryAfter: 1500 * time.Millisecond}, 503, "UNAVAILABLE", 0},
		"429":               {Faults{Quota: 1, RetryAfter: time.Second}, 429, "QUOTA_EXCEEDED", 0},
		"false death":       {Faults{Gone: 1}, 404, "UNREGISTERED", 0},
		"a captive portal":  {Faults{Portal: 1}, 200, "<html>", 0},
		"reset, though got": {Faults{Reset: 1}, 0, "", 1},
	} {
		t.Run(who, func(t *testing.T) {
			d := newDesk(t)
			d.Set(c.f)
			resp, body := d.post(tickle)
			switch {
			case c.status == 0 && resp != nil:
				t.Errorf("answered %d", resp.StatusCode)
			case c.status != 0 && (resp == nil || resp.StatusCode != c.status || !strings.Contains(body, c.says)):
				t.Errorf("answered %v %s", resp, body)
			}
			if p := d.Phone("a"); len(p.Received) != c.got {
				t.Errorf("the phone got %d", len(p.Received))
			}
			if c.f.RetryAfter == 1500*time.Millisecond && resp.Header.Get("Retry-After") != "2" {
				t.Errorf("Retry-After %q", resp.Header.Get("Retry-After"))
			}
		})
	}
}

func TestBadMessages(t *testing.T) {
	d := newDesk(t, func(o *Options) { o.Strangers = true })
	d.Register("a")
	for who, c := range map[string]struct {
		message string
		status  int
	}{
		"nobody":            {`{"data":{"t":"s"}}`, 400},
		"two addresses":     {`{"token":"a","fid":"b"}`, 400},
		"a number as data":  {`{"token":"a","data":{"n":1}}`, 400},
		"an unknown member": {`{"token":"a","colour":"red"}`, 400},
		"too long a life":   {`{"token":"a","android":{"ttl":"2419201s"}}`, 400},
		"too big":           {`{"token":"a","data":{"x":"` + strings.Repeat("x", 5000) + `"}}`, 400},
		"a key of Google's": {`{"token":"a","data":{"google.x":"1"}}`, 400},
		"a stranger":        {`{"token":"b"}`, 404},
		"by installation":   {`{"fid":"a"}`, 200},
	} {
		t.Run(who, func(t *testing.T) {
			if resp, body := d.post(c.message); resp.StatusCode != c.status {
				t.Errorf("answered %d %s", resp.StatusCode, body)
			}
		})
	}
	shut := newDesk(t, func(o *Options) { o.Open = false })
	if resp, body := shut.post(tickle); resp.StatusCode != 401 || strings.Contains(body, "FcmError") {
		t.Errorf("without a token: %d %s", resp.StatusCode, body)
	}
}
