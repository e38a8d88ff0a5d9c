package attach_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/phone"
	"langso/sync/attach"
	"langso/sync/server"
)

// workshop is a bicycle workshop's app: mechanics with accounts of their own
// collection, jobs that some of them share, parts that all of them look up.
type workshop struct {
	*server.Server
	t     *testing.T
	url   string
	clock *clock
	dir   string
	web   atomic.Pointer[http.Handler] // the server of now
	stop  func()
	raise func([]commune.Notice) // hears the notices
	more  []commune.Collection   // of a newer program
	words map[string]string      // the app's own sentences
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time      { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) Add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	w := &workshop{t: t, clock: &clock{at: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)}, dir: filepath.Join(t.TempDir(), "pb_data")}
	web := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*w.web.Load()).ServeHTTP(rw, r) }))
	w.url = web.URL
	w.start()
	t.Cleanup(func() { web.Close(); w.stop() })
	return w
}

// start serves the app on its folder; stop ends it.
func (w *workshop) start() {
	w.t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: w.dir, DBConnect: attach.Connect, DataMaxOpenConns: 8, DataMaxIdleConns: 4})
	w.must(app.Bootstrap())
	w.must(app.RunSystemMigrations())
	if !app.HasTable("jobs") {
		w.collections(app)
	}
	assigned := commune.Circles{attach.User("mechanics")}
	w.Server = attach.To(app, attach.Options{
		Auth: "mechanics", Now: w.clock.Now, Words: w.words,
		Collections: append([]commune.Collection{
			{Name: "jobs", Read: assigned, Write: assigned, Settle: assigned, Files: []string{"photo"},
				Fields: commune.Policies{"minutes": commune.SumAbove(0), "price": commune.Ask},
				Check: func(c *commune.Case) error {
					if c.New != nil && c.New.GetString("bicycle") == "" {
						return commune.Refuse("no_bicycle", "Thiếu tên xe.")
					}
					return nil
				},
				Raise: func(c *commune.Case) ([]commune.Notice, error) {
					by := c.Author.Person
					if c.Author.Admin != "" {
						by = "admin"
					}
					return []commune.Notice{{Key: "job", Kind: by}}, nil
				}},
			{Name: "parts", Read: commune.Circles{commune.Everyone()}, Snapshot: []commune.Circle{commune.Commune}},
		}, w.more...),
		Notices: func(_ core.App, notices []commune.Notice) error {
			if w.raise != nil {
				w.raise(notices)
			}
			return nil
		},
	})
	router, err := apis.NewRouter(app)
	w.must(err)
	se := &core.ServeEvent{App: app, Router: router, Server: &http.Server{}}
	w.must(app.OnServe().Trigger(se, func(se *core.ServeEvent) error {
		mux, err := se.Router.BuildMux()
		w.web.Store(&mux)
		return err
	}))
	w.stop = func() {
		event := &core.TerminateEvent{App: app}
		if err := app.OnTerminate().Trigger(event, func(e *core.TerminateEvent) error { return e.App.ResetBootstrapState() }); err != nil {
			w.t.Error(err)
		}
	}
}

func (w *workshop) collections(app core.App) {
	w.t.Helper()
	mechanics := core.NewAuthCollection("mechanics")
	mechanics.Fields.Add(&core.TextField{Name: "name"})
	w.must(app.Save(mechanics))
	own := "mechanics.id ?= @request.auth.id"
	jobs, parts := core.NewBaseCollection("jobs"), core.NewBaseCollection("parts")
	jobs.Fields.Add(&core.TextField{Name: "bicycle"}, &core.TextField{Name: "note"}, &core.NumberField{Name: "minutes"}, &core.NumberField{Name: "price"},
		&core.TextField{Name: "photo"}, &core.RelationField{Name: "mechanics", CollectionId: mechanics.Id, MaxSelect: 9})
	jobs.UpdateRule, jobs.ViewRule = &own, &own
	parts.Fields.Add(&core.TextField{Name: "name"}, &core.NumberField{Name: "price"})
	w.must(app.Save(jobs))
	w.must(app.Save(parts))
}

func (w *workshop) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// put saves a record as the app itself does.
func (w *workshop) put(coll, id string, fields map[string]any) *core.Record {
	w.t.Helper()
	r, err := w.App.FindRecordById(coll, id)
	if err != nil {
		c, err := w.App.FindCollectionByNameOrId(coll)
		w.must(err)
		r = core.NewRecord(c)
		r.Id = id
	}
	for k, v := range fields {
		r.Set(k, v)
	}
	w.must(w.App.Save(r))
	return r
}

// account makes a mechanic and gives a token as signing in does.
func (w *workshop) account(name string) (id, token string) {
	w.t.Helper()
	c, err := w.App.FindCollectionByNameOrId("mechanics")
	w.must(err)
	r := core.NewRecord(c)
	r.SetEmail(name + "@workshop.test")
	r.SetPassword("correct horse")
	r.Set("name", name)
	w.must(w.App.Save(r))
	var in struct{ Token string }
	status := w.api("POST", "/api/collections/mechanics/auth-with-password", "", map[string]string{"identity": name + "@workshop.test", "password": "correct horse"}, &in)
	if status != http.StatusOK {
		w.t.Fatalf("%s cannot sign in: %d", name, status)
	}
	return r.Id, in.Token
}

// phone is a phone of a new mechanic.
func (w *workshop) phone(name string) (p *phone.Phone, id string) {
	w.t.Helper()
	id, token := w.account(name)
	p = w.unbound(name)
	w.must(p.Bind(w.t.Context(), token))
	return p, id
}

func (w *workshop) unbound(name string) *phone.Phone {
	w.t.Helper()
	p, err := phone.Open(filepath.Join(w.t.TempDir(), name), w.url, phone.WithClock(w.clock.Now))
	w.must(err)
	w.t.Cleanup(func() { _ = p.Close() })
	return p
}

// sync has phones meet the server, one after the other.
func (w *workshop) sync(phones ...*phone.Phone) (last phone.Report) {
	w.t.Helper()
	for _, p := range phones {
		var err error
		last, err = p.Sync(w.t.Context())
		w.must(err)
	}
	return last
}

// api asks over HTTP and returns the status.
func (w *workshop) api(method, path, token string, body, into any) int {
	w.t.Helper()
	text, err := json.Marshal(body)
	w.must(err)
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(string(text)))
	w.must(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", token)
	answer, err := http.DefaultClient.Do(r)
	w.must(err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	w.must(err)
	if into != nil {
		w.must(json.Unmarshal(raw, into))
	}
	return answer.StatusCode
}

func (w *workshop) superuser() (id, token string) {
	w.t.Helper()
	c, err := w.App.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	w.must(err)
	r := core.NewRecord(c)
	r.SetEmail("boss@workshop.test")
	r.SetPassword("correct horse")
	w.must(w.App.Save(r))
	token, err = r.NewStaticAuthToken(time.Hour)
	w.must(err)
	return r.Id, token
}

// shown is what a phone shows of a record; nil: it does not have it.
func (w *workshop) shown(p *phone.Phone, coll, id string) phone.Values {
	w.t.Helper()
	r, found, err := p.Show(coll, id)
	w.must(err)
	if !found {
		return nil
	}
	return r.Fields
}
