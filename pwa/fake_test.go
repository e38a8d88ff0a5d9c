package pwa_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"langso/pwa"
	"langso/sync/sum"
	"langso/sync/wire"
)

// fake is a commune's server in a few lines: it speaks protocol 1 to one phone
// after another, takes whatever it is told, and can be unplugged.
type fake struct {
	t    *testing.T
	site *pwa.Site

	mu      sync.Mutex
	down    bool
	old     *pwa.Site
	stale   string // the file that is still delivered as it was in old
	seq     int
	circles []string
	records map[string]map[string]*fakeRecord
	acked   map[string]int
	keys    map[string]wire.PublicKey
	heard   []fakeEdit
	refuse  func(fakeEdit) string        // a sentence, or "" to take it
	park    func(fakeEdit) *wire.Verdict // a parking, or nil
}

type fakeRecord struct {
	seq    int
	fields map[string]any
}

type fakeEdit struct {
	N      int                `json:"n"`
	Coll   string             `json:"coll"`
	ID     string             `json:"id"`
	Create map[string]any     `json:"create"`
	Change map[string]any     `json:"change"`
	Add    map[string]float64 `json:"add"`
	Delete bool               `json:"delete"`
	Do     string             `json:"do"`
	Args   map[string]any     `json:"args"`
	Fixes  int                `json:"fixes"`
}

func newFake(t *testing.T, site *pwa.Site) *fake {
	return &fake{t: t, site: site, circles: []string{"commune", "market"}, records: map[string]map[string]*fakeRecord{},
		acked: map[string]int{}, keys: map[string]wire.PublicKey{}, refuse: func(fakeEdit) string { return "" }}
}

// put writes a record as an officer would.
func (f *fake) put(coll, id string, fields map[string]any) {
	f.seq++
	if f.records[coll] == nil {
		f.records[coll] = map[string]*fakeRecord{}
	}
	r := f.records[coll][id]
	if r == nil {
		r = &fakeRecord{fields: map[string]any{}}
		f.records[coll][id] = r
	}
	maps.Copy(r.fields, fields)
	r.seq = f.seq
}

// install replaces the app's files, as a new program does; a proxy on the way
// still has the stale one.
func (f *fake) install(site *pwa.Site, stale string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if stale != "" {
		f.old = f.site
	}
	f.site, f.stale = site, stale
}

func (f *fake) unplug(down bool) { f.mu.Lock(); defer f.mu.Unlock(); f.down = down }

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
		return
	}
	body, _ := io.ReadAll(r.Body)
	switch r.URL.Path {
	case "/api/langso":
		reply(w, map[string]any{"v": 1, "name": "Xã Phúc Hòa", "epoch": "e1", "sms": "log", "demo": true})
	case "/api/phones/code":
		reply(w, map[string]any{"sent": true, "wait": 60})
	case "/api/phones/sign-in":
		f.signIn(w, body)
	case "/api/phones/sign-out":
		reply(w, map[string]any{})
	case "/api/sync":
		f.sync(w, r, body)
	default:
		site := f.site
		if r.URL.Path == f.stale {
			site = f.old
		}
		if !site.Serve(w, r) {
			http.NotFound(w, r)
		}
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (f *fake) signIn(w http.ResponseWriter, body []byte) {
	var ask struct{ Key, Code, Person string }
	_ = json.Unmarshal(body, &ask)
	key, err := wire.ParseKey(ask.Key)
	if err != nil || ask.Code != "123456" {
		w.WriteHeader(http.StatusBadRequest)
		reply(w, map[string]any{"code": "bad_code", "say": "Mã chưa đúng. Bà con xem lại tin nhắn nhé."})
		return
	}
	if ask.Person == "" {
		reply(w, map[string]any{"choose": []map[string]any{{"id": "lan000000000000", "name": "Nguyễn Thị Lan", "born": "1958"}, {"id": "hoa000000000000", "name": "Trần Văn Hòa", "born": "1984"}}})
		return
	}
	phone := "phone" + string(rune('a'+len(f.keys)))
	f.keys[phone] = key
	reply(w, map[string]any{"phone": phone, "person": map[string]any{"id": ask.Person, "name": "Nguyễn Thị Lan"}})
}

func (f *fake) sync(w http.ResponseWriter, r *http.Request, body []byte) {
	phone, sig, ok := wire.ParseAuthorization(r.Header.Get("Authorization"))
	if key, known := f.keys[phone]; !ok || !known || !key.Verify(wire.SigningBytes("POST", "/api/sync", body), sig) {
		w.WriteHeader(http.StatusUnauthorized)
		reply(w, map[string]any{"code": "signature", "say": "Không xác nhận được điện thoại, hãy đăng nhập lại."})
		return
	}
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			f.t.Error(err)
			return
		}
		body, _ = io.ReadAll(z)
	}
	var ask struct {
		Cursor   int
		Standing string
		Edits    []fakeEdit
	}
	if err := json.Unmarshal(body, &ask); err != nil {
		f.t.Errorf("ask: %v", err)
	}
	text, err := wire.Write(f.answer(phone, ask.Cursor, ask.Standing, ask.Edits))
	if err != nil {
		f.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	_, _ = w.Write(text.Body)
}

