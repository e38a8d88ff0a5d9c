package hints_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/people"
	"langso/hooks"
	"langso/phone"
	"langso/signin"
	"langso/sync/wire"
	"langso/villagetest"
)

const (
	lan, bay   = "lan000000000000", "bay000000000000"
	high, low  = "village00000001", "village00000002"
	house, far = "household000001", "household000002"
)

// scene is a commune of two villages behind a real listener: Lan lives in one,
// bà Bảy in the other.
type scene struct {
	*villagetest.Server
	t   testing.TB
	url string
}

func newScene(t testing.TB) *scene {
	t.Helper()
	s := &scene{t: t, Server: villagetest.New(t, []commune.Domain{people.Domain, broadcast.Domain}, func(o *hooks.Options) { o.SignIn = &signin.Service{Now: o.Now} })}
	live := httptest.NewUnstartedServer(s.Handler())
	live.Listener = narrow{live.Listener}
	live.Start()
	t.Cleanup(live.Close)
	t.Cleanup(s.Hints.Close) // streams first: the listener waits for its handlers
	s.url = live.URL
	s.Put(t, "villages", high, phone.Values{"name": "Thôn Thượng"})
	s.Put(t, "villages", low, phone.Values{"name": "Thôn Hạ"})
	s.Put(t, "households", house, phone.Values{"name": "Nhà Lan", "village": high})
	s.Put(t, "households", far, phone.Values{"name": "Nhà bà Bảy", "village": low})
	s.Put(t, "persons", lan, phone.Values{"name": "Lan", "household": house, "status": "active"})
	s.Put(t, "persons", bay, phone.Values{"name": "Bảy", "household": far, "status": "active"})
	s.settle()
	return s
}

// narrow gives connections small buffers, so that who does not read is noticed soon.
type narrow struct{ net.Listener }

func (n narrow) Accept() (net.Conn, error) {
	conn, err := n.Listener.Accept()
	if err == nil {
		_ = conn.(*net.TCPConn).SetWriteBuffer(4096)
	}
	return conn, err
}

func (s *scene) settle() {
	s.t.Helper()
	if err := s.Absorb(); err != nil {
		s.t.Fatal(err)
	}
}

// renames changes what only one household sees.
func (s *scene) renames(household string) {
	s.t.Helper()
	if _, err := s.App.NonconcurrentDB().NewQuery(`UPDATE households SET name = name || ' Anh' WHERE id = '` + household + `'`).Execute(); err != nil {
		s.t.Fatal(err)
	}
	s.settle()
}

func (s *scene) head() int64 {
	s.t.Helper()
	h, err := s.Journal.Head()
	if err != nil {
		s.t.Fatal(err)
	}
	return h.Seq
}

// key is a phone's: its row and what it signs with.
type key struct {
	id      string
	private ed25519.PrivateKey
}

func (s *scene) phone(person string) key {
	s.t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	id := s.Put(s.t, "phones", "", phone.Values{"person": person, "label": "Máy thử", "public_key": wire.Ed25519Key(public)})
	s.settle() // the phone's own row is no news to it
	return key{id, private}
}

func (s *scene) ask(k key, body string) *http.Response {
	s.t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	s.t.Cleanup(stop)
	r, err := http.NewRequestWithContext(ctx, "POST", s.url+"/api/sync/hints", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", wire.Authorization(k.id, ed25519.Sign(k.private, wire.SigningBytes("POST", "/api/sync/hints", []byte(body)))))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { response.Body.Close() })
	return response
}

// ear is an open stream.
type ear struct {
	t     testing.TB
	lines chan string
}

// listens opens a stream that has greeted.
func (s *scene) listens(k key) *ear {
	s.t.Helper()
	response := s.ask(k, fmt.Sprintf(`{"above":%d}`, s.head()))
	if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("stream: %d %v", response.StatusCode, response.Header)
	}
	e := &ear{s.t, make(chan string, 100)}
	go func() {
		defer close(e.lines)
		for in := bufio.NewScanner(response.Body); in.Scan(); {
			if in.Text() != "" {
				e.lines <- in.Text()
			}
		}
	}()
	e.hears(":")
	return e
}

func (e *ear) hears(want string) {
	e.t.Helper()
	select {
	case got, open := <-e.lines:
		if !open || got != want {
			e.t.Fatalf("heard %q (open: %v), want %q", got, open, want)
		}
	case <-time.After(time.Minute):
		e.t.Fatalf("heard nothing, want %q", want)
	}
}

