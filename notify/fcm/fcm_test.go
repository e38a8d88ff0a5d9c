package fcm

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"langso/notify"
)

const secret = "fcm-address-of-lan"

// reply is what a fake FCM says.
type reply struct {
	status int
	header map[string]string
	body   string
	cut    bool // the connection is cut instead
}

func fcmError(code string) string {
	return `{"error":{"status":"NOT_FOUND","message":"token ` + secret + ` is no good","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"` + code + `"}]}}`
}

// fake serves one reply to every request and counts them.
func fake(t testing.TB, r reply) (address string, hits *atomic.Int64) {
	t.Helper()
	hits = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		hits.Add(1)
		if r.cut {
			panic(http.ErrAbortHandler)
		}
		for k, v := range r.header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, r.body)
	}))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	return s.URL, hits
}

func TestWhatTheServiceSays(t *testing.T) {
	const page = "<html>Đăng nhập Wi-Fi</html>"
	retry := func(after string) map[string]string { return map[string]string{"Retry-After": after} }
	for who, c := range map[string]struct {
		says  reply
		want  string // ok, dead, later, config, refused
		after time.Duration
	}{
		"all is well":                     {reply{status: 200, body: `{"name":"projects/langso/messages/1"}`}, "ok", 0},
		"the app was removed":             {reply{status: 404, body: fcmError("UNREGISTERED")}, "dead", 0},
		"the phone is another project's":  {reply{status: 403, body: fcmError("SENDER_ID_MISMATCH")}, "suspect", 0},
		"wrong project":                   {reply{status: 404, body: `{"error":{"status":"NOT_FOUND","message":"Requested entity was not found."}}`}, "config", 0},
		"wrong address of ours":           {reply{status: 404, body: page}, "config", 0},
		"key not accepted":                {reply{status: 401, body: `{"error":{"status":"UNAUTHENTICATED"}}`}, "config", 0},
		"not allowed":                     {reply{status: 403, body: `{"error":{"status":"PERMISSION_DENIED"}}`}, "config", 0},
		"Apple's key is bad":              {reply{status: 401, body: fcmError("THIRD_PARTY_AUTH_ERROR")}, "refused", 0},
		"not an address":                  {reply{status: 400, body: fcmError("INVALID_ARGUMENT")}, "suspect", 0},
		"our own message is bad":          {reply{status: 400, body: `{"error":{"status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"message.data"}]}]}}`}, "refused", 0},
		"quota, says when":                {reply{status: 429, header: retry("120"), body: fcmError("QUOTA_EXCEEDED")}, "later", 2 * time.Minute},
		"quota, does not say":             {reply{status: 429, body: fcmError("QUOTA_EXCEEDED")}, "later", time.Minute},
		"too many, without words":         {reply{status: 429, header: retry("30")}, "later", 30 * time.Second},
		"busy, says when":                 {reply{status: 503, header: retry("10"), body: fcmError("UNAVAILABLE")}, "later", 10 * time.Second},
		"busy for long":                   {reply{status: 503, header: retry("600"), body: fcmError("UNAVAILABLE")}, "later", 10 * time.Minute},
		"busy, does not say":              {reply{status: 503, body: fcmError("UNAVAILABLE")}, "later", 0},
		"broken":                          {reply{status: 500, body: fcmError("INTERNAL")}, "later", 0},
		"a proxy is broken":               {reply{status: 502, body: page}, "later", 0},
		"a captive portal":                {reply{status: 200, body: page}, "later", 0},
		"a captive portal that redirects": {reply{status: 302, header: map[string]string{"Location": "/login"}, body: page}, "later", 0},
		"the connection is cut":           {reply{cut: true}, "later", 0},
	} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			address, hits := fake(t, c.says)
			s := New(Settings{Endpoint: address})
			if s.Off() != "" {
				t.Fatal(s.Off())
			}
			err := s.Send(context.Background(), notify.Delivery{Phone: "p1", Address: secret})
			got, after := kind(err)
			if got != c.want || after != c.after {
				t.Errorf("got %s after %v (%v), want %s after %v", got, after, err, c.want, c.after)
			}
			if n := hits.Load(); n != 1 {
				t.Errorf("%d requests went, want 1: waiting is the outbox's", n)
			}
			if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "html")) {
				t.Errorf("the error repeats the service's words: %v", err)
			}
		})
	}
}

