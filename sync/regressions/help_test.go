package regressions_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/health"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/hooks"
	"langso/phone"
	"langso/signin"
	"langso/sync/wire"
	"langso/villagetest"
)

// Lan and Tú live in one house, bà Bảy in another village.
const (
	lan = "lan000000000000"
	tu  = "tu0000000000000"
	bay = "bay000000000000"

	home      = "household000001"
	village   = "village00000001"
	procedure = "procedure000001"
	draft     = "draft0000000001"
	product   = "product00000001"
)

// scene is a small commune of the real domains.
type scene struct {
	*villagetest.Server
	t *testing.T
}

func newScene(t *testing.T) *scene {
	t.Helper()
	domains := []commune.Domain{people.Domain, health.Domain, publicservice.Domain, market.Domain, broadcast.Domain}
	s := &scene{t: t, Server: villagetest.New(t, domains, func(o *hooks.Options) { o.SignIn = &signin.Service{Now: o.Now} })}
	s.put("villages", village, phone.Values{"name": "Thôn Thượng"})
	s.put("villages", "village00000002", phone.Values{"name": "Thôn Hạ"})
	s.put("households", home, phone.Values{"name": "Nhà Lan", "village": village})
	s.put("households", "household000002", phone.Values{"name": "Nhà bà Bảy", "village": "village00000002"})
	s.put("procedures", procedure, phone.Values{"name": "Khai sinh", "code": "1", "active": true})
	s.person(lan, home)
	s.person(tu, home)
	s.person(bay, "household000002")
	return s
}

func (s *scene) put(coll, id string, fields phone.Values) string {
	s.t.Helper()
	return s.Put(s.t, coll, id, fields)
}

func (s *scene) person(id, household string) {
	s.t.Helper()
	s.put("persons", id, phone.Values{"name": id, "household": household, "status": "active"})
}

// sql writes as the SQL console does, and lets the journal see it.
func (s *scene) sql(format string, args ...any) {
	s.t.Helper()
	if _, err := s.App.NonconcurrentDB().NewQuery(fmt.Sprintf(format, args...)).Execute(); err != nil {
		s.t.Fatal(err)
	}
	if err := s.Absorb(); err != nil {
		s.t.Fatal(err)
	}
}

