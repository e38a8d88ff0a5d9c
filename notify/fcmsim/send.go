package fcmsim

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
	"time"
)

var quiet = log.New(io.Discard, "", 0) // broken connections are what it is for

// mostBytes is the most of a message's payload.
const mostBytes = 4096

// envelope is the body of messages:send, every member of the schema that it
// knows; any other is refused, as by Google.
type envelope struct {
	ValidateOnly bool `json:"validate_only"`
	Message      struct {
		Name         string            `json:"name"`
		Data         map[string]string `json:"data"`
		Notification json.RawMessage   `json:"notification"`
		Android      struct {
			CollapseKey  string `json:"collapse_key"`
			Priority     string `json:"priority"`
			TTL          string `json:"ttl"`
			Package      string `json:"restricted_package_name"`
			Notification *struct {
				Tag     string `json:"tag"`
				Title   string `json:"title_loc_key"`
				Body    string `json:"body_loc_key"`
				Channel string `json:"channel_id"`
			} `json:"notification"`
		} `json:"android"`
		Webpush   json.RawMessage `json:"webpush"`
		APNS      json.RawMessage `json:"apns"`
		Token     string          `json:"token"`
		FID       string          `json:"fid"`
		Topic     string          `json:"topic"`
		Condition string          `json:"condition"`
	} `json:"message"`
}

// grant plays Google's exchange of an assertion for an access token.
func (s *Sim) grant(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || strings.Count(r.Form.Get("assertion"), ".") != 2 {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant"}`)
		return
	}
	s.tokens.Add(1)
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, s.token)
}

func (s *Sim) send(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return
	}
	s.mu.Lock()
	faults, dice := s.faults, s.dice.Float64()
	s.mu.Unlock()
	if faults.Latency > 0 {
		time.Sleep(faults.Latency)
	}
	switch {
	case !s.options.Open && r.Header.Get("Authorization") != "Bearer "+s.token:
		s.fail(w, http.StatusUnauthorized, "UNAUTHENTICATED", "", 0)
		return
	case r.PathValue("project") != s.options.Project || r.PathValue("verb") != "messages:send":
		s.fail(w, http.StatusNotFound, "NOT_FOUND", "", 0)
		return
	}
	// One throw decides which fault, if any.
	for _, f := range []struct {
		part float64
		do   func()
	}{
		{faults.Unavailable, func() { s.fail(w, http.StatusServiceUnavailable, "UNAVAILABLE", "UNAVAILABLE", faults.RetryAfter) }},
		{faults.Quota, func() {
			s.fail(w, http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", faults.RetryAfter)
		}},
		{faults.Gone, func() { s.fail(w, http.StatusNotFound, "NOT_FOUND", "UNREGISTERED", 0) }},
		{faults.Portal, func() { w.Header().Set("Content-Type", "text/html"); fmt.Fprint(w, "<html>Wi-Fi</html>") }},
		{faults.Reset, func() {
			var nowhere discard
			s.accept(&nowhere, body)
			panic(http.ErrAbortHandler)
		}},
	} {
		if dice < f.part {
			f.do()
			return
		}
		dice -= f.part
	}
	s.accept(w, body)
}

// discard is an answer that never arrives.
type discard struct{ h http.Header }

func (d *discard) Header() http.Header {
	if d.h == nil {
		d.h = http.Header{}
	}
	return d.h
}
func (*discard) Write(b []byte) (int, error) { return len(b), nil }
func (*discard) WriteHeader(int)             {}

// accept judges a message as FCM does, and keeps it for its phone.
func (s *Sim) accept(w http.ResponseWriter, body []byte) {
	var e envelope
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		s.violation(w, "message")
		return
	}
	m := &e.Message
	life, field := s.check(&e, len(body))
	if field != "" {
		s.violation(w, field)
		return
	}
	address := m.Token + m.FID
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quota = min(float64(s.options.Quota), s.quota+now.Sub(s.quotaAt).Minutes()*float64(s.options.Quota))
	s.quotaAt = now
	if s.quota < 1 {
		s.fail(w, http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", time.Minute)
		return
	}
	s.quota--
	p, known := s.phones[address]
	if !known && s.options.Strangers || known && p.gone {
		s.fail(w, http.StatusNotFound, "NOT_FOUND", "UNREGISTERED", 0)
		return
	}
	if !e.ValidateOnly {
		p = s.phone(address)
		if !p.minute.take(now, time.Minute, perPhoneMinute) || !p.hour.take(now, time.Hour, perPhoneHour) {
			s.fail(w, http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", time.Minute)
			return
		}
		got := Message{At: now, Data: m.Data, CollapseKey: m.Android.CollapseKey, High: strings.EqualFold(m.Android.Priority, "high")}
		if m.Android.Notification != nil {
			got.Alert, got.Tag = true, m.Android.Notification.Tag
		}
		s.store(p, got, life, now)
	}
	n := s.accepted.Add(1)
	for come, at := range s.waiters {
		if n >= at {
			close(come)
			delete(s.waiters, come)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"name":"projects/%s/messages/%s-%d"}`, s.options.Project, rand.Text()[:8], n)
}

// check returns the message's life, or the field that is wrong.
func (s *Sim) check(e *envelope, size int) (life time.Duration, field string) {
	m := &e.Message
	n := 0
	for _, to := range []string{m.Token, m.FID, m.Topic, m.Condition} {
		if to != "" {
			n++
		}
	}
	life = 28 * 24 * time.Hour
	switch {
	case n != 1:
		return 0, "message"
	case m.Topic+m.Condition != "": // nobody can have subscribed to one here
		return 0, "message.topic"
	case size > mostBytes+512:
		return 0, "message.data"
	case m.Android.Priority != "" && !strings.EqualFold(m.Android.Priority, "high") && !strings.EqualFold(m.Android.Priority, "normal"):
		return 0, "message.android.priority"
	}
	for key := range m.Data {
		if key == "from" || key == "message_type" || strings.HasPrefix(key, "google.") || strings.HasPrefix(key, "gcm.") {
			return 0, "message.data"
		}
	}
	if m.Android.TTL != "" {
		text, ok := strings.CutSuffix(m.Android.TTL, "s")
		seconds, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil || seconds < 0 || seconds > life.Seconds() {
			return 0, "message.android.ttl"
		}
		life = time.Duration(seconds * float64(time.Second))
	}
	return life, ""
}

func (s *Sim) violation(w http.ResponseWriter, field string) {
	s.r4xx.Add(1)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"error":{"code":400,"message":"Request contains an invalid argument.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":%q,"description":"Invalid value"}]}]}}`, field)
}

// fail answers with Google's shape of an error; code is FCM's own, if any.
func (s *Sim) fail(w http.ResponseWriter, status int, kind, code string, after time.Duration) {
	switch {
	case status == http.StatusTooManyRequests:
		s.r429.Add(1)
	case status >= 500:
		s.r5xx.Add(1)
	default:
		s.r4xx.Add(1)
	}
	details := ""
	if code != "" {
		details = `,"details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"` + code + `"}]`
	}
	if after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"code":%d,"message":"%s","status":%q%s}}`, status, http.StatusText(status), kind, details)
}
