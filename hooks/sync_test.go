package hooks_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"langso/commune"
	"langso/commune/health"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/sync/wire"
	"langso/villagetest"
)

var domains = []commune.Domain{people.Domain, health.Domain, publicservice.Domain}

// handset is a phone that says whatever a test wants.
type handset struct {
	t   testing.TB
	s   *villagetest.Server
	id  string
	key ed25519.PrivateKey
}

func newHandset(t testing.TB) *handset {
	t.Helper()
	s := villagetest.New(t, domains)
	s.Put(t, "villages", "village00000001", map[string]any{"name": "Thôn"})
	s.Put(t, "households", "household000001", map[string]any{"name": "Hộ", "village": "village00000001"})
	for _, p := range []string{"lan000000000000", "tu0000000000000"} {
		s.Put(t, "persons", p, map[string]any{"name": "Lan", "household": "household000001", "status": "active"})
	}
	s.Put(t, "procedures", "procedure000001", map[string]any{"name": "Khai sinh", "code": "1", "active": true})
	return s2h(t, s, "lan000000000000")
}

func s2h(t testing.TB, s *villagetest.Server, person string) *handset {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := s.Put(t, "phones", "", map[string]any{"person": person, "label": "x", "public_key": wire.Ed25519Key(public)})
	return &handset{t: t, s: s, id: id, key: private}
}

// send posts bytes, signed as they are.
func (h *handset) send(body []byte, header map[string]string) *httptest.ResponseRecorder {
	all := map[string]string{"Authorization": wire.Authorization(h.id, ed25519.Sign(h.key, wire.SigningBytes("POST", "/api/sync", body)))}
	for k, v := range header {
		all[k] = v
	}
	return h.s.Do("POST", "/api/sync", string(body), all)
}

// ask sends edits, numbered where they have "N", and returns the verdicts.
func (h *handset) ask(edits ...string) (map[int64]wire.Verdict, []wire.Line) {
	h.t.Helper()
	body := `{"v":1,"clock":"` + h.s.Clock.Now().Format(time.RFC3339) + `","edits":[` + strings.Join(edits, ",") + `]}`
	w := h.send([]byte(body), nil)
	if w.Code != 200 {
		h.t.Fatalf("answered %d %s", w.Code, w.Body)
	}
	return read(h.t, w.Body.Bytes())
}

func read(t testing.TB, body []byte) (map[int64]wire.Verdict, []wire.Line) {
	t.Helper()
	verdicts := map[int64]wire.Verdict{}
	var lines []wire.Line
	answers := wire.ReadAnswer(bytes.NewReader(body))
	for {
		chunk, ok := answers.Next()
		if !ok {
			return verdicts, lines
		}
		lines = append(lines, chunk...)
		for _, line := range chunk {
			for _, v := range line.Verdicts {
				verdicts[v.N] = v
			}
		}
	}
}

const draft = `"coll":"drafts","create":{"person":"lan000000000000","procedure":"procedure000001","note":"x"}`