// drafts writes many drafts of Lan that do not compress to nothing.
func (s *scene) drafts(count, bytes int) {
	s.t.Helper()
	s.sql(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)
		INSERT INTO drafts (id, person, procedure, note, content)
		SELECT printf('bulk%%011d', i), '%s', '%s', hex(randomblob(%d)), '{}' FROM c`, count, lan, procedure, bytes/2)
}

// draftOf is a draft as a person may write it.
func draftOf(person, note string) phone.Values {
	return phone.Values{"person": person, "procedure": procedure, "note": note}
}

// care lets Lan see bà Bảy's records until it is taken back.
func (s *scene) care() {
	s.t.Helper()
	s.put("guardians", "guardian0000001", phone.Values{"person": bay, "guardian": lan, "kind": "granted", "from": "2026-01-01"})
}

func (s *scene) careEnds()    { s.t.Helper(); s.sql(`UPDATE guardians SET [[to]] = '2026-11-01'`) }
func (s *scene) careReturns() { s.t.Helper(); s.sql(`UPDATE guardians SET [[to]] = ''`) }

// announce calls Lan's village to a meeting.
func (s *scene) announce() (id string) {
	s.t.Helper()
	return s.put("announcements", "", phone.Values{"title": "Họp thôn", "body": "Tối nay", "village": village, "from": "2026-11-24"})
}

// sells gives Lan a stall with some cloth on it.
func (s *scene) sells(stock int) {
	s.t.Helper()
	stall := s.put("stalls", "", phone.Values{"name": "Hàng vải", "owner": lan})
	s.put("duties", "", phone.Values{"person": lan, "role": "seller", "place": stall})
	s.put("products", product, phone.Values{"stall": stall, "name": "Vải", "stock": stock, "price": 1000})
}

func (s *scene) field(coll, id, field string) string {
	s.t.Helper()
	r, err := s.App.FindRecordById(coll, id)
	if err != nil {
		s.t.Fatalf("the server has no %s/%s: %v", coll, id, err)
	}
	return r.GetString(field)
}

// phone is a phone of a person on a good network.
func (s *scene) phone(person string) *phone.Phone {
	s.t.Helper()
	return s.Phone(s.t, person, nil)
}

// phoneOnRoad is a phone of Lan on a road that the test watches, with its folder.
func (s *scene) phoneOnRoad() (p *phone.Phone, r *road, dir string) {
	s.t.Helper()
	dir = filepath.Join(s.t.TempDir(), "phone")
	if err := s.PhoneAt(s.t, dir, lan, nil).Close(); err != nil {
		s.t.Fatal(err)
	}
	r = &road{Network: s.Network()}
	p, err := phone.Open(dir, "", phone.WithTransport(r), phone.WithClock(s.Clock.Now), phone.WithJSON())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = p.Close() })
	return p, r, dir
}

// signIn makes the phone a new one of a person, as after a sign-in by code.
func (s *scene) signIn(p *phone.Phone, person string) {
	s.t.Helper()
	key, err := p.PublicKey()
	if err != nil {
		s.t.Fatal(err)
	}
	id := s.put("phones", "", phone.Values{"person": person, "label": "Máy thử", "public_key": key})
	if err := p.Adopt(id, person); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) syncs(p *phone.Phone) phone.Report {
	s.t.Helper()
	r, err := p.Sync(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *scene) creates(p *phone.Phone, fields phone.Values) (n int64, id string) {
	s.t.Helper()
	n, id, err := p.Create("drafts", fields)
	if err != nil {
		s.t.Fatal(err)
	}
	return n, id
}

func (s *scene) changes(p *phone.Phone, coll, id string, fields phone.Values) {
	s.t.Helper()
	if _, err := p.Change(coll, id, fields); err != nil {
		s.t.Fatal(err)
	}
}

// sale takes some cloth from the stall.
func (s *scene) sale(p *phone.Phone, pieces float64) (n int64) {
	s.t.Helper()
	n, err := p.Add("products", product, map[string]float64{"stock": -pieces})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *scene) has(p *phone.Phone, coll, id string) bool {
	s.t.Helper()
	_, ok, err := p.Show(coll, id)
	if err != nil {
		s.t.Fatal(err)
	}
	return ok
}

// verdict is the final word on edit n in an exchange.
func (s *scene) verdict(r phone.Report, n int64) wire.Is {
	s.t.Helper()
	for _, v := range r.Verdicts {
		if v.N == n {
			return v.Final()
		}
	}
	s.t.Fatalf("no verdict on edit %d in %+v", n, r.Verdicts)
	return ""
}

// notOnDisk looks for a text in the phone's file and in its log.
func (s *scene) notOnDisk(dir, text string) {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "phone.db*"))
	if err != nil || len(files) == 0 {
		s.t.Fatalf("no files of a phone in %s: %v", dir, err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			s.t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(text)) {
			s.t.Errorf("%s still holds %q", filepath.Base(f), text)
		}
	}
}

// road is a network whose answers a test reads and breaks off between lines.
type road struct {
	*villagetest.Network
	cutAfter string              // an answer ends after the first chunk that holds this
	passed   func(answer string) // called when an answer has come through
}

func (r *road) RoundTrip(ask *http.Request) (*http.Response, error) {
	ask.Header.Del("Accept-Encoding")
	response, err := r.Network.RoundTrip(ask)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if _, rest, found := bytes.Cut(answer, []byte(r.cutAfter)); r.cutAfter != "" && found {
		end := bytes.Index(rest, []byte(`"crc"`))
		end += bytes.IndexByte(rest[end:], '\n') + 1
		answer = answer[:len(answer)-len(rest)+end]
	}
	if r.passed != nil {
		r.passed(string(answer))
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))
	return response, nil
}

// syncsCutAfter meets the server once while the road breaks after a line.
func (s *scene) syncsCutAfter(p *phone.Phone, r *road, line string) {
	s.t.Helper()
	r.cutAfter = line
	_, err := p.Sync(s.t.Context())
	r.cutAfter = ""
	if !errors.Is(err, phone.ErrCut) {
		s.t.Fatalf("the answer was to be cut after %q: %v", line, err)
	}
}

// keyed is a phone of which only the key exists: the test writes its asks itself.
type keyed struct {
	handler func() http.Handler
	id      string
	key     ed25519.PrivateKey
}

func (s *scene) keyed(person string) *keyed {
	s.t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	id := s.put("phones", "", phone.Values{"person": person, "label": "Máy thử", "public_key": wire.Ed25519Key(public)})
	return &keyed{s.Handler, id, private}
}

// send does one exchange on a link that lives as long as the context.
func (k *keyed) send(ctx context.Context, ask wire.Ask) (lines []wire.Line, err error) {
	ask.V = 1
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/sync", bytes.NewReader(body))
	r.Header.Set("Authorization", wire.Authorization(k.id, ed25519.Sign(k.key, wire.SigningBytes(r.Method, r.URL.Path, body))))
	w := httptest.NewRecorder()
	k.handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return nil, fmt.Errorf("%d %s", w.Code, strings.TrimSpace(w.Body.String()))
	}
	answer := wire.ReadAnswer(w.Body)
	for {
		chunk, ok := answer.Next()
		if !ok {
			return lines, nil
		}
		lines = append(lines, chunk...)
	}
}

// judged is the final word on edit n among lines, "" when there is none.
func judged(lines []wire.Line, n int64) wire.Is {
	for _, line := range lines {
		for _, v := range line.Verdicts {
			if v.N == n {
				return v.Final()
			}
		}
	}
	return ""
}

// damaged is a phone of Lan that was complete, and then its file was written into
// behind its back.
func (s *scene) damaged(text string) *phone.Phone {
	s.t.Helper()
	dir := filepath.Join(s.t.TempDir(), "phone")
	p := s.PhoneAt(s.t, dir, lan, nil)
	s.syncs(p)
	if err := p.Close(); err != nil {
		s.t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "phone.db"))
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := db.Exec(text); err != nil {
		s.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		s.t.Fatal(err)
	}
	if p, err = phone.Open(dir, "", phone.WithTransport(s.Network()), phone.WithClock(s.Clock.Now)); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = p.Close() })
	return p
}
