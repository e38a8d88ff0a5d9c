package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// naive is what a careful developer builds on plain PocketBase in an afternoon:
// the same collections and records under list rules, a client that lists each
// collection in pages of 500 and asks for what was updated since.
type naive struct {
	app    core.App
	url    string
	token  string
	meter  *meter
	latest string
	place  *place
}

var naiveTables = []string{"stalls", "products", "announcements", "health_entries", "dossiers", "orders"}

// The list rule of each: public data for all who are signed in, the rest for
// the person.
var naiveRules = map[string]string{
	"stalls": `@request.auth.id != ''`, "products": `@request.auth.id != ''`, "announcements": `@request.auth.id != ''`,
	"health_entries": `person = @request.auth.person`, "dossiers": `person = @request.auth.person`, "orders": `buyer = @request.auth.person`,
}

func naiveOf(b *testing.B, p *place) *naive {
	b.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: b.TempDir()})
	if err := app.Bootstrap(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = app.ResetBootstrapState() })
	if err := app.RunAllMigrations(); err != nil {
		b.Fatal(err)
	}
	n := &naive{app: app, meter: newMeter(), place: p}
	users := core.NewAuthCollection("villagers")
	users.Fields.Add(&core.TextField{Name: "person"})
	if err := app.Save(users); err != nil {
		b.Fatal(err)
	}
	for _, name := range naiveTables {
		c, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			b.Fatal(err)
		}
		rule := naiveRules[name]
		c.ListRule, c.ViewRule, c.CreateRule = &rule, &rule, &rule
		if err := app.SaveNoValidate(c); err != nil {
			b.Fatal(err)
		}
		n.copy(b, name)
	}
	n.copy(b, "persons") // whom new records point at
	u := core.NewRecord(users)
	u.SetEmail("lan@xa.test")
	u.SetPassword("mat-khau-cua-lan")
	u.Set("person", p.person)
	if err := app.SaveNoValidate(u); err != nil {
		b.Fatal(err)
	}
	var err error
	if n.token, err = u.NewAuthToken(); err != nil {
		b.Fatal(err)
	}
	router, err := apis.NewRouter(app)
	if err != nil {
		b.Fatal(err)
	}
	mux, err := router.BuildMux()
	if err != nil {
		b.Fatal(err)
	}
	web := httptest.NewServer(mux)
	b.Cleanup(web.Close)
	n.url = web.URL
	return n
}

// copy takes the records that the villager may see, word for word.
func (n *naive) copy(b *testing.B, table string) {
	b.Helper()
	where := "1"
	switch table {
	case "health_entries", "dossiers":
		where = "person = {:p}"
	case "orders":
		where = "buyer = {:p}"
	case "persons":
		where = "id = {:p}"
	case "announcements":
		where = "village = '' OR village = (SELECT village FROM persons WHERE id = {:p})"
	}
	var rows []dbx.NullStringMap
	if err := n.place.App.DB().NewQuery("SELECT * FROM " + table + " WHERE " + where).Bind(dbx.Params{"p": n.place.person}).All(&rows); err != nil {
		b.Fatal(err)
	}
	for i, row := range rows {
		params := dbx.Params{}
		for k, v := range row {
			params[k] = v.String
		}
		// Written over time, as life does, not in one instant.
		params["updated"] = time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC).Format("2006-01-02 15:04:05.000Z")
		if _, err := n.app.NonconcurrentDB().Insert(table, params).Execute(); err != nil {
			b.Fatal(err)
		}
	}
}

// pull lists all collections, page by page, updated after since; it returns the
// number of rows and remembers the latest stamp.
func (n *naive) pull(b *testing.B, since string) int {
	rows := 0
	for _, table := range naiveTables {
		for page := 1; ; page++ {
			q := url.Values{"perPage": {"500"}, "page": {fmt.Sprint(page)}, "sort": {"updated"}, "skipTotal": {"1"}}
			if since != "" {
				q.Set("filter", "updated > '"+since+"'")
			}
			var got struct {
				Items []struct{ Updated string }
			}
			if err := json.Unmarshal(n.do(b, http.MethodGet, "/api/collections/"+table+"/records?"+q.Encode(), nil), &got); err != nil {
				b.Fatal(err)
			}
			for _, it := range got.Items {
				if it.Updated > n.latest {
					n.latest = it.Updated
				}
			}
			rows += len(got.Items)
			if len(got.Items) < 500 {
				break
			}
		}
	}
	return rows
}

// age puts the stamps back, so that the next change is the newest again.
func (n *naive) age(b *testing.B) {
	b.StopTimer()
	defer b.StartTimer()
	for _, table := range naiveTables {
		if _, err := n.app.NonconcurrentDB().NewQuery(`UPDATE ` + table + ` SET updated = '2026-01-02 00:00:00.000Z' WHERE updated > '2026-01-02'`).Execute(); err != nil {
			b.Fatal(err)
		}
	}
	n.latest = "2026-01-02 00:00:00.000Z"
}

func (n *naive) post(b *testing.B, table string, fields map[string]any) {
	body, err := json.Marshal(fields)
	if err != nil {
		b.Fatal(err)
	}
	n.do(b, http.MethodPost, "/api/collections/"+table+"/records", body)
}

func (n *naive) do(b *testing.B, method, path string, body []byte) []byte {
	r, err := http.NewRequest(method, n.url+path, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", n.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := n.meter.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		b.Fatalf("%s %s: %d %.300s", method, strings.SplitN(path, "?", 2)[0], response.StatusCode, raw)
	}
	return raw
}
