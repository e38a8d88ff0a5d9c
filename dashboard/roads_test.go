package dashboard_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

func TestSuperuserSubscribes(t *testing.T) {
	s := serve(t)
	s.opens(t, "lan", "*", 60)
	live := httptest.NewServer(s.handler)
	t.Cleanup(live.Close)
	stream, err := http.Get(live.URL + "/api/realtime")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Body.Close() })
	client := ""
	for lines := bufio.NewScanner(stream.Body); client == "" && lines.Scan(); {
		if data, ok := strings.CutPrefix(lines.Text(), "data:"); ok {
			var hello struct{ ClientID string }
			if err := json.Unmarshal([]byte(data), &hello); err != nil {
				t.Fatal(err)
			}
			client = hello.ClientID
		}
	}
	for _, c := range []struct {
		topic  string
		status int
	}{
		{"health_entries/*", http.StatusForbidden},
		{"health_entries", http.StatusForbidden},
		{s.id(t, "persons") + "/" + hoa, http.StatusForbidden},
		{"duties/*?options=" + `{"query":{"expand":"person"}}`, http.StatusForbidden},
		{"villages/*", http.StatusNoContent},
	} {
		body, _ := json.Marshal(map[string]any{"clientId": client, "subscriptions": []string{c.topic}})
		r, _ := http.NewRequest("POST", live.URL+"/api/realtime", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", s.tokens["lan"])
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != c.status {
			t.Errorf("superuser subscribes to %s: %d, want %d", c.topic, answer.StatusCode, c.status)
		}
	}
}

// Whatever somebody is subscribed to, no live message carries a personal record.
func TestLiveMessages(t *testing.T) {
	s := serve(t)
	s.opens(t, "lan", "*", 60)
	client := subscriptions.NewDefaultClient()
	client.Set(apis.RealtimeClientAuthKey, s.account(t, "lan"))
	client.Subscribe("drafts/*", "villages/*")
	s.app.SubscriptionsBroker().Register(client)
	record, err := s.app.FindRecordById("drafts", draft)
	if err != nil {
		t.Fatal(err)
	}
	record.Set("note", secret)
	if err := s.app.Save(record); err != nil {
		t.Fatal(err)
	}
	if err := s.app.Delete(record); err != nil {
		t.Fatal(err)
	}
	s.put(t, "villages", "", map[string]any{"name": "Thôn Trung"})
	for {
		select {
		case m := <-client.Channel():
			if strings.HasPrefix(m.Name, "drafts") {
				t.Fatalf("a live message tells %s", m.Data)
			}
			return
		case <-time.After(5 * time.Second):
			t.Fatal("the message about the village does not come")
		}
	}
}

func TestFiles(t *testing.T) {
	s := serve(t)
	c, err := s.app.FindCollectionByNameOrId("drafts")
	if err != nil {
		t.Fatal(err)
	}
	c.Fields.Add(&core.FileField{Name: "scan", MaxSelect: 1, MaxSize: 1 << 20})
	if err := s.app.Save(c); err != nil {
		t.Fatal(err)
	}
	r, err := s.app.FindRecordById("drafts", draft)
	if err != nil {
		t.Fatal(err)
	}
	file, err := filesystem.NewFileFromBytes([]byte(secret), "to-khai.txt")
	if err != nil {
		t.Fatal(err)
	}
	r.Set("scan", file)
	if err := s.app.Save(r); err != nil {
		t.Fatal(err)
	}
	path := "/api/files/drafts/" + draft + "/" + r.GetString("scan")
	for _, c := range []struct{ name, who, path string }{
		{"a stranger who knows the address", "", path},
		{"a superuser without a reason", "lan", path},
		{"a superuser without a reason, by token", "", path + "?token=" + s.fileToken(t, "lan")},
	} {
		if status, answer := s.ask(c.who, "GET", c.path, ""); status != http.StatusForbidden || strings.Contains(answer, secret) {
			t.Errorf("%s: %d %s", c.name, status, answer)
		}
	}
	s.opens(t, "lan", "drafts", 5)
	if status, answer := s.ask("", "GET", path+"?token="+s.fileToken(t, "lan"), ""); status != http.StatusOK || answer != secret {
		t.Errorf("a superuser with a reason: %d %s", status, answer)
	}
	if got := s.logged(t, hoa); len(got) != 1 {
		t.Errorf("the log says %q", got)
	}
}

