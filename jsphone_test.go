package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/hooks"
	"langso/villagetest"
)

var (
	jsSeed  = flag.Uint64("js-seed", 1, "first seed of TestAJavaScriptPhone")
	jsSeeds = flag.Int("js-seeds", 6, "how many seeds TestAJavaScriptPhone plays")
)

// jsPhone is the JavaScript client in a node process of its own.
type jsPhone struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

func startJSPhone(t *testing.T, url string) *jsPhone {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no node, and CI must have one")
		}
		t.Skip("no node here")
	}
	dir := t.TempDir()
	for from, to := range map[string]string{"pb_public/sync": "pb_public/sync", "pwa/testdata": "pwa/testdata"} {
		if err := os.CopyFS(filepath.Join(dir, to), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type":"module"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "--no-warnings", filepath.Join(dir, "pwa/testdata/meet.mjs"), url)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	return &jsPhone{t, in, bufio.NewReader(out)}
}

// do tells the phone to do something, and what it answered.
func (p *jsPhone) do(what string, args map[string]any) map[string]any {
	p.t.Helper()
	command := map[string]any{"do": what}
	for k, v := range args {
		command[k] = v
	}
	line, err := json.Marshal(command)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		p.t.Fatal(err)
	}
	answer, err := p.out.ReadBytes('\n')
	if err != nil {
		p.t.Fatalf("%s: the phone is gone: %v", what, err)
	}
	var got map[string]any
	if err := json.Unmarshal(answer, &got); err != nil {
		p.t.Fatal(err)
	}
	if got["error"] != nil {
		p.t.Fatalf("%s: %v", what, got["error"])
	}
	return got
}

// badRoad is a network before the server: it loses, repeats and cuts anywhere.
type badRoad struct {
	server http.Handler
	rng    *rand.Rand
	good   bool
	cuts   int
}

func (r *badRoad) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	serve := func() *httptest.ResponseRecorder {
		again := httptest.NewRequest(req.Method, req.URL.String(), bytes.NewReader(body))
		again.Header = req.Header.Clone()
		rec := httptest.NewRecorder()
		r.server.ServeHTTP(rec, again)
		return rec
	}
	fate := r.rng.IntN(10)
	switch {
	case r.good:
	case fate == 0:
		panic(http.ErrAbortHandler) // never arrived
	case fate == 1:
		serve()
		panic(http.ErrAbortHandler) // arrived, the answer did not
	case fate == 2:
		serve() // a proxy repeats it
	case fate == 3:
		_, _ = io.WriteString(w, "<html>Đăng nhập Wi-Fi</html>")
		return
	case fate == 4:
		req.Header.Del("Accept-Encoding")
	}
	rec := serve()
	answer := rec.Body.Bytes()
	if !r.good && fate == 4 {
		r.flip(answer)
	}
	cut := !r.good && fate >= 6
	if cut {
		answer = answer[:r.rng.IntN(len(answer)+1)]
		r.cuts++
	}
	for k, v := range rec.Header() {
		if k != "Content-Length" {
			w.Header()[k] = v
		}
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(answer)
	if cut {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// flip damages one byte of a line that a check covers.
func (r *badRoad) flip(answer []byte) {
	lines := bytes.SplitAfter(answer, []byte("\n")) // parts of answer itself
	line := lines[r.rng.IntN(len(lines))]
	if len(line) == 0 || bytes.Contains(line, []byte(`"crc"`)) || bytes.HasPrefix(line, []byte(`{"complete"`)) {
		return
	}
	line[r.rng.IntN(len(line))] ^= 1
	r.cuts++
}

// The JavaScript client against the real server, over a road that loses, repeats
// and cuts at any byte, while the village goes on, the person moves house, the
// app is closed, and its memory loses a record or two. Whatever happened, in the
// end the phone holds exactly what a new phone of the same person gets, every
// edit has its verdict, and each was carried out once.
// go test -run TestAJavaScriptPhone -js-seed N -js-seeds 1 . plays one.
func TestAJavaScriptPhone(t *testing.T) {
	for seed := *jsSeed; seed < *jsSeed+uint64(*jsSeeds); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { playJSPhone(t, seed) })
	}
}

