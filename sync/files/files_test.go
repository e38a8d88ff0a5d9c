package files_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"langso/browsertest"
	"langso/hooks"
	"langso/sync/files"
)

// draft puts a draft of a person that names files, as the person's own edit
// does.
func (v *village) draft(person, id, scans string) {
	v.t.Helper()
	p := v.phone(person, &road{})
	if _, err := p.CreateAs("drafts", id, map[string]any{"person": person, "procedure": "procedure000001", "scans": scans}); err != nil {
		v.t.Fatal(err)
	}
	v.sync(p)
}

// same tells whether two answers differ in nothing that can be seen.
func same(t *testing.T, name string, a, b *http.Response, bodyA, bodyB string) {
	t.Helper()
	if a.StatusCode != b.StatusCode || bodyA != bodyB {
		t.Errorf("%s: status %d with %d bytes, and %d with %d", name, a.StatusCode, len(bodyA), b.StatusCode, len(bodyB))
	}
	for _, h := range []http.Header{a.Header, b.Header} {
		for k := range h {
			if a.Header.Get(k) != b.Header.Get(k) {
				t.Errorf("%s: %s is %q and %q", name, k, a.Header.Get(k), b.Header.Get(k))
			}
		}
	}
}

// TestANameIsNoKey: who knows the name of another's file learns nothing by it,
// whatever they write.
func TestANameIsNoKey(t *testing.T) {
	v := newVillage(t)
	lans, hoas := v.key(lan), v.key(hoa)
	b := photo(t, 1, 200, 100, false)
	hash, none := nameOf(b), nameOf([]byte("none"))
	v.draft(lan, "draft0000000001", hash)
	if w := lans.get(hash); w.Code != 404 {
		t.Errorf("before it was sent: %d", w.Code)
	}
	if w := lans.send(b); w.Code != 201 {
		t.Fatalf("send: %d %s", w.Code, w.Body)
	}
	if w := lans.get(hash); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), b) {
		t.Fatalf("Lan's own: %d", w.Code)
	}
	nothing := func(when string) {
		t.Helper()
		for _, size := range []string{"", "?size=thumb", "?size=screen", "?size=x"} {
			a, n := hoas.do("GET", "/api/files/"+hash+size, nil), hoas.do("GET", "/api/files/"+none+size, nil)
			if a.Code != 404 {
				t.Errorf("%s Hoa is answered %d", when, a.Code)
			}
			same(t, when+size, a.Result(), n.Result(), a.Body.String(), n.Body.String())
		}
		if hoas.has(hash) || hoas.has(none) {
			t.Errorf("%s Hoa is told that the server has it", when)
		}
	}
	nothing("at first")
	v.draft(hoa, "draft0000000002", hash)
	nothing("having written its name into a draft of hers")
	if w := hoas.send(b); w.Code != 201 {
		t.Fatalf("Hoa sends the same: %d %s", w.Code, w.Body)
	}
	if w := hoas.get(hash); w.Code != 200 {
		t.Errorf("Hoa has the file and named it: %d", w.Code)
	}
	if !lans.has(hash) || !hoas.has(hash) {
		t.Error("who sent it is asked for it again")
	}
	if w := v.Do("GET", "/api/files/"+hash, "", nil); w.Code != 401 {
		t.Errorf("unsigned: %d", w.Code)
	}
}

