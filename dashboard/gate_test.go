package dashboard_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

const secret = "điều bí mật"

// Every road to a personal record, asked for without a reason.
func TestSuperuserWithoutAReason(t *testing.T) {
	s := serve(t)
	s.put(t, "parked_edits", "parked000000001", map[string]any{"phone": phoneID, "person": hoa, "n": 1, "code": "needs_person", "coll": "persons", "state": "waiting"})
	q := url.QueryEscape
	for _, c := range []struct{ name, method, path, body, code string }{
		{"lists health entries", "GET", "/api/collections/health_entries/records", "", "reason_needed"},
		{"lists one field of them", "GET", "/api/collections/health_entries/records?fields=text", "", "reason_needed"},
		{"views one", "GET", "/api/collections/health_entries/records/" + entry, "", "reason_needed"},
		{"changes one", "PATCH", "/api/collections/health_entries/records/" + entry, `{"text":"x"}`, "reason_needed"},
		{"deletes one", "DELETE", "/api/collections/health_entries/records/" + entry, "", "reason_needed"},
		{"writes one", "POST", "/api/collections/health_entries/records", `{"person":"` + hoa + `"}`, "reason_needed"},
		{"truncates them", "DELETE", "/api/collections/health_entries/truncate", "", "reason_needed"},
		{"lists persons", "GET", "/api/collections/persons/records", "", "reason_needed"},
		{"lists dossier drafts", "GET", "/api/collections/drafts/records", "", "reason_needed"},
		{"lists parked edits", "GET", "/api/collections/parked_edits/records", "", "reason_needed"},
		{"lists the access log", "GET", "/api/collections/access_log/records", "", "reason_needed"},
		{"asks by the collection's id", "GET", "/api/collections/" + s.id(t, "health_entries") + "/records", "", "reason_needed"},
		{"asks in capitals", "GET", "/api/collections/HEALTH_ENTRIES/records", "", "reason_needed"},
		{"expands backwards", "GET", "/api/collections/villages/records?expand=persons_via_village", "", "reason_needed"},
		{"expands backwards in the old way", "GET", "/api/collections/villages/records?expand=" + q("persons(village)"), "", "reason_needed"},
		{"expands through a person", "GET", "/api/collections/duties/records?expand=person.household", "", "reason_needed"},
		{"expands through a person to entries", "GET", "/api/collections/duties/records?expand=person.health_entries_via_person", "", "reason_needed"},
		{"expands while signing in", "POST", "/api/collections/_superusers/auth-refresh?expand=persons_via_household", "", ""},
		{"filters by another collection", "GET", "/api/collections/villages/records?filter=" + q(`@collection.health_entries.text ~ "bí"`), "", "personal_path"},
		{"filters by an alias of it", "GET", "/api/collections/villages/records?filter=" + q(`@collection.health_entries:x.text ~ "bí"`), "", "personal_path"},
		{"filters backwards", "GET", "/api/collections/villages/records?filter=" + q(`persons_via_village.name ~ "Hoa"`), "", "personal_path"},
		{"filters along a relation", "GET", "/api/collections/duties/records?filter=" + q(`person.name ~ "Tám"`), "", "personal_path"},
		{"filters along two", "GET", "/api/collections/villages/records?filter=" + q(`households_via_village.persons_via_household.born > "1950"`), "", "personal_path"},
		{"filters by its own body", "GET", "/api/collections/duties/records?filter=" + q(`@request.body.person.name ~ "Tám"`), `{"person":"` + tam + `"}`, "personal_path"},
		{"filters inside a function", "GET", "/api/collections/duties/records?filter=" + q(`geoDistance(person.born, 1, 2, 3) > 1`), "", "personal_path"},
		{"sorts along a relation", "GET", "/api/collections/duties/records?sort=-person.name", "", "personal_path"},
		{"sorts by another collection", "GET", "/api/collections/villages/records?sort=@collection.persons.name", "", "personal_path"},
		{"views a filter's count only", "GET", "/api/collections/villages/records?perPage=1&fields=id&filter=" + q(`@collection.persons.name = "x"`), "", "personal_path"},
		{"downloads a backup", "GET", "/api/backups/x.zip?token=" + s.fileToken(t, "lan"), "", "reason_needed"},
		{"restores a backup", "POST", "/api/backups/x.zip/restore", "", "reason_needed"},
		{"uploads a backup", "POST", "/api/backups/upload", "", "reason_needed"},
		{"sends backups elsewhere", "PATCH", "/api/settings", `{"backups":{"s3":{"enabled":true,"bucket":"b","region":"r","endpoint":"https://x.test","accessKey":"k","secret":"s"}}}`, "reason_needed"},
		{"types SQL", "POST", "/api/sql", `{"query":"SELECT * FROM health_entries"}`, "sql_off"},
		{"makes a view", "POST", "/api/collections", `{"type":"view","name":"spy","viewQuery":"SELECT id, text FROM health_entries"}`, "view_off"},
		{"tries a view", "POST", "/api/collections/meta/dry-run-view", `{"query":"SELECT id, text FROM health_entries"}`, "view_off"},
		{"imports a view", "PUT", "/api/collections/import", `{"collections":[{"type":"view","name":"spy","viewQuery":"SELECT id FROM health_entries"}]}`, "view_off"},
		{"takes another superuser's name", "POST", "/api/collections/_superusers/impersonate/" + s.superuserID(t, "minh"), `{}`, "impersonate"},
	} {
		status, answer := s.ask("lan", c.method, c.path, c.body)
		if strings.Contains(answer, secret) || strings.Contains(answer, "Trần Thị Hoa") || strings.Contains(answer, "Lê Văn Tám") {
			t.Errorf("superuser without a reason %s: it is told %s", c.name, answer)
		}
		if c.code != "" && (status != http.StatusForbidden || code(answer) != c.code) {
			t.Errorf("superuser without a reason %s: %d %s, want 403 %s", c.name, status, answer, c.code)
		}
	}
	if lines := s.logged(t, hoa); len(lines) != 0 {
		t.Errorf("nothing was shown, the log says %q", lines)
	}
}

