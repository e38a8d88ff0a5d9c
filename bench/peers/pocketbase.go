package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // its own tables
)

// plain is PocketBase as it is, without our sync, and a client of its list API.
// The naive client is what a careful developer writes in an afternoon: each
// collection in pages of 500, then what was updated since; one request an
// edit. The tuned one uses what PocketBase has besides: pages of 1,000, only the
// fields that are wanted, gzip (its own middleware), the batch API, and all
// collections at once. Neither can learn of what was deleted, and an edit that
// arrived whose answer was lost is made twice unless the client makes the id.
type plain struct {
	app    core.App
	web    *http.Server
	at     string
	token  string
	kinds  map[string]map[string]string
	tuned  bool
	phones int
	clock  time.Time
}

// rules say who lists what: public data all who are signed in, the rest the person.
var rules = map[string]string{
	"households": `id = @request.auth.household`, "persons": `id = @request.auth.person`, "duties": `person = @request.auth.person`,
	"health_entries": `person = @request.auth.person`, "dossiers": `person = @request.auth.person`,
	"orders": `buyer = @request.auth.person || stall = @request.auth.stall`,
}

func startPlain(tuned bool) func(context.Context, *Bench) (Server, error) {
	return func(_ context.Context, b *Bench) (Server, error) {
		dir := filepath.Join(b.Dir, fmt.Sprintf("plain-%t", tuned))
		p := &plain{app: core.NewBaseApp(core.BaseAppConfig{DataDir: dir}), kinds: b.Kinds, tuned: tuned, clock: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		if err := p.fill(b); err != nil {
			return nil, err
		}
		router, err := apis.NewRouter(p.app)
		if err != nil {
			return nil, err
		}
		if tuned {
			router.Bind(apis.Gzip())
		}
		mux, err := router.BuildMux()
		if err != nil {
			return nil, err
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		p.at, p.web = l.Addr().String(), &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
		go func() { _ = p.web.Serve(l) }()
		return p, nil
	}
}

// fill makes the collections, whose fields are those of the records, and the person's account.
func (p *plain) fill(b *Bench) error {
	if err := p.app.Bootstrap(); err != nil {
		return err
	}
	if err := p.app.RunAllMigrations(); err != nil {
		return err
	}
	if p.tuned {
		p.app.Settings().Batch.Enabled = true
		if err := p.app.Save(p.app.Settings()); err != nil {
			return err
		}
	}
	users := core.NewAuthCollection("villagers")
	for _, name := range []string{"person", "household", "stall"} {
		users.Fields.Add(&core.TextField{Name: name})
	}
	if err := p.app.Save(users); err != nil {
		return err
	}
	for coll, fields := range p.kinds {
		c := core.NewBaseCollection(coll)
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			switch fields[name] {
			case "text":
				c.Fields.Add(&core.TextField{Name: name, Max: 100_000})
			case "number":
				c.Fields.Add(&core.NumberField{Name: name})
			case "bool":
				c.Fields.Add(&core.BoolField{Name: name})
			default:
				c.Fields.Add(&core.JSONField{Name: name})
			}
		}
		c.Fields.Add(&core.DateField{Name: "updated"})
		rule, ok := rules[coll]
		if !ok {
			rule = `@request.auth.id != ''`
		}
		c.ListRule = &rule
		if coll == "health_entries" {
			c.CreateRule = &rule
		}
		c.AddIndex(coll+"_updated", false, "updated", "")
		if err := p.app.Save(c); err != nil {
			return err
		}
	}
	p.app.OnRecordCreate().BindFunc(func(e *core.RecordEvent) error {
		e.Record.Set("updated", time.Now())
		return e.Next()
	})
	if err := p.app.RunInTransaction(func(tx core.App) error {
		for _, r := range b.Records {
			params, err := p.row(r)
			if err != nil {
				return err
			}
			params["id"] = r.ID
			if _, err := tx.DB().Insert(r.Coll, params).Execute(); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	u := core.NewRecord(users)
	u.SetEmail("lan@xa.test")
	u.SetPassword("mat-khau-cua-lan")
	u.Set("person", b.Person)
	u.Set("household", b.Household)
	u.Set("stall", b.Stall)
	if err := p.app.Save(u); err != nil {
		return err
	}
	var err error
	p.token, err = u.NewAuthToken()
	return err
}

// row is a record as its table has it, written a second after the one before.
func (p *plain) row(r Record) (dbx.Params, error) {
	p.clock = p.clock.Add(time.Second)
	params := dbx.Params{"updated": p.clock.Format("2006-01-02 15:04:05.000Z")}
	for k, v := range r.Fields {
		if v == nil {
			v = ""
		}
		if p.kinds[r.Coll][k] == "json" {
			raw, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			v = string(raw)
		}
		params[k] = v
	}
	return params, nil
}

func (p *plain) Address() string { return p.at }

func (p *plain) Change(_ context.Context, all []Record) error {
	for _, r := range all {
		params, err := p.row(r)
		if err != nil {
			return err
		}
		if _, err := p.app.NonconcurrentDB().Update(r.Coll, params, dbx.HashExp{"id": r.ID}).Execute(); err != nil {
			return err
		}
	}
	return nil
}

func (p *plain) Missing(_ context.Context, all []Record) (int, error) {
	n := len(all)
	for _, r := range all {
		if _, err := p.app.FindRecordById(r.Coll, r.ID); err == nil {
			n--
		}
	}
	return n, nil
}

func (p *plain) Close() error {
	return joinClose(p.web.Close, p.app.ResetBootstrapState)
}

func joinClose(all ...func() error) error {
	var first error
	for _, f := range all {
		if err := f(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (p *plain) Phone(_ context.Context, address string) (Phone, error) {
	// Go asks for gzip itself where compression is not disabled.
	t := &http.Transport{DisableCompression: !p.tuned, MaxConnsPerHost: 6}
	return &plainPhone{plain: p, base: "http://" + address, transport: t, client: &http.Client{Transport: t},
		held: map[string]Record{}, latest: map[string]string{}}, nil
}

// plainPhone keeps its records in memory.
type plainPhone struct {
	*plain
	base      string
	transport *http.Transport
	client    *http.Client
	mu        sync.Mutex
	held      map[string]Record
	latest    map[string]string // by collection: the newest stamp seen
	waiting   []Record
}

func (p *plainPhone) Close() error { p.transport.CloseIdleConnections(); return nil }

func (p *plainPhone) Rest(context.Context) error {
	p.transport.CloseIdleConnections()
	return nil
}

func (p *plainPhone) Sync(ctx context.Context, _ []Record) error {
	if err := p.push(ctx); err != nil {
		return err
	}
	var all sync.WaitGroup
	errs := make(chan error, len(p.kinds))
	for _, coll := range slices.Sorted(maps.Keys(p.kinds)) {
		if !p.tuned {
			if err := p.pull(ctx, coll); err != nil {
				return err
			}
			continue
		}
		all.Go(func() {
			if err := p.pull(ctx, coll); err != nil {
				errs <- err
			}
		})
	}
	all.Wait()
	close(errs)
	return <-errs
}

// pull lists a collection, page by page, updated after the newest known.
func (p *plainPhone) pull(ctx context.Context, coll string) error {
	size := 500
	if p.tuned {
		size = 1000
	}
	p.mu.Lock()
	since := p.latest[coll]
	p.mu.Unlock()
	for page := 1; ; page++ {
		q := url.Values{"perPage": {fmt.Sprint(size)}, "page": {fmt.Sprint(page)}, "sort": {"updated"}, "skipTotal": {"1"}}
		if p.tuned {
			q.Set("fields", "id,updated,"+strings.Join(slices.Sorted(maps.Keys(p.kinds[coll])), ","))
		}
		if since != "" {
			q.Set("filter", "updated > '"+since+"'")
		}
		var got struct{ Items []map[string]any }
		raw, err := p.do(ctx, http.MethodGet, "/api/collections/"+coll+"/records?"+q.Encode(), nil)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(raw, &got); err != nil {
			return err
		}
		p.keep(coll, got.Items)
		if len(got.Items) < size {
			return nil
		}
	}
}

func (p *plainPhone) keep(coll string, items []map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, item := range items {
		id, _ := item["id"].(string)
		updated, _ := item["updated"].(string)
		p.latest[coll] = max(p.latest[coll], updated)
		for _, k := range []string{"id", "updated", "collectionId", "collectionName"} {
			delete(item, k)
		}
		p.held[coll+"/"+id] = Record{coll, id, item}
	}
}

func (p *plainPhone) push(ctx context.Context) error {
	type request struct {
		Method string         `json:"method"`
		URL    string         `json:"url"`
		Body   map[string]any `json:"body"`
	}
	var all []request
	for _, r := range p.waiting {
		body := maps.Clone(r.Fields)
		body["id"] = r.ID
		all = append(all, request{http.MethodPost, "/api/collections/" + r.Coll + "/records", body})
	}
	if p.tuned && len(all) > 0 {
		raw, err := json.Marshal(map[string]any{"requests": all})
		if err != nil {
			return err
		}
		if _, err := p.do(ctx, http.MethodPost, "/api/batch", raw); err != nil {
			return err
		}
		all = nil
	}
	for _, r := range all {
		raw, err := json.Marshal(r.Body)
		if err != nil {
			return err
		}
		if _, err := p.do(ctx, r.Method, r.URL, raw); err != nil {
			return err
		}
	}
	p.waiting = nil
	return nil
}

func (p *plainPhone) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", p.token)
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := p.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %d %.300s", method, strings.SplitN(path, "?", 2)[0], response.StatusCode, raw)
	}
	return raw, err
}

func (p *plainPhone) Edit(_ context.Context, all []Record) error {
	p.waiting = append(p.waiting, all...)
	return nil
}

func (p *plainPhone) Held(context.Context) ([]Record, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Values(p.held)), nil
}