// TestReadingNowAndNotLonger: a circle that is lost is lost at once.
func TestReadingNowAndNotLonger(t *testing.T) {
	v := newVillage(t)
	lans, mais, tams := v.key(lan), v.key(mai), v.key(tam)
	b := photo(t, 2, 200, 100, false)
	hash := nameOf(b)
	if w := lans.send(b); w.Code != 201 {
		t.Fatalf("send: %d %s", w.Code, w.Body)
	}
	v.Put(t, "products", "product00000001", map[string]any{"stall": "stall0000000001", "name": "Vải", "price": 1, "photos": hash})
	expect := func(when string, k *key, code int) {
		t.Helper()
		if w := k.get(hash); w.Code != code {
			t.Errorf("%s: %d, want %d", when, w.Code, code)
		}
	}
	expect("goods in the market", mais, 200)
	set := func(coll, id string, fields map[string]any) {
		t.Helper()
		r, err := v.App.FindRecordById(coll, id)
		if err != nil {
			t.Fatal(err)
		}
		r.Load(fields)
		if err := v.App.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	set("products", "product00000001", map[string]any{"adult": true})
	expect("goods for adults", mais, 404)
	expect("the seller's own", lans, 200)
	set("products", "product00000001", map[string]any{"adult": false})
	expect("for all again", mais, 200)
	if _, err := v.App.NonconcurrentDB().NewQuery(`UPDATE products SET photos = ''`).Execute(); err != nil {
		t.Fatal(err)
	}
	expect("taken off by SQL, past the hooks", mais, 404)

	v.Put(t, "dossiers", "dossier00000001", map[string]any{"person": lan, "procedure": "procedure000001", "status": 2, "scans": hash})
	expect("an officer on duty", tams, 200)
	expect("who is nobody in it", mais, 404)
	v.Clock.Add(24 * time.Hour)
	expect("when the duty ended at midnight", tams, 404)
	expect("the person", lans, 200)
	set("persons", lan, map[string]any{"status": "dead"})
	expect("who stands nowhere", lans, 404)
}

func TestRanges(t *testing.T) {
	v := newVillage(t)
	k := v.key(lan)
	b := photo(t, 3, 400, 300, false)
	hash := nameOf(b)
	v.draft(lan, "draft0000000001", hash)
	if w := k.send(b); w.Code != 201 {
		t.Fatal(w.Body)
	}
	whole := k.get(hash)
	tag := whole.Header().Get("ETag")
	if tag != `"`+hash+`"` || whole.Header().Get("Cache-Control") != "private, max-age=31536000, immutable" || whole.Header().Get("X-Content-Type-Options") != "nosniff" || whole.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("headers %v", whole.Header())
	}
	part := k.do("GET", "/api/files/"+hash, nil, "Range", "bytes=1000-", "If-Range", tag)
	if part.Code != 206 || !bytes.Equal(part.Body.Bytes(), b[1000:]) || part.Header().Get("Content-Range") != "bytes 1000-"+strconv.Itoa(len(b)-1)+"/"+strconv.Itoa(len(b)) {
		t.Errorf("a range: %d %v", part.Code, part.Header())
	}
	if other := k.do("GET", "/api/files/"+hash, nil, "Range", "bytes=1000-", "If-Range", `"other"`); other.Code != 200 || other.Body.Len() != len(b) {
		t.Errorf("a range of another file: %d", other.Code)
	}
	if not := k.do("GET", "/api/files/"+hash, nil, "If-None-Match", tag); not.Code != 304 {
		t.Errorf("it has it: %d", not.Code)
	}
	if head := k.do("HEAD", "/api/files/"+hash, nil); head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("Content-Length") != strconv.Itoa(len(b)) {
		t.Errorf("head: %d %v", head.Code, head.Header())
	}
	thumb := k.do("GET", "/api/files/"+hash+"?size=thumb", nil)
	c, err := jpeg.DecodeConfig(thumb.Body)
	if err != nil || c.Width != 96 || thumb.Header().Get("Content-Length") == "" {
		t.Errorf("thumb: %d %v", c.Width, err)
	}
}