func playJSPhone(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 7))
	s := villagetest.New(t, domains, func(*hooks.Options) {})
	put := func(coll, name string, fields map[string]any) string {
		t.Helper()
		return s.Put(t, coll, id(name), fields)
	}
	const products = 250
	villages := []string{put("villages", "v1", map[string]any{"name": "Thôn Một"}), put("villages", "v2", map[string]any{"name": "Thôn Hai"})}
	house := put("households", "h", map[string]any{"name": "Hộ", "village": villages[0]})
	lan := put("persons", "lan", map[string]any{"name": "Nguyễn Thị Lan", "born": "1990", "household": house, "status": "active"})
	put("stalls", "g", map[string]any{"name": "Vườn nhà Lan", "owner": lan, "village": villages[0]})
	put("duties", "d", map[string]any{"person": lan, "role": "seller", "place": id("g")})
	put("procedures", "ks", map[string]any{"name": "Đăng ký khai sinh", "code": "1.001193", "active": true})
	for i := range products {
		put("products", fmt.Sprintf("p%03d", i), map[string]any{"stall": id("g"), "name": strings.Repeat(fmt.Sprint("Vải ", i, " "), 10), "unit": "kg", "price": 1000 * i, "stock": 50})
	}
	set := func(coll, id string, fields map[string]any) {
		t.Helper()
		r, err := s.App.FindRecordById(coll, id)
		if err != nil {
			return // deleted before
		}
		for k, v := range fields {
			r.Set(k, v)
		}
		if err := s.App.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	made, drafts, sold := 0, []string{}, 0
	village := []func(){
		func() {
			made++
			put("announcements", fmt.Sprintf("a%03d", made), map[string]any{"title": fmt.Sprint("Họp 🏮 ", made), "village": villages[rng.IntN(2)]})
		},
		func() {
			set("products", id(fmt.Sprintf("p%03d", rng.IntN(products))), map[string]any{"price": rng.IntN(90000)})
		},
		func() { set("households", house, map[string]any{"village": villages[rng.IntN(2)]}) },
		func() {
			if r, err := s.App.FindRecordById("products", id(fmt.Sprintf("p%03d", 1+rng.IntN(products-1)))); err == nil {
				if err := s.App.Delete(r); err != nil {
					t.Fatal(err)
				}
			}
		},
		func() { // a mass change, more than one chunk
			_, err := s.App.NonconcurrentDB().NewQuery("UPDATE products SET name = substr(hex(randomblob(60)), 1, 110)").Execute()
			if err != nil {
				t.Fatal(err)
			}
		},
	}

	road := &badRoad{server: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Handler().ServeHTTP(w, r) }), rng: rng}
	web := httptest.NewUnstartedServer(road)
	web.Config.ErrorLog = nil
	web.Start()
	defer web.Close()
	p := startJSPhone(t, web.URL)
	enter := func() {
		key := p.do("begin", nil)["key"]
		phone := s.Put(t, "phones", "", map[string]any{"person": lan, "label": "Máy thử", "public_key": key})
		p.do("enter", map[string]any{"phone": phone, "person": lan})
	}
	sync := func() bool {
		return p.do("sync", map[string]any{"clock": s.Clock.Now().Format(time.RFC3339)})["ok"] == true
	}
	enter()
	edits := []func() map[string]any{
		func() map[string]any {
			drafts = append(drafts, id(fmt.Sprintf("dr%03d", len(drafts))))
			return map[string]any{"coll": "drafts", "id": drafts[len(drafts)-1], "create": map[string]any{"person": lan, "procedure": id("ks"), "note": "cháu gửi ạ"}}
		},
		func() map[string]any {
			if len(drafts) == 0 {
				return nil
			}
			return map[string]any{"coll": "drafts", "id": drafts[rng.IntN(len(drafts))], "change": map[string]any{"note": fmt.Sprint(rng.IntN(100))}}
		},
		func() map[string]any {
			sold++ // product 0 is never deleted: what is left of its stock tells how often each edit was carried out
			return map[string]any{"coll": "products", "id": id("p000"), "add": map[string]any{"stock": -1}}
		},
		func() map[string]any {
			return map[string]any{"coll": "products", "id": id(fmt.Sprintf("p%03d", rng.IntN(products))), "change": map[string]any{"price": rng.IntN(90000)}}
		},
	}
	for range 60 {
		switch rng.IntN(6) {
		case 0, 1:
			village[rng.IntN(len(village))]()
		case 2:
			if wish := edits[rng.IntN(len(edits))](); wish != nil && sold < 50 {
				p.do("edit", map[string]any{"wish": wish})
			}
		case 3:
			if rng.IntN(3) == 0 {
				p.do("restart", nil)
			} else if seed%2 == 0 && rng.IntN(3) == 0 {
				p.do("damage", map[string]any{"at": rng.IntN(1000), "lose": rng.IntN(2) == 0})
			}
		default:
			sync()
		}
		s.Clock.Add(time.Duration(rng.IntN(3600)) * time.Second)
	}
	road.good = true
	for range 3 {
		if !sync() {
			t.Fatalf("no meeting on a good road: %v", p.do("state", nil))
		}
	}
	old := p.do("state", nil)
	enter()
	if !sync() {
		t.Fatal("no first meeting")
	}
	fresh := p.do("state", nil)
	if !reflect.DeepEqual(old["records"], fresh["records"]) || old["sum"] != fresh["sum"] {
		t.Errorf("after %d cuts the phone is not what a new one is\nold   %v\nfresh %v", road.cuts, old["records"], fresh["records"])
	}
	if old["waiting"] != 0.0 || old["kept"] != 0.0 {
		t.Errorf("%v edits wait, %v rows do not show", old["waiting"], old["kept"])
	}
	if r, err := s.App.FindRecordById("products", id("p000")); err != nil || r.GetInt("stock") != 50-sold {
		t.Errorf("sold %d of 50 and %d are left: %v", sold, stockOf(r), err)
	}
	if seed%2 == 1 && old["mismatches"] != 0.0 {
		t.Errorf("nothing was damaged, and %v differences were found", old["mismatches"])
	}
	t.Logf("%d cuts, %d edits, %v mismatches found", road.cuts, len(old["told"].([]any)), old["mismatches"])
}

func stockOf(r *core.Record) int {
	if r == nil {
		return -1
	}
	return r.GetInt("stock")
}