func kind(err error) (string, time.Duration) {
	var gone *notify.Dead
	var later *notify.Later
	var config *notify.Config
	var suspect *notify.Suspect
	switch {
	case errors.As(err, &suspect):
		return "suspect", 0
	case err == nil:
		return "ok", 0
	case errors.As(err, &gone):
		return "dead", 0
	case errors.As(err, &later):
		return "later", later.After
	case errors.As(err, &config):
		return "config", 0
	}
	return "refused", 0
}

// TestWakeUpHoldsNoWords looks at all that leaves: headers and body.
func TestWakeUpHoldsNoWords(t *testing.T) {
	var body []byte
	var path string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		path = r.URL.Path
		if r.Header.Get("Authorization") != "" {
			t.Error("authorization without credentials")
		}
		_, _ = io.WriteString(w, `{"name":"x"}`)
	}))
	defer s.Close()
	sender := New(Settings{Endpoint: s.URL + "/v1/"})
	length := map[bool]int{}
	for who, c := range map[string]struct {
		d    notify.Delivery
		want string
	}{
		"any notice":    {notify.Delivery{}, `{"message":{"android":{"collapse_key":"s","priority":"normal","ttl":"2419200s"},"data":{"j":"0","p":"0000000000000000","t":"s"},"token":"` + secret + `"}}`},
		"to many":       {notify.Delivery{Spread: 12 * time.Second, Tag: ""}, `{"message":{"android":{"collapse_key":"s","priority":"normal","ttl":"2419200s"},"data":{"j":"12","p":"000000000000000","t":"s"},"token":"` + secret + `"}}`},
		"for an hour":   {notify.Delivery{Life: time.Hour + 500*time.Millisecond}, `{"message":{"android":{"collapse_key":"s","priority":"normal","ttl":"3600s"},"data":{"j":"0","p":"0000000000000000000","t":"s"},"token":"` + secret + `"}}`},
		"urgent":        {notify.Delivery{Urgent: true, Tag: "tagoffifteenchr"}, `{"message":{"android":{"notification":{"body_loc_key":"notice_body","channel_id":"notices","tag":"tagoffifteenchr","title_loc_key":"notice_title"},"priority":"high","ttl":"2419200s"},"data":{"g":"tagoffifteenchr","j":"0","p":"0000000000000000","t":"s","u":"1"},"token":"` + secret + `"}}`},
		"urgent, short": {notify.Delivery{Urgent: true, Tag: "tagofanothernot", Life: 600 * time.Second}, `{"message":{"android":{"notification":{"body_loc_key":"notice_body","channel_id":"notices","tag":"tagofanothernot","title_loc_key":"notice_title"},"priority":"high","ttl":"600s"},"data":{"g":"tagofanothernot","j":"0","p":"00000000000000000000","t":"s","u":"1"},"token":"` + secret + `"}}`},
	} {
		t.Run(who, func(t *testing.T) {
			c.d.Phone, c.d.Address = "p1", secret
			defer func() {
				if was := length[c.d.Urgent]; was != 0 && was != len(body) {
					t.Errorf("%d bytes, others of its kind have %d: the length tells them apart", len(body), was)
				}
				length[c.d.Urgent] = len(body)
			}()
			if err := sender.Send(context.Background(), c.d); err != nil {
				t.Fatal(err)
			}
			var got any
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			sorted, _ := json.Marshal(got)
			if string(sorted) != c.want {
				t.Errorf("sent %s\nwant %s", sorted, c.want)
			}
			if path != "/v1/projects/langso/messages:send" {
				t.Errorf("to %s", path)
			}
		})
	}
}

func TestUnreachedServiceIsLater(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	err := New(Settings{Endpoint: s.URL}).Send(context.Background(), notify.Delivery{Address: secret})
	if got, _ := kind(err); got != "later" {
		t.Errorf("got %v", err)
	}
}

func TestSilentServiceIsLater(t *testing.T) {
	hold := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	defer s.Close()
	defer close(hold)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err := New(Settings{Endpoint: s.URL}).Send(ctx, notify.Delivery{Address: secret})
	if got, _ := kind(err); got != "later" {
		t.Errorf("got %v", err)
	}
}