func TestWhatStaysOpenWithoutAReason(t *testing.T) {
	s := serve(t)
	q := url.QueryEscape
	for _, c := range []struct{ name, path, sees string }{
		{"lists villages", "/api/collections/villages/records", "Thôn Đoài"},
		{"filters by own fields", "/api/collections/duties/records?filter=" + q(`role = "village_health" && person = "`+tam+`"`), duty},
		{"filters along open relations", "/api/collections/households/records?filter=" + q(`village.name ~ "Đoài"`), "Nhà ông Ba"},
		{"sorts along open relations", "/api/collections/households/records?sort=village.name", "Nhà ông Ba"},
		{"expands a relation to a person", "/api/collections/duties/records?expand=person", "Hồ sơ riêng"},
		{"lists phones", "/api/collections/phones/records?expand=person", "Máy của Hoa"},
	} {
		status, answer := s.ask("lan", "GET", c.path, "")
		if status != http.StatusOK || !strings.Contains(answer, c.sees) {
			t.Errorf("superuser %s: %d %s, want to see %q", c.name, status, answer, c.sees)
		}
		for _, private := range []string{"Trần Thị Hoa", "Lê Văn Tám", "1984", "le van tam", secret} {
			if strings.Contains(answer, private) {
				t.Errorf("superuser %s: the answer tells %q: %s", c.name, private, answer)
			}
		}
	}
	if lines := s.logged(t, tam); len(lines) != 0 {
		t.Errorf("only an id was shown, the log says %q", lines)
	}
}

func TestSuperuserWithAReason(t *testing.T) {
	s := serve(t)
	s.opens(t, "lan", "health_entries", 15)
	for range 2 { // the second look is told by the first line
		status, answer := s.ask("lan", "GET", "/api/collections/health_entries/records", "")
		if status != http.StatusOK || !strings.Contains(answer, secret) {
			t.Fatalf("superuser with a reason lists: %d %s", status, answer)
		}
	}
	want := "lan@phuchoa.vn | " + s.title("health_entries") + " | Bà Hoa nhờ sửa ngày khám"
	if got := s.logged(t, hoa); len(got) != 1 || got[0] != want {
		t.Fatalf("the log says %q, want %q", got, want)
	}
	if got := s.logged(t, tam); len(got) != 0 {
		t.Errorf("nothing of Tám was shown, the log says %q", got)
	}
	t.Run("another collection", func(t *testing.T) {
		if status, answer := s.ask("lan", "GET", "/api/collections/persons/records", ""); code(answer) != "reason_needed" {
			t.Errorf("an opening of health entries opens persons: %d %s", status, answer)
		}
		if _, answer := s.ask("lan", "GET", "/api/collections/health_entries/records?expand=person,author", ""); strings.Contains(answer, "Trần Thị Hoa") {
			t.Errorf("a closed person is told by expand: %s", answer)
		}
	})
	t.Run("another superuser", func(t *testing.T) {
		if status, answer := s.ask("minh", "GET", "/api/collections/health_entries/records", ""); code(answer) != "reason_needed" {
			t.Errorf("Lan's opening opens for Minh: %d %s", status, answer)
		}
	})
	t.Run("a guest", func(t *testing.T) {
		if status, answer := s.ask("", "GET", "/api/collections/health_entries/records", ""); status != http.StatusForbidden {
			t.Errorf("Lan's opening opens for a guest: %d %s", status, answer)
		}
	})
	t.Run("after a quarter of an hour", func(t *testing.T) {
		s.opens(t, "lan", "health_entries", 60)
		s.now = s.now.Add(16 * time.Minute)
		s.ask("lan", "GET", "/api/collections/health_entries/records/"+entry, "")
		if got := s.logged(t, hoa); len(got) != 2 {
			t.Errorf("a look after 16 minutes: the log says %q, want a second line", got)
		}
	})
	t.Run("when the reason has run out", func(t *testing.T) {
		s.now = s.now.Add(61 * time.Minute)
		if status, answer := s.ask("lan", "GET", "/api/collections/health_entries/records", ""); code(answer) != "reason_needed" {
			t.Errorf("superuser whose reason has run out: %d %s", status, answer)
		}
	})
}