func (f *fake) answer(phone string, cursor int, standing string, edits []fakeEdit) (lines []wire.Line) {
	if len(edits) > 0 {
		var verdicts []wire.Verdict
		for _, e := range edits {
			verdicts = append(verdicts, f.judge(phone, e))
		}
		acked := int64(f.acked[phone])
		lines = append(lines, wire.Line{Verdicts: verdicts, Acked: &acked})
	}
	if hash := wire.StandingHash(f.circles); hash != standing {
		lines = append(lines, wire.Line{Standing: &wire.StandingLine{Hash: hash, Circles: f.circles}})
		cursor = 0
	}
	var total sum.Sum
	for _, coll := range slices.Sorted(maps.Keys(f.records)) {
		var rows []wire.Row
		for _, id := range slices.Sorted(maps.Keys(f.records[coll])) {
			rec := f.records[coll][id]
			total = total.Plus(sum.Place{Circle: f.circles[0], Coll: coll, ID: id, Seq: int64(rec.seq)}.Sum())
			if rec.seq <= cursor {
				continue
			}
			set := map[string]json.RawMessage{}
			for field, v := range rec.fields {
				set[field], _ = json.Marshal(v)
			}
			rows = append(rows, wire.Row{ID: id, Seq: wire.Cursor(rec.seq), Whole: true, In: []int{0}, Set: set})
		}
		if rows != nil {
			lines = append(lines, wire.Line{Changes: &wire.Columns(coll, rows)[0]})
		}
	}
	return append(lines, wire.Line{Complete: &wire.Complete{Cursor: wire.Cursor(f.seq), Epoch: "e1", Sum: total}})
}

func (f *fake) judge(phone string, e fakeEdit) wire.Verdict {
	if e.N <= f.acked[phone] {
		return wire.Verdict{N: int64(e.N), Is: wire.Known, Was: wire.Taken}
	}
	f.acked[phone] = e.N
	f.heard = append(f.heard, e)
	if say := f.refuse(e); say != "" {
		return wire.Verdict{N: int64(e.N), Is: wire.Refused, Code: "no", Say: say}
	}
	if f.park != nil {
		if v := f.park(e); v != nil {
			v.N = int64(e.N)
			return *v
		}
	}
	switch {
	case e.Create != nil:
		f.put(e.Coll, e.ID, e.Create)
	case e.Change != nil:
		f.put(e.Coll, e.ID, e.Change)
	case e.Add != nil:
		for field, by := range e.Add {
			have, _ := f.records[e.Coll][e.ID].fields[field].(float64)
			f.put(e.Coll, e.ID, map[string]any{field: have + by})
		}
	case e.Do == "publicservice.submit":
		f.put("dossiers", e.Args["id"].(string), map[string]any{"person": e.Args["person"], "procedure": e.Args["procedure"], "content": e.Args["content"],
			"status": 1, "code": "H07.330.261124-0001", "submitted_at": "2026-11-24 06:10:00.000Z", "due": "2026-12-01"})
	case e.Do == "market.order":
		f.put("orders", e.Args["id"].(string), map[string]any{"buyer": "lan000000000000", "stall": e.Args["stall"], "lines": e.Args["lines"],
			"total": 90000, "state": "confirmed", "code": "PZ7K2M", "placed_at": "2026-11-24 06:10:00.000Z"})
	}
	return wire.Verdict{N: int64(e.N), Is: wire.Taken}
}

