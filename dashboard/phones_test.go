package dashboard_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

type phonesAnswer struct {
	Items []struct {
		ID, Person, Label, Seen   string
		Waiting, Missing, Refused int
		Blocked                   bool
	}
	Figures struct{ Records, Seq, Phones, Blocked, Touched int }
	Status  map[string]any
}

func (s *server) phones(t *testing.T, search string) phonesAnswer {
	t.Helper()
	status, answer := s.ask("lan", "GET", "/api/dashboard/phones?search="+url.QueryEscape(search), "")
	if status != http.StatusOK {
		t.Fatalf("phones: %d %s", status, answer)
	}
	var a phonesAnswer
	if err := json.Unmarshal([]byte(answer), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestPhones(t *testing.T) {
	s := serve(t)
	p := s.phone(t, tam)
	if _, err := p.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := s.phones(t, "")
	if len(a.Items) != 2 || a.Figures.Phones != 2 || a.Figures.Seq == 0 || a.Figures.Records < 6 || a.Status["Máy không còn địa chỉ"] != 3.0 {
		t.Fatalf("phones are %+v", a)
	}
	if first := a.Items[0]; first.Person != "Trần Thị Hoa" || first.Waiting != 2 {
		t.Errorf("the phone seen last is not first: %+v", first)
	}
	for _, c := range []struct {
		search string
		finds  int
	}{{"hoa", 1}, {"tran thi", 1}, {"TÁM", 1}, {"máy của", 1}, {phoneID, 1}, {"%", 0}, {"khong co", 0}} {
		if got := s.phones(t, c.search); len(got.Items) != c.finds {
			t.Errorf("search %q finds %+v, want %d", c.search, got.Items, c.finds)
		}
	}
	if status, _ := s.ask("", "GET", "/api/dashboard/phones", ""); status != http.StatusUnauthorized {
		t.Errorf("a stranger lists phones: %d", status)
	}
	if lines := s.logged(t, hoa); len(lines) != 0 {
		t.Errorf("a name beside a phone is not a look into the records: %q", lines)
	}
}

func TestMissingEdits(t *testing.T) {
	s := serve(t)
	for _, sql := range []string{
		`INSERT INTO sync_phones (phone, acked, confirmed) VALUES ('` + phoneID + `', 9, 5)`,
		`INSERT INTO sync_verdicts (phone, n, hash, verdict, at) VALUES ('` + phoneID + `', 6, x'00', '{"is":"taken"}', '2026')`,
		`INSERT INTO sync_verdicts (phone, n, hash, verdict, at) VALUES ('` + phoneID + `', 3, x'00', '{"is":"taken"}', '2026')`,
	} {
		if _, err := s.app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.phones(t, "").Items[0].Missing; got != 3 { // 7, 8, 9
		t.Errorf("%d edits missing, want 3", got)
	}
}

func TestSuperuserBlocksAPhone(t *testing.T) {
	s := serve(t)
	if status, answer := s.ask("lan", "PATCH", "/api/collections/phones/records/"+phoneID, `{"blocked":true}`); status != http.StatusOK {
		t.Fatalf("block: %d %s", status, answer)
	}
	if a := s.phones(t, ""); !a.Items[0].Blocked || a.Figures.Blocked != 1 {
		t.Errorf("after blocking: %+v", a)
	}
}

// Whoever sets up the commune reads what each field is, in Vietnamese.
func TestFieldsReadWell(t *testing.T) {
	s := serve(t)
	names := []string{"phones", "parked_edits", "deliveries", "openings", "console_log"}
	for _, d := range domains {
		for _, c := range d.Collections {
			names = append(names, c.Name)
		}
	}
	for _, name := range names {
		c, err := s.app.FindCollectionByNameOrId(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		presentable := false
		for _, f := range c.Fields {
			raw, _ := json.Marshal(f)
			var is struct {
				Help                string
				Presentable, Hidden bool
			}
			_ = json.Unmarshal(raw, &is)
			presentable = presentable || is.Presentable && !is.Hidden
			if f.GetName() == core.FieldNameId || f.Type() == core.FieldTypeAutodate {
				continue
			}
			if strings.TrimSpace(is.Help) == "" {
				t.Errorf("%s.%s has no help text", name, f.GetName())
			}
		}
		if !presentable {
			t.Errorf("%s has no presentable field", name)
		}
	}
}

func TestSettings(t *testing.T) {
	s := serve(t)
	settings := s.app.Settings()
	if settings.Meta.AppName != "Làng Số" || !settings.RateLimits.Enabled || settings.Meta.HideControls {
		t.Errorf("settings are %+v", settings.Meta)
	}
	last := 0
	for range 12 {
		last, _ = s.ask("", "POST", "/api/collections/_superusers/auth-with-password", `{"identity":"lan@phuchoa.vn","password":"sai"}`)
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the twelfth guess of a password in a minute: %d", last)
	}
	for range 50 {
		if status, _ := s.ask("", "GET", "/api/langso", ""); status != http.StatusOK {
			t.Fatalf("phones behind one address are counted: %d", status)
		}
	}
}

func TestPagesAreNotKept(t *testing.T) {
	s := serve(t)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, httptest.NewRequest("GET", "/_/extensions.js", nil))
	if w.Header().Get("Cache-Control") != "no-cache" || !strings.Contains(w.Body.String(), "Máy điện thoại") {
		t.Errorf("extensions.js: %v", w.Header())
	}
}