// What is expanded into opened collections is shown, so it is logged.
func TestExpandIsLogged(t *testing.T) {
	s := serve(t)
	s.opens(t, "lan", "persons", 15)
	if status, answer := s.ask("lan", "GET", "/api/collections/duties/records?expand=person", ""); status != http.StatusOK || !strings.Contains(answer, "Lê Văn Tám") {
		t.Fatalf("expand of an opened person: %d %s", status, answer)
	}
	if got := s.logged(t, tam); len(got) != 1 {
		t.Errorf("Tám's log says %q, want one line", got)
	}
	if _, answer := s.ask("lan", "GET", "/api/collections/villages/records?expand=persons_via_village.household", ""); !strings.Contains(answer, "Trần Thị Hoa") {
		t.Fatalf("backwards expand of opened persons: %s", answer)
	}
	if got := s.logged(t, hoa); len(got) != 1 {
		t.Errorf("Hoa's log says %q, want one line", got)
	}
	if _, answer := s.ask("lan", "GET", "/api/collections/persons/records?filter="+url.QueryEscape(`health_entries_via_person.text ~ "bí"`), ""); code(answer) != "personal_path" {
		t.Errorf("persons by their entries: %s", answer)
	}
}

// No log, no data.
func TestLogThatCannotBeWritten(t *testing.T) {
	s := serve(t)
	s.opens(t, "lan", "*", 15)
	if _, err := s.app.NonconcurrentDB().NewQuery(`CREATE TRIGGER full BEFORE INSERT ON access_log BEGIN SELECT RAISE(ABORT, 'full'); END`).Execute(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"health_entries/records", "health_entries/records/" + entry, "duties/records?expand=person"} {
		_, answer := s.ask("lan", "GET", "/api/collections/"+path, "")
		if strings.Contains(answer, secret) || strings.Contains(answer, "Lê Văn Tám") {
			t.Errorf("%s without a log is told: %s", path, answer)
		}
	}
	if status, _ := s.ask("lan", "DELETE", "/api/collections/health_entries/records/"+entry, ""); status < 400 {
		t.Errorf("a deletion without a log: %d", status)
	}
}

func TestBatch(t *testing.T) {
	s := serve(t)
	settings := s.app.Settings()
	settings.Batch.Enabled, settings.Batch.MaxRequests = true, 10
	if err := s.app.Save(settings); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		`{"requests":[{"method":"PATCH","url":"/api/collections/health_entries/records/` + entry + `","body":{"external":"x"}}]}`,
		`{"requests":[{"method":"PUT","url":"/api/collections/health_entries/records","body":{"id":"` + entry + `"}}]}`,
		`{"requests":[{"method":"DELETE","url":"/api/collections/health_entries/records/` + entry + `"}]}`,
		`{"requests":[{"method":"PATCH","url":"/api/collections/villages/records/` + village + `?expand=persons_via_village","body":{"name":"Thôn Đoài"}}]}`,
	} {
		status, answer := s.ask("lan", "POST", "/api/batch", body)
		if status < 400 || !strings.Contains(answer, "reason_needed") || strings.Contains(answer, secret) || strings.Contains(answer, "Hoa\"") {
			t.Errorf("batch %s: %d %s", body, status, answer)
		}
	}
	s.opens(t, "lan", "persons", 10)
	status, answer := s.ask("lan", "POST", "/api/batch", `{"requests":[{"method":"PATCH","url":"/api/collections/duties/records/`+duty+`?expand=person","body":{"to":"2030-01-01"}}]}`)
	if status != http.StatusOK || !strings.Contains(answer, "Lê Văn Tám") {
		t.Fatalf("batch with a reason: %d %s", status, answer)
	}
	if got := s.logged(t, tam); len(got) != 1 {
		t.Errorf("batch with a reason: the log says %q", got)
	}
}