func (e *ear) ends() {
	e.t.Helper()
	select {
	case got, open := <-e.lines:
		if open {
			e.t.Fatalf("heard %q, want the end", got)
		}
	case <-time.After(time.Minute):
		e.t.Fatal("the stream does not end")
	}
}

func data(head int64) string { return fmt.Sprintf(`data: {"head":%d}`, head) }

func TestAHintReachesWhomItConcerns(t *testing.T) {
	s := newScene(t)
	lans, bays := s.listens(s.phone(lan)), s.listens(s.phone(bay))
	s.renames(house)
	lans.hears(data(s.head()))
	s.renames(far)
	bays.hears(data(s.head())) // the first it hears: Lan's household was not its
}

func TestWhoIsBehindHearsAtOnce(t *testing.T) {
	s := newScene(t)
	k := s.phone(lan)
	response := s.ask(k, `{"above":0}`)
	in := bufio.NewScanner(response.Body)
	var got []string
	for len(got) < 2 && in.Scan() {
		if in.Text() != "" {
			got = append(got, in.Text())
		}
	}
	if len(got) != 2 || got[1] != data(s.head()) {
		t.Errorf("who knows nothing hears %q", got)
	}
	response = s.ask(k, fmt.Sprintf(`{"above":%d,"epoch":"another","wait":5}`, s.head()))
	raw, _ := io.ReadAll(response.Body)
	var h struct {
		Head  int64
		Epoch string
	}
	if err := json.Unmarshal(raw, &h); err != nil || h.Epoch == "" || h.Head != s.head() {
		t.Errorf("who is of another history hears %q", raw)
	}
}

func TestWhoMayNotListen(t *testing.T) {
	s := newScene(t)
	known, stranger, lost := s.phone(lan), s.phone(lan), s.phone(lan)
	stranger.private = known.private
	if _, err := s.App.NonconcurrentDB().NewQuery(`UPDATE phones SET blocked = 1 WHERE id = '` + lost.id + `'`).Execute(); err != nil {
		t.Fatal(err)
	}
	for who, c := range map[string]struct {
		key    key
		body   string
		status int
		code   string
	}{
		"a phone with another's key":     {stranger, `{}`, 401, "signature"},
		"a phone nobody knows":           {key{"nobody000000000", known.private}, `{}`, 401, "unknown_phone"},
		"a blocked phone":                {lost, `{}`, 403, "phone_blocked"},
		"a phone that sends no JSON":     {known, `hello`, 400, "bad_ask"},
		"a phone that sends a bad place": {known, `{"above":-1}`, 400, "bad_ask"},
	} {
		response := s.ask(c.key, c.body)
		var f wire.Failure
		if err := json.NewDecoder(response.Body).Decode(&f); err != nil || response.StatusCode != c.status || f.Code != c.code || f.Say == "" {
			t.Errorf("%s: %d %+v", who, response.StatusCode, f)
		}
	}
	if n := s.Hints.Count(); n != 0 {
		t.Errorf("%d listen", n)
	}
}

func TestLongPoll(t *testing.T) {
	s := newScene(t)
	k := s.phone(lan)
	if response := s.ask(k, fmt.Sprintf(`{"above":%d,"wait":1}`, s.head())); response.StatusCode != http.StatusNoContent {
		t.Errorf("nothing new: %d", response.StatusCode)
	}
	done := make(chan string)
	go func() {
		raw, _ := io.ReadAll(s.ask(k, fmt.Sprintf(`{"above":%d,"wait":20}`, s.head())).Body)
		done <- string(raw)
	}()
	s.waits(1)
	s.renames(house)
	if got := <-done; got != fmt.Sprintf(`{"head":%d}`, s.head()) {
		t.Errorf("the poll answers %q", got)
	}
	s.waits(0)
}

// waits until so many listen.
func (s *scene) waits(n int) {
	s.t.Helper()
	so := make(chan struct{}, 1)
	s.Hints.Counted(func(listeners int) {
		if listeners != n {
			return
		}
		select {
		case so <- struct{}{}:
		default:
		}
	})
	defer s.Hints.Counted(nil)
	select {
	case <-so:
	case <-time.After(time.Minute):
		s.t.Fatalf("%d listen, want %d", s.Hints.Count(), n)
	}
}

func TestABlockedPhoneIsTold(t *testing.T) {
	s := newScene(t)
	k := s.phone(lan)
	e := s.listens(k)
	at := s.head()
	s.Put(t, "phones", "", phone.Values{"person": lan, "label": "Máy khác", "public_key": "ed25519:other"})
	r, err := s.App.FindRecordById("phones", k.id)
	if err != nil {
		t.Fatal(err)
	}
	r.Set("blocked", true)
	if err := s.App.Save(r); err != nil {
		t.Fatal(err)
	}
	e.hears(data(at))
	e.ends()
}