// furnish gives the commune something of each kind to see.
func (f *fake) furnish() {
	f.put("persons", "lan000000000000", map[string]any{"name": "Nguyễn Thị Lan", "born": "1958-03-02", "sex": "nữ"})
	f.put("persons", "con000000000000", map[string]any{"name": "Trần Gia Bảo", "born": "2024-06-15", "sex": "nam"})
	f.put("persons", "sau000000000000", map[string]any{"name": "Nguyễn Thị Sáu", "born": "1951-02-09", "sex": "nữ", "corrections": []map[string]any{{"at": "2026-11-20 03:00:00.000Z", "who": "Đỗ Thị Mai",
		"was": map[string]any{"born": "1951-09-02", "name": "Nguyễn Sáu"}, "now": map[string]any{"born": "1951-02-09", "name": "Nguyễn Thị Sáu"}, "why": "giấy khai sinh số 12 ngày 3/3/1951"}}})
	f.put("guardians", "g00000000000001", map[string]any{"person": "con000000000000", "guardian": "lan000000000000", "kind": "guardian"})
	f.put("villages", "v00000000000001", map[string]any{"name": "Thôn Phúc Đình"})
	f.put("procedures", "p00000000000001", map[string]any{"name": "Đăng ký khai sinh", "code": "1.001193", "field": "Hộ tịch", "limit": "Trong ngày làm việc", "fee": "Miễn lệ phí nếu đúng hạn", "active": true, "verified": true,
		"components": []map[string]any{{"key": "to_khai", "name": "Tờ khai đăng ký khai sinh", "required": true}, {"key": "chung_sinh", "name": "Giấy chứng sinh"}}})
	f.put("procedures", "p00000000000002", map[string]any{"name": "Xác nhận tình trạng hôn nhân", "code": "1.004873", "field": "Hộ tịch", "limit": "3 ngày làm việc", "active": true})
	f.put("stalls", "s00000000000001", map[string]any{"name": "Vườn vải bà Tám", "village": "v00000000000001", "pickup": "Cổng nhà văn hóa thôn Phúc Đình", "story": "Vải chín đỏ, hái buổi sáng."})
	for i, name := range []string{"Vải thiều Phúc Hòa", "Vải sớm u hồng", "Ổi lê Đài Loan", "Mật ong hoa vải", "Bưởi Diễn", "Gạo nếp cái hoa vàng"} {
		f.put("products", "h0000000000000"+string(rune('a'+i)), map[string]any{"stall": "s00000000000001", "name": name, "price": 45000 + 5000*i, "unit": []string{"kg", "kg", "kg", "chai", "qua", "kg"}[i], "stock": float64(12 - 2*i), "grade": []string{"VIP", "1", "", "", "", ""}[i], "description": "Hàng của vườn nhà, sạch, giao trong ngày.", "category": []string{"vai", "vai", "oi", "mat_ong", "buoi", "gao"}[i]})
	}
	f.put("announcements", "a00000000000001", map[string]any{"title": "Lịch tiêm chủng mở rộng tháng 12", "body": "Sáng thứ Ba ngày 1/12, từ 7 giờ 30 tại trạm y tế xã.\nBà con mang theo sổ tiêm của cháu.", "from": "2026-11-20"})
	f.put("announcements", "a00000000000002", map[string]any{"title": "Cảnh báo mưa lớn đêm nay, bà con vùng trũng chủ động", "body": "Mưa từ 22 giờ, gió giật cấp 6.", "from": "2026-11-24", "urgent": true})
	f.put("notices", "n00000000000001", map[string]any{"circle": "person:lan000000000000", "title": "Hồ sơ của bác đã được tiếp nhận", "body": "Hẹn trả ngày 1/12.", "kind": "dossier_step", "link": "#/ho-so", "at": "2026-11-24 05:10:00.000Z"})
	f.put("health_entries", "e00000000000001", map[string]any{"person": "lan000000000000", "kind": "measurement", "code": "bp", "data": map[string]any{"systolic": 185, "diastolic": 100}, "occurred_on": "2026-11-20", "source": "measured", "op": "add", "root": "e00000000000001"})
	f.put("health_entries", "e00000000000002", map[string]any{"person": "lan000000000000", "kind": "vaccination", "code": "FLU", "data": map[string]any{"dose": 1, "lot": "A12"}, "occurred_on": "2025-10-02", "source": "paper", "op": "add", "root": "e00000000000002"})
	f.put("health_entries", "e00000000000003", map[string]any{"person": "lan000000000000", "kind": "vaccination", "code": "FLU", "data": map[string]any{"dose": 2, "lot": "A12"}, "occurred_on": "2025-10-02", "source": "paper", "op": "amend", "amends": []string{"e00000000000002"}, "root": "e00000000000002", "reason": "chép nhầm mũi"})
	f.put("health_entries", "e00000000000004", map[string]any{"person": "lan000000000000", "kind": "vaccination", "code": "FLU", "data": map[string]any{"dose": 1, "lot": "A21"}, "occurred_on": "2025-10-03", "source": "paper", "op": "amend", "amends": []string{"e00000000000002"}, "root": "e00000000000002", "reason": "sai số lô"})
	f.put("health_entries", "e00000000000005", map[string]any{"person": "lan000000000000", "kind": "visit", "code": "đau lưng", "text": "Thoái hóa cột sống. Nghỉ ngơi, tập nhẹ.", "occurred_on": "2026-08-11", "source": "paper", "op": "void", "amends": []string{}, "root": "e00000000000005"})
	f.put("dossiers", "d00000000000001", map[string]any{"person": "lan000000000000", "procedure": "p00000000000002", "status": 5, "code": "H07.330.261120-0007", "say": "Bác mang thêm bản sao căn cước.", "submitted_at": "2026-11-20 02:00:00.000Z", "due": "2026-11-26"})
	f.put("dossiers", "d00000000000002", map[string]any{"person": "con000000000000", "procedure": "p00000000000001", "status": 1, "content": map[string]any{"to_khai": "Trần Gia Bảo, sinh 15/6/2024, nam"}, "note": "Nhờ cán bộ xem giúp", "submitted_at": "2026-11-24 01:30:00.000Z", "channel": "app"})
	f.put("dossier_events", "de0000000000001", map[string]any{"dossier": "d00000000000001", "person": "lan000000000000", "from": 1, "to": 2, "at": "2026-11-20 03:00:00.000Z"})
	f.put("dossier_events", "de0000000000002", map[string]any{"dossier": "d00000000000001", "person": "lan000000000000", "from": 2, "to": 5, "say": "Bác mang thêm bản sao căn cước.", "at": "2026-11-23 03:00:00.000Z"})
	f.put("access_log", "l00000000000001", map[string]any{"person": "lan000000000000", "who": "Quản trị xã", "what": "Sổ sức khỏe", "why": "Đối chiếu sổ tiêm theo yêu cầu của trạm", "at": "2026-11-22 03:00:00.000Z"})
}

// furnished is the app before a server that has what a commune has, and its
// address as a browser trusts it.
func furnished(t *testing.T) (f *fake, srv *httptest.Server, url string) {
	t.Helper()
	site, err := pwa.Load(os.DirFS("../pb_public"))
	if err != nil {
		t.Fatal(err)
	}
	f = newFake(t, site)
	f.furnish()
	srv = httptest.NewServer(f)
	t.Cleanup(srv.Close)
	return f, srv, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
}