func TestBooksAreNotWritten(t *testing.T) {
	s := serve(t)
	s.opens(t, "lan", "*", 60)
	s.ask("lan", "GET", "/api/collections/health_entries/records", "")
	line, err := s.app.FindFirstRecordByData("access_log", "person", hoa)
	if err != nil {
		t.Fatal(err)
	}
	opening, err := s.app.FindFirstRecordByData("openings", "who", "lan@phuchoa.vn")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, path, body string }{
		{"DELETE", "access_log/records/" + line.Id, ""},
		{"PATCH", "access_log/records/" + line.Id, `{"why":"không sao"}`},
		{"DELETE", "access_log/truncate", ""},
		{"POST", "access_log/records", `{"person":"` + hoa + `","who":"minh@phuchoa.vn"}`},
		{"PATCH", "openings/records/" + opening.Id, `{"until":"2099"}`},
		{"DELETE", "openings/truncate", ""},
		{"POST", "openings/records", `{"who":"x"}`},
		{"DELETE", "console_log/truncate", ""},
	} {
		if status, answer := s.ask("lan", c.method, "/api/collections/"+c.path, c.body); code(answer) != "read_only" {
			t.Errorf("superuser sends %s %s: %d %s, want read_only", c.method, c.path, status, answer)
		}
	}
}

// The villager reads on the own phone who looked, at what and why.
func TestSuperuserReadsTheVillagersPhoneShowsIt(t *testing.T) {
	s := serve(t)
	p := s.phone(t, hoa)
	if _, err := p.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Held("access_log"); err != nil || len(got) != 0 {
		t.Fatalf("before: %v, %v", got, err)
	}
	s.opens(t, "minh", "health_entries", 5)
	s.ask("minh", "GET", "/api/collections/health_entries/records/"+entry, "")
	if _, err := p.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := p.Held("access_log")
	if err != nil || len(got) != 1 {
		t.Fatalf("the phone's access log: %v, %v", got, err)
	}
	if f := got[0].Fields; f["who"] != "minh@phuchoa.vn" || f["why"] != "Bà Hoa nhờ sửa ngày khám" {
		t.Errorf("the phone shows %v", f)
	}
}

func TestDeletionIsLogged(t *testing.T) {
	s := serve(t)
	s.opens(t, "lan", "drafts", 5)
	if status, answer := s.ask("lan", "DELETE", "/api/collections/drafts/records/"+draft, ""); status != http.StatusNoContent {
		t.Fatalf("delete: %d %s", status, answer)
	}
	if got := s.logged(t, hoa); len(got) != 1 || !strings.Contains(got[0], "(xóa)") {
		t.Errorf("the log says %q", got)
	}
}

func TestOpenings(t *testing.T) {
	s := serve(t)
	for _, c := range []struct{ name, who, body, code string }{
		{"without words", "lan", `{"collection":"persons","reason":"  a  b  ","minutes":5}`, "reason_short"},
		{"for a day", "lan", `{"collection":"persons","reason":"kiểm tra hồ sơ","minutes":1440}`, "bad_minutes"},
		{"for no time", "lan", `{"collection":"persons","reason":"kiểm tra hồ sơ","minutes":0}`, "bad_minutes"},
		{"of an open collection", "lan", `{"collection":"villages","reason":"kiểm tra hồ sơ","minutes":5}`, "unknown_collection"},
		{"of nothing", "lan", `{"reason":"kiểm tra hồ sơ","minutes":5}`, "unknown_collection"},
		{"of what is no JSON", "lan", `{`, "bad_args"},
	} {
		if status, answer := s.ask(c.who, "POST", "/api/dashboard/openings", c.body); status != http.StatusBadRequest || code(answer) != c.code {
			t.Errorf("opening %s: %d %s, want 400 %s", c.name, status, answer, c.code)
		}
	}
	if status, _ := s.ask("", "POST", "/api/dashboard/openings", `{"collection":"persons","reason":"kiểm tra hồ sơ","minutes":5}`); status != http.StatusUnauthorized {
		t.Errorf("a stranger opens: %d", status)
	}
	s.opens(t, "lan", "persons", 5)
	_, answer := s.ask("lan", "GET", "/api/dashboard/openings", "")
	if !strings.Contains(answer, `"collection":"persons"`) || !strings.Contains(answer, `"open":true`) {
		t.Errorf("own openings: %s", answer)
	}
	if _, answer := s.ask("minh", "GET", "/api/dashboard/openings", ""); strings.Contains(answer, "persons") {
		t.Errorf("Minh's openings: %s", answer)
	}
	r, err := s.app.FindFirstRecordByData("openings", "collection", "persons")
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := s.ask("minh", "DELETE", "/api/dashboard/openings/"+r.Id, ""); status != http.StatusNotFound {
		t.Errorf("Minh closes Lan's: %d", status)
	}
	if status, _ := s.ask("lan", "DELETE", "/api/dashboard/openings/"+r.Id, ""); status != http.StatusNoContent {
		t.Errorf("Lan closes her own: %d", status)
	}
	if _, answer := s.ask("lan", "GET", "/api/collections/persons/records", ""); code(answer) != "reason_needed" {
		t.Errorf("after closing: %s", answer)
	}
}

