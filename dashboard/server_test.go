package dashboard_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/ui"

	"langso/apptest"
	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/health"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/dashboard"
	"langso/hooks"
	"langso/phone"
)

var domains = []commune.Domain{people.Domain, health.Domain, publicservice.Domain, market.Domain, broadcast.Domain}

// server is a commune with two superusers and a family, served in memory.
type server struct {
	app     core.App
	handler http.Handler
	now     time.Time
	tokens  map[string]string // by the superuser's name
	sql     bool              // the SQL console is on
	after   int               // how often AfterSQL was called
}

func serve(t *testing.T, change ...func(*server)) *server {
	t.Helper()
	app := apptest.Boot(t, apptest.Dir(t))
	s := &server{app: app, now: time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC), tokens: map[string]string{}}
	for _, f := range change {
		f(s)
	}
	now := func() time.Time { return s.now }
	dashboard.Bind(app, dashboard.Options{Domains: domains, Now: now, SQL: s.sql,
		AfterSQL: func() error { s.after++; return nil }, Status: func() any {
			return map[string]any{"Máy không còn địa chỉ": 3, "Đường fcm": "tắt: chưa có tệp tài khoản"}
		}})
	hooks.Bind(app, hooks.Options{Domains: domains, Now: now, Name: "Xã thử", SQLConsole: s.sql})
	router, err := apis.NewRouter(app)
	if err != nil {
		t.Fatal(err)
	}
	router.GET("/_/{path...}", apis.Static(ui.DistDirFS, false)) // what apis.Serve adds
	err = app.OnServe().Trigger(&core.ServeEvent{App: app, Router: router, Server: &http.Server{}}, func(se *core.ServeEvent) error {
		s.handler, err = se.Router.BuildMux()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = apptest.End(app) })
	for _, name := range []string{"lan", "minh"} {
		s.tokens[name] = s.superuser(t, name)
	}
	s.family(t)
	return s
}

func (s *server) superuser(t *testing.T, name string) string {
	t.Helper()
	c, err := s.app.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		t.Fatal(err)
	}
	r := core.NewRecord(c)
	r.SetEmail(name + "@phuchoa.vn")
	r.SetPassword("mật khẩu thử 1")
	if err := s.app.Save(r); err != nil {
		t.Fatal(err)
	}
	token, err := r.NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Ids of the records that the cases ask for.
const (
	village = "village00000001"
	house   = "household000001"
	hoa     = "person000000hoa"
	tam     = "person000000tam"
	entry   = "entry0000000001"
	duty    = "duty00000000001"
	draft   = "draft0000000001"
	phoneID = "phone0000000001"
)

// family: bà Hoa, whose health book has one secret entry, and anh Tám, on duty.
func (s *server) family(t *testing.T) {
	t.Helper()
	s.put(t, "villages", village, map[string]any{"name": "Thôn Đoài"})
	s.put(t, "households", house, map[string]any{"name": "Nhà ông Ba", "village": village})
	s.put(t, "persons", hoa, map[string]any{"name": "Trần Thị Hoa", "household": house, "born": "1954", "sex": "nữ"})
	s.put(t, "persons", tam, map[string]any{"name": "Lê Văn Tám", "household": house, "born": "1984", "sex": "nam"})
	s.put(t, "health_entries", entry, map[string]any{"person": hoa, "kind": "visit", "code": "khám", "text": "điều bí mật", "occurred_on": "2026-11-20", "op": "add", "source": "measured", "author": tam})
	s.put(t, "duties", duty, map[string]any{"person": tam, "role": "village_health", "place": village})
	procedure := s.put(t, "procedures", "", map[string]any{"name": "Khai sinh", "code": "1.001193"})
	s.put(t, "drafts", draft, map[string]any{"person": hoa, "procedure": procedure})
	s.put(t, "phones", phoneID, map[string]any{"person": hoa, "label": "Máy của Hoa", "public_key": "ed25519:x", "app": "web/1.0.0", "seen": "2026-11-24T00:30:00Z", "waiting": 2})
}

func (s *server) put(t *testing.T, coll, id string, fields map[string]any) string {
	t.Helper()
	c, err := s.app.FindCachedCollectionByNameOrId(coll)
	if err != nil {
		t.Fatal(err)
	}
	r := core.NewRecord(c)
	if id != "" {
		r.Id = id
	}
	r.Load(fields)
	if err := s.app.Save(r); err != nil {
		t.Fatalf("put %s/%s: %v", coll, id, err)
	}
	return r.Id
}

// ask sends a request as the named superuser; "" is a stranger.
func (s *server) ask(who, method, path, body string) (status int, answer string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if who != "" {
		r.Header.Set("Authorization", s.tokens[who])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// opens states a reason.
func (s *server) opens(t *testing.T, who, collection string, minutes int) {
	t.Helper()
	body, _ := json.Marshal(map[string]any{"collection": collection, "reason": "Bà Hoa nhờ sửa ngày khám", "minutes": minutes})
	if status, answer := s.ask(who, "POST", "/api/dashboard/openings", string(body)); status != http.StatusOK {
		t.Fatalf("open %s: %d %s", collection, status, answer)
	}
}

// logged returns the lines of a person's access log, "who | what | why".
func (s *server) logged(t *testing.T, person string) []string {
	t.Helper()
	records, err := s.app.FindRecordsByFilter("access_log", "person = {:p}", "created", 0, 0, map[string]any{"p": person})
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for _, r := range records {
		lines = append(lines, r.GetString("who")+" | "+r.GetString("what")+" | "+r.GetString("why"))
	}
	return lines
}

func code(answer string) string {
	var a struct {
		Data struct {
			Code string `json:"code"`
		} `json:"data"`
	}
	_ = json.Unmarshal([]byte(answer), &a)
	return a.Data.Code
}

// phone is a signed-in phone of the person.
func (s *server) phone(t *testing.T, person string) *phone.Phone {
	t.Helper()
	p, err := phone.Open(filepath.Join(t.TempDir(), "phone"), "http://commune.test", phone.WithTransport(road{s}), phone.WithClock(func() time.Time { return s.now }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	key, err := p.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	id := s.put(t, "phones", "", map[string]any{"person": person, "label": "Máy thử", "public_key": key})
	if err := p.Adopt(id, person); err != nil {
		t.Fatal(err)
	}
	return p
}

// road carries a phone's requests to the server in memory.
type road struct{ s *server }

func (r road) RoundTrip(q *http.Request) (*http.Response, error) {
	var body io.Reader = http.NoBody
	if q.Body != nil {
		body = q.Body
	}
	again := httptest.NewRequest(q.Method, q.URL.String(), body)
	again.Header = q.Header.Clone()
	w := httptest.NewRecorder()
	r.s.handler.ServeHTTP(w, again)
	return w.Result(), nil
}

func (s *server) id(t *testing.T, collection string) string {
	t.Helper()
	c, err := s.app.FindCollectionByNameOrId(collection)
	if err != nil {
		t.Fatal(err)
	}
	return c.Id
}

func (s *server) title(collection string) string {
	_, c := commune.Find(domains, collection)
	return c.Title
}

func (s *server) account(t *testing.T, name string) *core.Record {
	t.Helper()
	r, err := s.app.FindAuthRecordByEmail(core.CollectionNameSuperusers, name+"@phuchoa.vn")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *server) superuserID(t *testing.T, name string) string { return s.account(t, name).Id }

// fileToken is what a download carries in its address.
func (s *server) fileToken(t *testing.T, name string) string {
	t.Helper()
	token, err := s.account(t, name).NewFileToken()
	if err != nil {
		t.Fatal(err)
	}
	return token
}
