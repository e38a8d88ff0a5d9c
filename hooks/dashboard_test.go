package hooks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/health"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/hooks"
	"langso/notify"
	"langso/notify/fcm"
	"langso/phone"
	"langso/villagetest"
)

// desk is a commune with an administrator and one villager's phone.
type desk struct {
	*villagetest.Server
	t     *testing.T
	token string
	lan   *phone.Phone
}

func newDesk(t *testing.T, change ...func(*hooks.Options)) *desk {
	t.Helper()
	all := []commune.Domain{people.Domain, health.Domain, publicservice.Domain, broadcast.Domain}
	d := &desk{Server: villagetest.New(t, all, change...), t: t}
	d.Put(t, "villages", "village00000001", map[string]any{"name": "Thôn"})
	d.Put(t, "households", "household000001", map[string]any{"name": "Hộ", "village": "village00000001"})
	for _, p := range []string{"lan000000000000", "mai000000000000"} {
		d.Put(t, "persons", p, map[string]any{"name": "Lan", "household": "household000001", "status": "active"})
	}
	d.lan = d.Phone(t, "lan000000000000", nil)
	coll, err := d.App.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		t.Fatal(err)
	}
	admin := core.NewRecord(coll)
	admin.SetEmail("quantri@xa.test")
	admin.SetPassword("mat-khau-thu-nghiem")
	if err := d.App.Save(admin); err != nil {
		t.Fatal(err)
	}
	if d.token, err = admin.NewStaticAuthToken(time.Hour); err != nil {
		t.Fatal(err)
	}
	return d
}

// api asks PocketBase's API as the dashboard does.
func (d *desk) api(method, path string, body any) map[string]any {
	d.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		d.t.Fatal(err)
	}
	w := d.Do(method, path, string(text), map[string]string{"Authorization": d.token})
	if w.Code >= 300 {
		d.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	var out map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			d.t.Fatal(err)
		}
	}
	return out
}