// TestNothingOfTheCameraIsGiven: also what a phone sent as it was is given clean.
func TestNothingOfTheCameraIsGiven(t *testing.T) {
	v := newVillage(t)
	k := v.key(lan)
	b := photo(t, 4, 1000, 900, true)
	if !bytes.Contains(b, []byte(sentinel)) {
		t.Fatal("the test's photo holds no position")
	}
	hash := nameOf(b)
	v.draft(lan, "draft0000000001", hash)
	if w := k.send(b); w.Code != 201 {
		t.Fatal(w.Body)
	}
	for _, size := range []string{"", "?size=thumb", "?size=screen"} {
		w := k.do("GET", "/api/files/"+hash+size, nil)
		if w.Code != 200 || bytes.Contains(w.Body.Bytes(), []byte("NHA-BA-LAN")) {
			t.Errorf("%q: %d, with the position", size, w.Code)
		}
		if tag := strings.Trim(w.Header().Get("ETag"), `"`); tag != nameOf(w.Body.Bytes()) {
			t.Errorf("%q: the tag is not the sum of the bytes", size)
		}
	}
	// Nor does it lie on the server's disk.
	err := filepath.WalkDir(v.Dir(), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		all, err := os.ReadFile(path)
		if bytes.Contains(all, []byte("NHA-BA-LAN")) {
			t.Errorf("%s holds the position", d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// bomb is a PNG of some bytes that claims a size.
func bomb(t *testing.T, w, h uint32) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	out := b.Bytes()
	binary.BigEndian.PutUint32(out[16:], w)
	binary.BigEndian.PutUint32(out[20:], h)
	binary.BigEndian.PutUint32(out[29:], crc32.ChecksumIEEE(out[12:29]))
	return out
}

func TestRefusals(t *testing.T) {
	v := newVillage(t, func(o *hooks.Options) {
		o.FileSettings = files.Settings{MaxBytes: 50_000, MaxPixels: 20_000, PerDay: 9}
	})
	k := v.key(lan)
	for _, c := range []struct {
		name   string
		b      []byte
		status int
		code   string
	}{
		{"a bomb", bomb(t, 60000, 60000), 422, "too_many_pixels"},
		{"a large picture", photo(t, 1, 201, 100, false), 422, "too_many_pixels"},
		{"a text", []byte("Kính gửi Ủy ban nhân dân xã"), 415, "bad_type"},
		{"a page", []byte("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"), 415, "bad_type"},
		{"a cut picture", photo(t, 1, 100, 100, false)[:2000], 415, "bad_type"},
		{"nothing", nil, 415, "bad_type"},
		{"too many bytes", append([]byte("%PDF-1.4"), make([]byte, 50_000)...), 413, "too_big"},
	} {
		if w := k.send(c.b); w.Code != c.status || codeOf(t, w) != c.code {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		if k.has(nameOf(c.b)) {
			t.Errorf("%s is kept", c.name)
		}
	}
	if left, err := filepath.Glob(filepath.Join(v.Dir(), "files", "uploads", "*")); err != nil || len(left) != 0 {
		t.Errorf("refused bytes stay: %v %v", left, err)
	}
	// What is no picture is refused with its first bytes.
	w := k.do("POST", "/api/files/uploads", []byte("Kính gửi Ủy ban"), "Upload-Length", "40000", "Content-Type", "application/offset+octet-stream")
	if w.Code != 415 {
		t.Errorf("the beginning of a text: %d %s", w.Code, w.Body)
	}
	for i := range 6 {
		w = k.send(photo(t, uint64(i), 100, 100, false))
	}
	if w.Code != 429 || codeOf(t, w) != "too_many_files" {
		t.Errorf("one too many: %d %s", w.Code, w.Body)
	}
	if w := v.key(mai).send(photo(t, 9, 100, 100, false)); w.Code != 201 {
		t.Errorf("somebody else: %d %s", w.Code, w.Body)
	}
	v.Clock.Add(24 * time.Hour)
	if w := k.send(photo(t, 9, 100, 100, false)); w.Code != 201 {
		t.Errorf("the next day: %d %s", w.Code, w.Body)
	}
}

// begin creates an upload without bytes and returns its place.
func (k *key) begin(size int) string {
	k.v.t.Helper()
	w := k.do("POST", "/api/files/uploads", nil, "Upload-Length", strconv.Itoa(size))
	if w.Code != 201 || w.Header().Get("Location") == "" {
		k.v.t.Fatalf("begin: %d %s", w.Code, w.Body)
	}
	return w.Header().Get("Location")
}

func (k *key) patch(to string, at int, b []byte, checksum string) (int, string) {
	w := k.do("PATCH", to, b, "Upload-Offset", strconv.Itoa(at), "Content-Type", "application/offset+octet-stream", "Upload-Checksum", checksum)
	head := k.do("HEAD", to, nil)
	return w.Code, head.Header().Get("Upload-Offset")
}

func TestChecksums(t *testing.T) {
	v := newVillage(t)
	k := v.key(lan)
	b := photo(t, 5, 300, 300, false)
	s1, s256 := sha1.Sum(b[:1000]), sha256.Sum256(b[1000:2000])
	to := k.begin(len(b))
	for _, c := range []struct {
		name     string
		at       int
		b        []byte
		checksum string
		code     int
		offset   string
	}{
		{"a wrong sum", 0, b[1:1001], "sha1 " + base64.StdEncoding.EncodeToString(s1[:]), 460, "0"},
		{"a piece cut short", 0, b[:999], "sha1 " + base64.StdEncoding.EncodeToString(s1[:]), 460, "0"},
		{"an algorithm we do not announce", 0, b[:1000], "md5 AAAA", 400, "0"},
		{"no sum at all", 0, b[:1000], "sha1", 400, "0"},
		{"sha1", 0, b[:1000], "sha1 " + base64.StdEncoding.EncodeToString(s1[:]), 204, "1000"},
		{"the same again", 0, b[:1000], "sha1 " + base64.StdEncoding.EncodeToString(s1[:]), 409, "1000"},
		{"sha256", 1000, b[1000:2000], "sha256 " + base64.StdEncoding.EncodeToString(s256[:]), 204, "2000"},
		{"without one", 2000, b[2000:3000], "", 204, "3000"},
		{"more than was announced", 3000, append(bytes.Clone(b[3000:]), 1), "", 413, "3000"},
		{"the rest", 3000, b[3000:], "", 204, strconv.Itoa(len(b))},
		{"nothing more", len(b), nil, "", 204, strconv.Itoa(len(b))},
	} {
		if code, offset := k.patch(to, c.at, c.b, c.checksum); code != c.code || offset != c.offset {
			t.Errorf("%s: %d at %s, want %d at %s", c.name, code, offset, c.code, c.offset)
		}
	}
	// Bytes that are not those of the name never become the file.
	damaged := bytes.Clone(b)
	damaged[len(b)/2] ^= 1
	w := k.do("POST", "/api/files/uploads", damaged, "Upload-Length", strconv.Itoa(len(b)), "Content-Type", "application/offset+octet-stream",
		"Upload-Metadata", "sha256 "+base64.StdEncoding.EncodeToString([]byte(nameOf(b))))
	if w.Code != 460 || codeOf(t, w) != "bad_checksum" || k.has(nameOf(damaged)) {
		t.Errorf("another file than named: %d %s", w.Code, w.Body)
	}
}

func TestTus(t *testing.T) {
	v := newVillage(t)
	k := v.key(lan)
	o := v.Do("OPTIONS", "/api/files/uploads", "", nil)
	for name, want := range map[string]string{"Tus-Resumable": "1.0.0", "Tus-Version": "1.0.0", "Tus-Extension": "creation,creation-with-upload,checksum,expiration,termination",
		"Tus-Checksum-Algorithm": "sha1,sha256", "Tus-Max-Size": "10485760"} {
		if got := o.Header().Get(name); o.Code != 204 || got != want {
			t.Errorf("OPTIONS: %d, %s is %q", o.Code, name, got)
		}
	}
	b := photo(t, 6, 300, 300, false)
	to := k.begin(len(b))
	if w := v.Do("PATCH", to, "", map[string]string{"Tus-Resumable": "0.2.2"}); w.Code != 412 || w.Header().Get("Tus-Version") != "1.0.0" {
		t.Errorf("another version: %d", w.Code)
	}
	if w := v.key(mai).do("HEAD", to, nil); w.Code != 404 {
		t.Errorf("another person's upload: %d", w.Code)
	}
	if w := k.do("PATCH", to, b[:10], "Upload-Offset", "0", "Content-Type", "text/plain"); w.Code != 415 {
		t.Errorf("another type: %d", w.Code)
	}
	head := k.do("HEAD", to, nil)
	if want := villageDay.Add(7 * 24 * time.Hour).Format(http.TimeFormat); head.Header().Get("Upload-Expires") != want || head.Header().Get("Cache-Control") != "no-store" || head.Header().Get("Upload-Length") != strconv.Itoa(len(b)) {
		t.Errorf("HEAD: %v", head.Header())
	}
	// A client that has no PATCH.
	if w := k.do("POST", to, b[:500], "X-HTTP-Method-Override", "PATCH", "Upload-Offset", "0", "Content-Type", "application/offset+octet-stream"); w.Code != 204 || w.Header().Get("Upload-Offset") != "500" {
		t.Errorf("POST as PATCH: %d %v", w.Code, w.Header())
	}
	if w := k.do("DELETE", to, nil); w.Code != 204 {
		t.Errorf("DELETE: %d", w.Code)
	}
	if w := k.do("HEAD", to, nil); w.Code != 404 {
		t.Errorf("after DELETE: %d", w.Code)
	}
	for _, h := range [][]string{{}, {"Upload-Length", "-1"}, {"Upload-Length", "x"}, {"Upload-Defer-Length", "1"}, {"Upload-Length", "5", "Upload-Concat", "partial"}} {
		if w := k.do("POST", "/api/files/uploads", nil, h...); w.Code != 400 {
			t.Errorf("creation with %v: %d", h, w.Code)
		}
	}
	old := k.begin(len(b))
	v.Clock.Add(7*24*time.Hour + time.Second)
	if w := k.do("HEAD", old, nil); w.Code != 410 {
		t.Errorf("after 7 days: %d", w.Code)
	}
}

// TestCutWithoutChecksum: whatever came of a piece that was not announced stays.
func TestCutWithoutChecksum(t *testing.T) {
	v := newVillage(t)
	k := v.key(lan)
	b := photo(t, 7, 300, 300, false)
	to := k.begin(len(b))
	r := &road{v: v, up: func(int) int { return 777 }}
	k.over(r, "PATCH", to, b, "Upload-Offset", "0", "Content-Type", "application/offset+octet-stream")
	if w := k.do("HEAD", to, nil); w.Header().Get("Upload-Offset") != "777" {
		t.Fatalf("after a cut: %v", w.Header())
	}
	if code, at := k.patch(to, 777, b[777:], ""); code != 204 || at != strconv.Itoa(len(b)) || !k.has(nameOf(b)) {
		t.Errorf("the rest: %d at %s", code, at)
	}
}

// TestTheServerDiesBeforeTheEnd: every byte is on the disk and nobody was told.
func TestTheServerDiesBeforeTheEnd(t *testing.T) {
	v := newVillage(t)
	k := v.key(lan)
	b := photo(t, 8, 300, 300, false)
	to := k.begin(len(b))
	if err := os.WriteFile(filepath.Join(v.Dir(), "files", "uploads", filepath.Base(to)), b, 0o600); err != nil {
		t.Fatal(err)
	}
	v.Restart(t)
	if w := k.do("HEAD", to, nil); w.Code != 200 || w.Header().Get("Upload-Offset") != strconv.Itoa(len(b)) || !k.has(nameOf(b)) {
		t.Errorf("after the restart: %d %v", w.Code, w.Header())
	}
}

// TestOrphans: a file that nothing names goes after 30 days, and not before; one
// that a parked edit names stays.
func TestOrphans(t *testing.T) {
	v := newVillage(t)
	k := v.key(lan)
	send := func(seed uint64) string {
		t.Helper()
		b := photo(t, seed, 100, 100, false)
		if w := k.send(b); w.Code != 201 {
			t.Fatal(w.Body)
		}
		return nameOf(b)
	}
	named, alone, dropped, parked, bySQL := send(1), send(2), send(3), send(4), send(5)
	v.Put(t, "drafts", "draft0000000001", map[string]any{"person": lan, "procedure": "procedure000001", "scans": named + " " + dropped})
	v.Put(t, "drafts", "draft0000000002", map[string]any{"person": lan, "procedure": "procedure000001"})
	if _, err := v.App.NonconcurrentDB().NewQuery(`UPDATE drafts SET scans = '` + bySQL + `' WHERE id = 'draft0000000002'`).Execute(); err != nil {
		t.Fatal(err)
	}
	v.Put(t, "parked_edits", "", map[string]any{"code": "needs_person", "n": 1, "state": "waiting", "edit": `{"n":1,"coll":"drafts","change":{"scans":"` + parked + `"}}`})
	there := func(when string, want ...string) {
		t.Helper()
		if err := v.sweep(); err != nil {
			t.Fatal(err)
		}
		for _, hash := range []string{named, alone, dropped, parked, bySQL} {
			kept := strings.Contains(strings.Join(want, " "), hash)
			entries, err := filepath.Glob(filepath.Join(v.Dir(), "files", hash[:2], hash+"*"))
			if err != nil || (len(entries) > 0) != kept {
				t.Errorf("%s: %s… has %d files, kept: %v", when, hash[:6], len(entries), kept)
			}
		}
	}
	there("at once", named, alone, dropped, parked, bySQL)
	v.Clock.Add(20 * 24 * time.Hour)
	r, err := v.App.FindRecordById("drafts", "draft0000000001")
	if err != nil {
		t.Fatal(err)
	}
	r.Set("scans", named)
	if err := v.App.Save(r); err != nil {
		t.Fatal(err)
	}
	v.Clock.Add(10*24*time.Hour + time.Minute)
	there("after 30 days", named, dropped, parked, bySQL)
	if w := k.get(bySQL); w.Code != 200 {
		t.Errorf("what was named by SQL is read: %d", w.Code)
	}
	v.Clock.Add(20 * 24 * time.Hour)
	there("30 days after it was taken off", named, parked, bySQL)
	// The phone asks, and its edit may come within 30 days.
	late := send(6)
	v.Clock.Add(29 * 24 * time.Hour)
	if !k.has(late) {
		t.Error("what she sent is not known")
	}
	v.Clock.Add(29 * 24 * time.Hour)
	if err := v.sweep(); err != nil || !k.has(late) {
		t.Errorf("a file was deleted while its edit could still come (%v)", err)
	}
}

// TestUploadsExpire: what was begun and never ended leaves the disk.
func TestUploadsExpire(t *testing.T) {
	v := newVillage(t)
	k := v.key(lan)
	old := k.begin(1000)
	v.Clock.Add(6 * 24 * time.Hour)
	young := k.begin(1000)
	v.Clock.Add(2 * 24 * time.Hour)
	dir := filepath.Join(v.Dir(), "files", "uploads")
	if err := os.WriteFile(filepath.Join(dir, "piece-1"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	ago := time.Now().Add(-2 * time.Hour)
	for _, name := range []string{filepath.Base(old), filepath.Base(young), "piece-1"} {
		if err := os.Chtimes(filepath.Join(dir, name), ago, ago); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.expire(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != filepath.Base(young) {
		t.Errorf("left are %v (%v)", left, err)
	}
}

// TestWhatAFieldMayHold: names of files, each once.
func TestWhatAFieldMayHold(t *testing.T) {
	v := newVillage(t)
	hash := nameOf(nil)
	for text, good := range map[string]bool{"": true, hash: true, hash + " " + nameOf([]byte("x")): true, hash + " " + hash: false, "x": false, strings.ToUpper(hash): false,
		hash + "\n" + nameOf([]byte("x")): false, "../" + hash: false} {
		c, err := v.App.FindCachedCollectionByNameOrId("drafts")
		if err != nil {
			t.Fatal(err)
		}
		err = saveDraft(v, c, text)
		if (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestANewRequestEndsTheOld: a phone whose road broke comes again before the
// server has noticed.
func TestANewRequestEndsTheOld(t *testing.T) {
	v := newVillage(t)
	server := httptest.NewServer(v.Handler())
	defer server.Close()
	k := v.key(lan)
	b := photo(t, 10, 300, 300, false)
	to := k.begin(len(b))
	silent, write := io.Pipe()
	defer write.Close()
	q := k.signed(httptest.NewRequest("PATCH", to, nil), "Upload-Offset", "0", "Content-Type", "application/offset+octet-stream")
	old, err := http.NewRequestWithContext(t.Context(), "PATCH", server.URL+to, silent)
	if err != nil {
		t.Fatal(err)
	}
	old.Header, old.ContentLength = q.Header, int64(len(b))
	over := make(chan struct{})
	go func() {
		defer close(over)
		if response, err := http.DefaultClient.Do(old); err == nil {
			_ = response.Body.Close()
		}
	}()
	if _, err := write.Write(b[:5000]); err != nil {
		t.Fatal(err)
	}
	// Until the bytes are there the old request may not even have begun.
	browsertest.Await(t, func() bool {
		info, err := os.Stat(filepath.Join(v.Dir(), "files", "uploads", filepath.Base(to)))
		return err == nil && info.Size() == 5000
	})
	if w := k.do("HEAD", to, nil); w.Code != 200 || w.Header().Get("Upload-Offset") != "5000" {
		t.Errorf("the new request: %d %v", w.Code, w.Header())
	}
	<-over
}