func TestBackups(t *testing.T) {
	s := serve(t)
	if status, answer := s.ask("lan", "POST", "/api/backups", `{"name":"a.zip"}`); status != http.StatusNoContent {
		t.Fatalf("superuser makes a backup: %d %s", status, answer)
	}
	download := "/api/backups/a.zip?token=" + s.fileToken(t, "lan")
	s.opens(t, "lan", "persons", 5)
	if status, answer := s.ask("", "GET", download, ""); code(answer) != "reason_needed" {
		t.Errorf("an opening of persons opens a backup: %d %.100s", status, answer)
	}
	s.opens(t, "lan", "*", 5)
	if status, answer := s.ask("", "GET", download, ""); status != http.StatusOK || !strings.HasPrefix(answer, "PK") {
		t.Errorf("superuser with a reason for everything: %d", status)
	}
	if _, err := s.app.FindFirstRecordByFilter("console_log", `who = "lan@phuchoa.vn" && statement ~ "a.zip"`); err != nil {
		t.Errorf("the download is not written down: %v", err)
	}
}

func TestSQLConsole(t *testing.T) {
	s := serve(t, func(s *server) { s.sql = true })
	if status, answer := s.ask("lan", "POST", "/api/sql", `{"query":"SELECT name FROM villages"}`); status != http.StatusOK || !strings.Contains(answer, "Thôn Đoài") {
		t.Fatalf("SELECT with the console on: %d %s", status, answer)
	}
	if s.after != 0 {
		t.Error("a SELECT calls AfterSQL")
	}
	for _, statement := range []string{"ALTER TABLE villages ADD COLUMN x TEXT", "UPDATE villages SET x = 'y'; DROP TABLE sign_in_codes", "/* see */ create index i on villages (x)"} {
		before := s.after
		s.ask("lan", "POST", "/api/sql", `{"query":"`+statement+`"}`)
		if s.after != before+1 {
			t.Errorf("%s does not call AfterSQL", statement)
		}
	}
	records, err := s.app.FindAllRecords("console_log")
	if err != nil || len(records) != 4 || records[0].GetString("who") != "lan@phuchoa.vn" {
		t.Errorf("%d statements written down, %v; want 4", len(records), err)
	}
	if status, _ := s.ask("", "POST", "/api/sql", `{"query":"SELECT 1"}`); status != http.StatusUnauthorized {
		t.Errorf("a stranger types SQL: %d", status)
	}
	if _, err := s.app.NonconcurrentDB().NewQuery(`CREATE TRIGGER full BEFORE INSERT ON console_log BEGIN SELECT RAISE(ABORT, 'full'); END`).Execute(); err != nil {
		t.Fatal(err)
	}
	if status, answer := s.ask("lan", "POST", "/api/sql", `{"query":"SELECT text FROM health_entries"}`); code(answer) != "not_noted" {
		t.Errorf("a statement that cannot be written down: %d %s", status, answer)
	}
}

// A view made while the console was on stays behind the gate.
func TestViews(t *testing.T) {
	s := serve(t, func(s *server) { s.sql = true })
	if status, answer := s.ask("lan", "POST", "/api/collections", `{"type":"view","name":"spy","viewQuery":"SELECT id, text FROM health_entries"}`); status != http.StatusOK {
		t.Fatalf("make a view: %d %.300s", status, answer)
	}
	s.opens(t, "lan", "health_entries", 5)
	if status, answer := s.ask("lan", "GET", "/api/collections/spy/records", ""); code(answer) != "reason_needed" {
		t.Errorf("a view without a reason for everything: %d %s", status, answer)
	}
	if status, answer := s.ask("lan", "PATCH", "/api/collections/spy", `{"listRule":""}`); status < 400 {
		t.Errorf("a view opened to guests: %d %.200s", status, answer)
	}
	s.opens(t, "lan", "*", 5)
	if status, answer := s.ask("lan", "GET", "/api/collections/spy/records", ""); status != http.StatusOK || !strings.Contains(answer, secret) {
		t.Errorf("a view with a reason for everything: %d %s", status, answer)
	}
}