func (d *desk) sync() phone.Report {
	d.t.Helper()
	r, err := d.lan.Sync(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

func (d *desk) sees(id string) phone.Values {
	d.t.Helper()
	r, found, err := d.lan.Show("announcements", id)
	if err != nil || !found {
		d.t.Fatalf("the phone has no announcement %s (%v)", id, err)
	}
	return r.Fields
}

// TestSchemaEditsWhilePhonesSync: an administrator adds, renames and drops a
// field and makes a collection in the dashboard; phones go on.
func TestSchemaEditsWhilePhonesSync(t *testing.T) {
	d := newDesk(t)
	d.Put(t, "announcements", "announcement001", map[string]any{"title": "Họp thôn"})
	d.sync()
	schema := d.api("GET", "/api/collections/announcements", nil)
	fields := schema["fields"].([]any)
	edit := func(fs []any) { d.api("PATCH", "/api/collections/announcements", map[string]any{"fields": fs}) }

	edit(append(fields, map[string]any{"id": "text999", "name": "place", "type": "text"}))
	d.api("PATCH", "/api/collections/announcements/records/announcement001", map[string]any{"place": "Nhà văn hóa"})
	d.sync()
	if got := d.sees("announcement001")["place"]; got != "Nhà văn hóa" {
		t.Errorf("the added field is %v", got)
	}
	edit(append(fields, map[string]any{"id": "text999", "name": "where", "type": "text"}))
	d.api("PATCH", "/api/collections/announcements/records/announcement001", map[string]any{"where": "Sân đình"})
	d.sync()
	if got := d.sees("announcement001")["where"]; got != "Sân đình" {
		t.Errorf("the renamed field is %v", got)
	}
	edit(fields)
	d.api("PATCH", "/api/collections/announcements/records/announcement001", map[string]any{"title": "Họp thôn tối nay"})
	if r := d.sync(); r.Exchanges != 1 || r.Changed != 1 {
		t.Errorf("after a field was dropped a change took %+v", r)
	}
	if got := d.sees("announcement001")["title"]; got != "Họp thôn tối nay" {
		t.Errorf("after the drop the title is %v", got)
	}
	d.api("POST", "/api/collections", map[string]any{"name": "notebook", "type": "base", "fields": []any{map[string]any{"name": "text", "type": "text"}}})
	d.api("POST", "/api/collections/notebook/records", map[string]any{"text": "của văn phòng"})
	d.sync()
	if all, err := d.lan.List("notebook"); err != nil || len(all) != 0 {
		t.Errorf("an undeclared collection reached the phone: %v (%v)", all, err)
	}
	// What would open a second door, or pull a name from under the program, is refused.
	for what, body := range map[string]any{
		"an API rule":                 map[string]any{"listRule": ""},
		"another name":                map[string]any{"name": "news"},
		"dropping a field of our own": map[string]any{"fields": fields[:3]},
	} {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		if w := d.Do("PATCH", "/api/collections/announcements", string(text), map[string]string{"Authorization": d.token}); w.Code < 400 {
			t.Errorf("%s was taken: %d", what, w.Code)
		}
	}
	if w := d.Do("DELETE", "/api/collections/announcements", "", map[string]string{"Authorization": d.token}); w.Code < 400 {
		t.Errorf("deleting a shared collection was taken: %d", w.Code)
	}
}

// TestSQLConsoleReachesPhones: off unless switched on; what is typed there
// reaches the phones.
func TestSQLConsoleReachesPhones(t *testing.T) {
	off := newDesk(t)
	if w := off.Do("POST", "/api/sql", `{"query":"SELECT 1"}`, map[string]string{"Authorization": off.token}); w.Code != http.StatusForbidden {
		t.Errorf("the console answers %d though it is off", w.Code)
	}
	d := newDesk(t, func(o *hooks.Options) { o.SQLConsole = true })
	d.Put(t, "announcements", "announcement001", map[string]any{"title": "Họp thôn"})
	d.sync()
	d.api("POST", "/api/sql", map[string]any{"query": "UPDATE announcements SET title = 'Họp xã' WHERE id = 'announcement001'"})
	d.sync()
	if got := d.sees("announcement001")["title"]; got != "Họp xã" {
		t.Errorf("after the statement the phone shows %v", got)
	}
	d.api("POST", "/api/sql", map[string]any{"query": "DROP TRIGGER IF EXISTS " + d.trigger("upd")})
	d.api("POST", "/api/sql", map[string]any{"query": "UPDATE announcements SET title = 'Họp huyện' WHERE id = 'announcement001'"})
	d.sync()
	if got := d.sees("announcement001")["title"]; got != "Họp huyện" {
		t.Errorf("after somebody dropped a trigger the phone shows %v", got)
	}
}

func (d *desk) trigger(name string) string {
	d.t.Helper()
	var full string
	err := d.App.DB().NewQuery(`SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'announcements' AND name LIKE '%_` + name + `'`).Row(&full)
	if err != nil {
		d.t.Fatal(err)
	}
	return full
}

// TestANoticeReachesAPhone: an urgent announcement becomes a notice in the same
// commit, the official SDK carries a wake-up without content, the phone syncs
// and its inbox has the words.
func TestANoticeReachesAPhone(t *testing.T) {
	var mu sync.Mutex
	var heard []string
	woken := make(chan struct{}, 8)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		heard = append(heard, string(body))
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"name":"projects/x/messages/1"}`)
		woken <- struct{}{}
	}))
	defer service.Close()
	d := newDesk(t, func(o *hooks.Options) {
		o.Outbox = &notify.Outbox{Senders: []notify.Sender{fcm.New(fcm.Settings{Endpoint: service.URL})}, Now: o.Now}
	})
	phoneID, _, err := d.lan.Self()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.App.NonconcurrentDB().NewQuery(`UPDATE phones SET transport = 'fcm', address = 'token-of-lan', address_state = 'ok' WHERE id = '` + phoneID + `'`).Execute(); err != nil {
		t.Fatal(err)
	}
	d.api("POST", "/api/collections/announcements/records", map[string]any{"title": "Lũ về trong đêm", "body": "Bà con ven sông sơ tán", "urgent": true})
	select {
	case <-woken:
	case <-time.After(20 * time.Second):
		t.Fatal("the phone was not woken")
	}
	mu.Lock()
	said := strings.Join(heard, "\n")
	mu.Unlock()
	if !strings.Contains(said, "token-of-lan") || strings.Contains(said, "Lũ") || strings.Contains(said, "sơ tán") {
		t.Errorf("the wake-up says %s", said)
	}
	d.sync()
	inbox, err := d.lan.Inbox()
	if err != nil || len(inbox) != 1 || !strings.Contains(inbox[0].Title+inbox[0].Body, "Lũ về") {
		t.Errorf("the inbox is %+v (%v)", inbox, err)
	}
}

// Who looks at the phones sees how many records each lacks, in its own circles.
func TestAPhoneLags(t *testing.T) {
	d := newDesk(t)
	id, _, err := d.lan.Self()
	if err != nil {
		t.Fatal(err)
	}
	lag := func() float64 {
		t.Helper()
		return d.api("GET", "/api/dashboard/phones?search="+id, nil)["items"].([]any)[0].(map[string]any)["lag"].(float64)
	}
	if n := lag(); n != -1 {
		t.Errorf("of a phone that never met the server %v are known", n)
	}
	d.sync()
	d.sync()                          // the first brings all, the second says so
	if err := d.Prune(); err != nil { // it writes down what phones said
		t.Fatal(err)
	}
	if n := lag(); n != 0 {
		t.Errorf("a complete phone lacks %v", n)
	}
	for range 2 {
		d.Put(t, "announcements", "", map[string]any{"title": "Họp thôn", "body": "Tối nay", "village": "village00000001", "from": "2026-11-24"})
	}
	d.Put(t, "villages", "village00000002", map[string]any{"name": "Thôn xa"})
	if err := d.Absorb(); err != nil {
		t.Fatal(err)
	}
	if n := lag(); n < 2 || n > 5 {
		t.Errorf("after two announcements it lacks %v", n)
	}
}