// TestWholeAskRefused: what cannot be read is refused as a whole, in the
// protocol's words, and nothing of it is done.
func TestWholeAskRefused(t *testing.T) {
	h := newHandset(t)
	good := `{"v":1,"edits":[{"n":1,"id":"draft0000000001",` + draft + `}]}`
	zip := func(s string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	tests := []struct {
		who    string
		body   []byte
		header map[string]string
		status int
		code   string
	}{
		{"a phone of the future", []byte(`{"v":2,"edits":"other shape"}`), nil, 400, "version"},
		{"a phone that says no version", []byte(`{}`), nil, 400, "version"},
		{"a truncated body", []byte(good[:len(good)-9]), nil, 400, "bad_ask"},
		{"an empty body", nil, nil, 400, "bad_ask"},
		{"edits of the wrong type", []byte(`{"v":1,"edits":{"n":1}}`), nil, 400, "bad_ask"},
		{"a cursor of the wrong type", []byte(`{"v":1,"cursor":"12"}`), nil, 400, "bad_ask"},
		{"a negative cursor", []byte(`{"v":1,"cursor":-1}`), nil, 400, "bad_ask"},
		{"bytes that are not UTF-8", []byte("{\"v\":1,\"app\":\"\xff\xfe\"}"), nil, 400, "bad_ask"},
		{"ten megabytes", bytes.Repeat([]byte(" "), 10<<20), nil, 413, "too_big"},
		{"a zip that swells", zip(`{"v":1,"app":"` + strings.Repeat("a", 9<<20) + `"}`), map[string]string{"Content-Encoding": "gzip"}, 413, "too_big"},
		{"a zip that is none", []byte(good), map[string]string{"Content-Encoding": "gzip"}, 413, "too_big"},
		{"more edits than an ask may have", []byte(`{"v":1,"edits":[` + strings.Repeat(`{},`, wire.MaxEdits) + `{}]}`), nil, 413, "too_big"},
		{"a stranger", []byte(good), map[string]string{"Authorization": ""}, 401, "unknown_phone"},
		{"a phone that is not registered", []byte(good), map[string]string{"Authorization": wire.Authorization("nobody000000000", make([]byte, 64))}, 401, "unknown_phone"},
		{"a forged phone", []byte(good), map[string]string{"Authorization": wire.Authorization(h.id, make([]byte, 64))}, 401, "signature"},
		{"the signature of another body", []byte(good), map[string]string{"Authorization": wire.Authorization(h.id, ed25519.Sign(h.key, wire.SigningBytes("POST", "/api/sync", []byte("x"))))}, 401, "signature"},
		{"the signature of another path", []byte(good), map[string]string{"Authorization": wire.Authorization(h.id, ed25519.Sign(h.key, wire.SigningBytes("POST", "/api/other", []byte(good))))}, 401, "signature"},
	}
	for _, tt := range tests {
		w := h.send(tt.body, tt.header)
		var f wire.Failure
		if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil || w.Code != tt.status || f.Code != tt.code || f.Say == "" {
			t.Errorf("%s: answered %d %q %q, want %d %s with a sentence", tt.who, w.Code, f.Code, f.Say, tt.status, tt.code)
		}
		if n, err := h.s.App.CountRecords("drafts"); err != nil || n != 0 {
			t.Fatalf("%s: something was done: %d drafts, %v", tt.who, n, err)
		}
	}
}

// TestBlockedPhoneWipes: who was blocked is told to delete, learns nothing, and
// the phone does it; what it had not sent is handed in for a person to look at,
// and not done.
func TestBlockedPhoneWipes(t *testing.T) {
	s := villagetest.New(t, domains)
	s.Put(t, "villages", "village00000001", map[string]any{"name": "Thôn bí mật"})
	s.Put(t, "households", "household000001", map[string]any{"name": "Hộ", "village": "village00000001"})
	s.Put(t, "persons", "lan000000000000", map[string]any{"name": "Lan", "household": "household000001", "status": "active"})
	p := s.Phone(t, "lan000000000000", nil)
	if _, err := p.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.CreateAs("drafts", "draft0000000001", map[string]any{"note": "chưa gửi"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.App.NonconcurrentDB().NewQuery(`UPDATE phones SET blocked = 1`).Execute(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sync(t.Context()); err == nil {
		t.Fatal("a blocked phone synced")
	}
	status, err := p.Status()
	if err != nil {
		t.Fatal(err)
	}
	if status.Records != 0 || status.Waiting != 0 || status.Parked != 1 {
		t.Errorf("after the block the phone holds %d records, %d unsent and %d parked edits, want 0, 0 and 1", status.Records, status.Waiting, status.Parked)
	}
	if _, err := s.App.FindRecordById("drafts", "draft0000000001"); err == nil {
		t.Error("what a blocked phone sent was done")
	}
	parked, err := s.App.FindAllRecords("parked_edits")
	if err != nil || len(parked) != 1 || parked[0].GetString("code") != "phone_blocked" || !strings.Contains(parked[0].GetString("edit"), "chưa gửi") {
		t.Errorf("handed in: %v %v", parked, err)
	}
	if _, err := p.Sync(t.Context()); err == nil {
		t.Error("a blocked phone synced at the second try")
	}
}

// TestBadEditsAmongGoodOnes: each bad edit gets a verdict with a sentence, the
// good ones of the same request are done, and the queue goes on.
func TestBadEditsAmongGoodOnes(t *testing.T) {
	good := func(n int) string { return fmt.Sprintf(`{"n":%d,"id":"draft%010d",%s}`, n, n, draft) }
	tests := []struct {
		who  string
		edit string // number 2
		is   wire.Is
		code string
	}{
		{"neither kind", `{"n":2}`, wire.Refused, "bad_edit"},
		{"two kinds", `{"n":2,"id":"draft0000000009",` + draft + `,"delete":true}`, wire.Refused, "bad_edit"},
		{"a field of the wrong shape", `{"n":2,"coll":"drafts","id":"draft0000000009","create":[1,2]}`, wire.Refused, "bad_edit"},
		{"a number where a text belongs", `{"n":2,"coll":"drafts","id":"draft0000000009","create":{"person":"lan000000000000","procedure":"procedure000001","note":5}}`, wire.Refused, "bad_value"},
		{"a text where a number belongs", `{"n":2,"coll":"persons","id":"lan000000000000","change":{"identity_level":"ba"}}`, wire.Refused, "not_yours"},
		{"a NUL", `{"n":2,"coll":"drafts","id":"draft0000000009","create":{"person":"lan000000000000","procedure":"procedure000001","note":"a\u0000b"}}`, wire.Refused, "bad_edit"},
		{"an id that is none", `{"n":2,"coll":"drafts","id":"../etc/passwd","create":{"person":"lan000000000000"}}`, wire.Refused, "bad_id"},
		{"too long an edit", `{"n":2,"coll":"drafts","id":"draft0000000009","create":{"note":"` + strings.Repeat("x", wire.MaxEdit) + `"}}`, wire.Refused, "too_big"},
		{"too long a text", `{"n":2,"coll":"drafts","id":"draft0000000009","create":{"person":"lan000000000000","procedure":"procedure000001","note":"` + strings.Repeat("x", 2000) + `"}}`, wire.Refused, "bad_value"},
		{"a person that is not", `{"n":2,"coll":"drafts","id":"draft0000000009","create":{"person":"nobody000000000","procedure":"procedure000001"}}`, wire.Refused, "bad_value"},
		{"another's person", `{"n":2,"coll":"drafts","id":"draft0000000009","create":{"person":"tu0000000000000","procedure":"procedure000001"}}`, wire.Refused, "not_yours"},
		{"a collection of the future", `{"n":2,"coll":"bees","id":"bee000000000001","create":{"hives":3}}`, wire.Parked, "unknown_collection"},
		{"a collection of PocketBase", `{"n":2,"coll":"_superusers","id":"draft0000000009","create":{"email":"a@b.c"}}`, wire.Parked, "unknown_collection"},
		{"a collection of ours that is not shared", `{"n":2,"coll":"phones","id":"` + strings.Repeat("p", 15) + `","create":{"label":"x"}}`, wire.Parked, "unknown_collection"},
		{"a field of the future", `{"n":2,"coll":"drafts","id":"draft0000000009","create":{"person":"lan000000000000","procedure":"procedure000001","mood":"vui"}}`, wire.Parked, "unknown_field"},
		{"the record's id as a field", `{"n":2,"coll":"drafts","id":"draft0000000009","create":{"person":"lan000000000000","procedure":"procedure000001","id":"draft0000000008"}}`, wire.Refused, "by_action_only"},
		{"a server's date", `{"n":2,"coll":"drafts","id":"draft0000000009","create":{"person":"lan000000000000","procedure":"procedure000001","created":"2020-01-01"}}`, wire.Refused, "by_action_only"},
		{"a routed field", `{"n":2,"coll":"health_entries","id":"entry0000000009","create":{"person":"lan000000000000","kind":"visit","code":"x","village":"village00000001"}}`, wire.Refused, "by_action_only"},
		{"an action of the future", `{"n":2,"do":"bees.swarm","args":{}}`, wire.Parked, "unknown_action"},
		{"an action with arguments of the wrong shape", `{"n":2,"do":"publicservice.submit","args":[1]}`, wire.Refused, "bad_args"},
		{"an edit that waits for itself", `{"n":2,"after":[2],"id":"draft0000000009",` + draft + `}`, wire.Refused, "bad_edit"},
		{"a change of a record that never was", `{"n":2,"coll":"drafts","id":"draft0000000009","change":{"note":"x"}}`, wire.Refused, "not_found"},
		{"a sum where there is none", `{"n":2,"coll":"drafts","id":"draft0000000001","add":{"note":1}}`, wire.Refused, "bad_value"},
		{"a clock that is years off", `{"n":2,"at":"1970-01-01T00:00:00Z","id":"draft0000000009",` + draft + `}`, wire.Taken, ""},
		{"a clock of the future", `{"n":2,"at":"2087-01-01T00:00:00Z","id":"draft0000000009",` + draft + `}`, wire.Taken, ""},
		{"a time that is none", `{"n":2,"at":"hôm qua","id":"draft0000000009",` + draft + `}`, wire.Taken, ""},
	}
	for _, tt := range tests {
		t.Run(tt.who, func(t *testing.T) {
			t.Parallel()
			h := newHandset(t)
			got, lines := h.ask(good(1), tt.edit, good(3))
			v := got[2]
			if v.Is != tt.is || v.Code != tt.code || tt.is != wire.Taken && v.Say == "" {
				t.Errorf("verdict %s %q %q, want %s %s", v.Is, v.Code, v.Say, tt.is, tt.code)
			}
			if got[1].Is != wire.Taken || got[3].Is != wire.Taken {
				t.Errorf("the good edits got %s and %s", got[1].Is, got[3].Is)
			}
			if last := lines[len(lines)-1]; last.Complete == nil {
				t.Errorf("the answer ends with %+v", last)
			}
			if parked, err := h.s.App.CountRecords("parked_edits"); err != nil || (parked == 1) != (tt.is == wire.Parked) {
				t.Errorf("%d edits are kept for a person (%v)", parked, err)
			}
		})
	}
}

// TestNumbers: doubled, missing, replayed and forked numbers.
func TestNumbers(t *testing.T) {
	h := newHandset(t)
	one := `{"n":1,"id":"draft0000000001",` + draft + `}`
	got, _ := h.ask(one)
	if got[1].Is != wire.Taken {
		t.Fatalf("%+v", got[1])
	}
	if got, _ := h.ask(one); got[1].Is != wire.Known || got[1].Was != wire.Taken {
		t.Errorf("sent again it is %+v, want known, was taken", got[1])
	}
	if got, _ := h.ask(strings.Replace(one, `"note":"x"`, `"note":"y"`, 1)); got[1].Code != "fork" {
		t.Errorf("the same number with other content is %+v, want fork", got[1])
	}
	got, lines := h.ask(`{"n":3,"id":"draft0000000003",`+draft+`}`, `{"id":"draft0000000004",`+draft+`}`)
	if len(got) != 0 {
		t.Errorf("an edit after a gap was judged: %+v", got)
	}
	var from int64
	var problems []wire.Problem
	for _, l := range lines {
		from = max(from, l.SendFrom)
		problems = append(problems, l.Problems...)
	}
	if from != 2 || len(problems) != 1 || problems[0].At != 1 {
		t.Errorf("asked to send from %d with problems %+v, want 2 and one at 1", from, problems)
	}
	// Another phone replays the edit as its own: it is another edit, of its person.
	other := s2h(t, h.s, "tu0000000000000")
	if got, _ := other.ask(one); got[1].Is != wire.Refused {
		t.Errorf("replayed by another it is %+v", got[1])
	}
	if n, err := h.s.App.CountRecords("drafts"); err != nil || n != 1 {
		t.Errorf("%d drafts (%v), want 1", n, err)
	}
}

// TestCursorAhead: a phone that is ahead of a restored server starts anew and
// is asked for what the server does not have.
func TestCursorAhead(t *testing.T) {
	h := newHandset(t)
	w := h.send([]byte(`{"v":1,"epoch":"another","cursor":999999,"standing":"00"}`), nil)
	_, lines := read(t, w.Body.Bytes())
	if len(lines) == 0 || lines[0].Epoch == nil || !lines[0].Epoch.Reset {
		t.Fatalf("the answer begins with %+v", lines)
	}
	if lines[1].Acked == nil || *lines[1].Acked != 0 {
		t.Errorf("the server does not say what it has: %+v", lines[1])
	}
}

func FuzzAsk(f *testing.F) {
	f.Add([]byte(`{"v":1,"edits":[{"n":1,"id":"draft0000000001",` + draft + `}]}`))
	f.Add([]byte(`{"v":1,"cursor":5,"standing":"x","resume":"1.2.3","edits":[{"n":1,"coll":"drafts","id":"draft0000000001","add":{"note":1e999}}]}`))
	f.Add([]byte(`{"v":1,"edits":[{"n":1,"do":"publicservice.step","args":{"dossier":null,"to":1e9}}]}`))
	f.Add([]byte(`{"v":1,"edits":[null,5,"x",{"n":"1"},{"n":1.5}]}`))
	h := newHandset(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		w := h.send(body, nil)
		if w.Code >= 500 {
			t.Fatalf("%d %s for %q", w.Code, w.Body, body)
		}
		if w.Code >= 400 {
			var fail wire.Failure
			if json.Unmarshal(w.Body.Bytes(), &fail) != nil || fail.Code == "" || fail.Say == "" {
				t.Fatalf("%d without code and sentence: %s", w.Code, w.Body)
			}
		}
	})
}