// Rules would let others ask what superusers may not; under another name the
// gate would not know a collection.
func TestRules(t *testing.T) {
	s := serve(t)
	for _, c := range []struct{ name, method, path, body string }{
		{"opens the parked edits to guests", "PATCH", "/api/collections/parked_edits", `{"listRule":""}`},
		{"opens the phones to guests", "PATCH", "/api/collections/phones", `{"viewRule":"id != ''"}`},
		{"opens the health book to guests", "PATCH", "/api/collections/health_entries", `{"viewRule":""}`},
		{"makes a rule that asks for entries", "POST", "/api/collections", `{"type":"base","name":"spy","listRule":"@collection.health_entries.text ~ 'bí'"}`},
		{"makes a rule that asks backwards", "POST", "/api/collections", `{"type":"base","name":"spy","fields":[{"name":"v","type":"relation","collectionId":"` + s.id(t, "villages") + `"}],"viewRule":"v.persons_via_village.name ~ 'Hoa'"}`},
		{"imports a rule on the health book", "PUT", "/api/collections/import", `{"collections":[{"id":"` + s.id(t, "health_entries") + `","name":"health_entries","type":"base","listRule":""}]}`},
		{"gives the parked edits another name", "PATCH", "/api/collections/parked_edits", `{"name":"open_edits"}`},
		{"imports another name for the health book", "PUT", "/api/collections/import", `{"collections":[{"id":"` + s.id(t, "health_entries") + `","name":"spy","type":"base"}]}`},
		{"drops the openings", "DELETE", "/api/collections/openings", ""},
		{"imports and drops the rest", "PUT", "/api/collections/import", `{"deleteMissing":true,"collections":[{"type":"base","name":"spy"}]}`},
		{"imports such a rule", "PUT", "/api/collections/import", `{"collections":[{"type":"base","name":"spy","listRule":"@collection.persons.name ~ 'Hoa'"}]}`},
	} {
		if status, answer := s.ask("lan", c.method, c.path, c.body); status < 400 {
			t.Errorf("superuser %s: %d %.200s", c.name, status, answer)
		}
	}
	if status, answer := s.ask("lan", "POST", "/api/collections", `{"type":"base","name":"wells","fields":[{"name":"v","type":"relation","collectionId":"`+s.id(t, "villages")+`"}],"listRule":"v.name != '' && @request.auth.id != ''"}`); status != http.StatusOK {
		t.Errorf("superuser makes a rule that asks for a village: %d %.200s", status, answer)
	}
}

// A list of many persons is one log, written together.
func TestManyPersonsAtOnce(t *testing.T) {
	s := serve(t)
	var ids []string
	for range 120 {
		ids = append(ids, s.put(t, "persons", "", map[string]any{"name": "Nguyễn Văn Bình", "household": house}))
	}
	s.opens(t, "lan", "persons", 5)
	for _, when := range []string{"first", "again"} {
		start := time.Now()
		if status, _ := s.ask("lan", "GET", "/api/collections/persons/records?perPage=500", ""); status != http.StatusOK {
			t.Fatal(status)
		}
		t.Logf("122 persons, %s: %v", when, time.Since(start))
	}
	records, err := s.app.FindAllRecords("access_log")
	if err != nil || len(records) != 122 {
		t.Fatalf("%d lines, %v; want one of each of the 122 persons", len(records), err)
	}
	if !slices.ContainsFunc(records, func(r *core.Record) bool { return r.GetString("person") == ids[119] }) {
		t.Error("the last person is missing")
	}
}