// serviceAccount makes a service-account file whose tokens come from the given address.
func serviceAccount(t testing.TB, tokens string) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "xa-phuc-hoa", "client_email": "langso@example.invalid", "private_key_id": "k1", "token_uri": tokens,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestServiceAccount plays Google's exchange of a signed assertion for a token: once for
// many wake-ups.
func TestServiceAccount(t *testing.T) {
	var exchanges atomic.Int64
	var mu sync.Mutex
	var seen []string
	google := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/token" {
			exchanges.Add(1)
			_, _ = io.WriteString(w, `{"access_token":"t0ken","token_type":"Bearer","expires_in":3600}`)
			return
		}
		mu.Lock()
		seen = append(seen, r.URL.Path+" "+r.Header.Get("Authorization"))
		mu.Unlock()
		_, _ = io.WriteString(w, `{"name":"x"}`)
	}))
	defer google.Close()
	file := filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(file, serviceAccount(t, google.URL+"/token"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LANGSO_FCM_CREDENTIALS", file)
	t.Setenv("FCM_ENDPOINT", google.URL)
	s := FromEnv()
	if s.Off() != "" {
		t.Fatal(s.Off())
	}
	for range 3 {
		if err := s.Send(context.Background(), notify.Delivery{Address: secret}); err != nil {
			t.Fatal(err)
		}
	}
	if exchanges.Load() != 1 || len(seen) != 3 || seen[0] != "/v1/projects/xa-phuc-hoa/messages:send Bearer t0ken" {
		t.Errorf("%d exchanges, requests %q", exchanges.Load(), seen)
	}
}

// TestRevokedKeyIsConfig: Google refuses the assertion; its trouble is no phone's, and a
// token service that is out is waited for.
func TestRevokedKeyIsConfig(t *testing.T) {
	for who, c := range map[string]struct {
		status int
		want   string
	}{
		"revoked":              {400, "config"},
		"token service is out": {503, "later"},
		"token service busy":   {429, "later"},
	} {
		t.Run(who, func(t *testing.T) {
			tokens, hits := fake(t, reply{status: c.status, body: `{"error":"invalid_grant"}`})
			fcm, sent := fake(t, reply{status: 200, body: `{"name":"x"}`})
			err := New(Settings{Credentials: serviceAccount(t, tokens), Endpoint: fcm}).Send(context.Background(), notify.Delivery{Address: secret})
			if got, _ := kind(err); got != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if hits.Load() != 1 || sent.Load() != 0 {
				t.Errorf("%d token requests, %d wake-ups", hits.Load(), sent.Load())
			}
		})
	}
}

func TestOffSaysWhy(t *testing.T) {
	notJSON := filepath.Join(t.TempDir(), "a.json")
	if err := os.WriteFile(notJSON, []byte(`{"private_key":"s3cret"`), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "b.json")
	if err := os.WriteFile(other, []byte(`{"type":"external_account","project_id":"x","private_key":"s3cret"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for who, c := range map[string]struct{ credentials, endpoint, why string }{
		"nothing set":            {"", "", "is not set"},
		"no such file":           {"/nowhere.json", "", "cannot be read"},
		"not JSON":               {notJSON, "", "no service-account"},
		"another kind":           {other, "", "no service-account"},
		"endpoint is no address": {"", "fcm", "no web address"},
	} {
		t.Run(who, func(t *testing.T) {
			t.Setenv("LANGSO_FCM_CREDENTIALS", c.credentials)
			t.Setenv("FCM_ENDPOINT", c.endpoint)
			s := FromEnv()
			if !strings.Contains(s.Off(), c.why) || strings.Contains(s.Off(), "s3cret") {
				t.Errorf("off because %q, want %q", s.Off(), c.why)
			}
			if got, _ := kind(s.Send(context.Background(), notify.Delivery{Address: secret})); got != "config" {
				t.Errorf("sending on a road that is off: %s", got)
			}
		})
	}
}

// TestManyAtOnceShareFewConnections: the service sees no storm of dials.
func TestManyAtOnceShareFewConnections(t *testing.T) {
	var open atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"name":"x"}`)
	}))
	s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
		if st == http.StateNew {
			open.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	sender := New(Settings{Endpoint: s.URL})
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if err := sender.Send(context.Background(), notify.Delivery{Address: secret}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := open.Load(); n > 2*connections {
		t.Errorf("%d connections for 200 wake-ups", n)
	}
}

func BenchmarkSend(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"name":"x"}`)
	}))
	defer s.Close()
	sender := New(Settings{Endpoint: s.URL})
	b.SetParallelism(50)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := sender.Send(context.Background(), notify.Delivery{Address: secret}); err != nil {
				b.Error(err)
			}
		}
	})
}