func TestStandingAndSignOutAreLookedAtAgain(t *testing.T) {
	t.Setenv("LANGSO_HINTS_REVIEW", "50ms")
	s := newScene(t)
	k := s.phone(lan)
	s.Put(t, "duties", "duty00000000001", phone.Values{"person": lan, "role": "village_head", "place": low, "to": "2026-11-24"})
	s.settle()
	e := s.listens(k)
	at := s.head()
	s.Clock.Add(48 * time.Hour) // the duty ends by the clock, nobody writes
	e.hears(data(at))
	if _, err := s.App.NonconcurrentDB().NewQuery(`UPDATE phones SET public_key = 'out:' || id WHERE id = '` + k.id + `'`).Execute(); err != nil {
		t.Fatal(err)
	}
	e.hears(data(at))
	e.ends()
}

func TestRoomForSoMany(t *testing.T) {
	t.Setenv("LANGSO_HINTS_MOST", "2")
	s := newScene(t)
	s.listens(s.phone(lan))
	s.listens(s.phone(lan))
	for _, body := range []string{`{}`, `{"wait":5}`} {
		response := s.ask(s.phone(lan), body)
		var f wire.Failure
		if err := json.NewDecoder(response.Body).Decode(&f); err != nil || response.StatusCode != 503 || response.Header.Get("Retry-After") == "" || f.Code != "too_many_listeners" {
			t.Errorf("the third: %d %v %+v", response.StatusCode, response.Header, f)
		}
	}
}

func TestOnePhoneOpensThreeWindows(t *testing.T) {
	s := newScene(t)
	k := s.phone(lan)
	first := s.listens(k)
	for range 3 {
		s.listens(k)
	}
	first.ends()
	s.waits(3)
}

func TestWhoDoesNotReadIsDropped(t *testing.T) {
	s := newScene(t)
	k := s.phone(lan)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(4096)
	body := fmt.Sprintf(`{"above":%d}`, s.head())
	fmt.Fprintf(conn, "POST /api/sync/hints HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Length: %d\r\n\r\n%s",
		wire.Authorization(k.id, ed25519.Sign(k.private, wire.SigningBytes("POST", "/api/sync/hints", []byte(body)))), len(body), body)
	s.waits(1)
	reads := s.listens(s.phone(lan))
	dropped := false
	for n := range int64(50_000) { // far more than any buffer takes
		s.Hints.Hurry("household:" + house)
		s.Hints.News([]string{"household:" + house}, 1_000_000+n)
		reads.hears(data(1_000_000 + n)) // who reads is never kept from it
		if s.Hints.Count() == 1 {
			dropped = true
			break
		}
	}
	if !dropped {
		t.Error("who does not read is still there")
	}
	s.waits(1)
}

func TestThePhoneHears(t *testing.T) {
	s := newScene(t)
	p, err := phone.Open(t.TempDir(), s.url, phone.WithClock(s.Clock.Now))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	public, err := p.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Hints(t.Context()); err != phone.ErrSignedOut {
		t.Errorf("a phone nobody has signed in listens: %v", err)
	}
	id := s.Put(t, "phones", "", phone.Values{"person": lan, "label": "Máy thử", "public_key": public})
	if err := p.Adopt(id, lan); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.settle() // what the exchange itself wrote is no news
	heard, err := p.Hints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.waits(1)
	s.renames(house)
	if n := <-heard; n != s.head() {
		t.Errorf("heard %d, want %d", n, s.head())
	}
	r, err := s.App.FindRecordById("phones", id)
	if err != nil {
		t.Fatal(err)
	}
	r.Set("blocked", true)
	if err := s.App.Save(r); err != nil {
		t.Fatal(err)
	}
	for range heard { // closed when the server no longer accepts it
	}
}

// Who signs out is not heard of any more at once, not when somebody looks again.
func TestWhoSignsOutIsDropped(t *testing.T) {
	s := newScene(t)
	p, err := phone.Open(t.TempDir(), s.url, phone.WithClock(s.Clock.Now))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.SignInByInvitation(t.Context(), s.Invitation(t, lan), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	heard, err := p.Hints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.waits(1)
	if err := p.SignOut(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	s.waits(0)
	for range heard { // closed: the phone is not asked again
	}
}
