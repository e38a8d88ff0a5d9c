package phone_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"langso/commune"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/hooks"
	"langso/notify/sms"
	"langso/phone"
	"langso/signin"
	"langso/villagetest"
)

// wasmExec finds what Go runs programs for pages with.
func wasmExec(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("it compiles for another machine")
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("no %s, and CI must have one", program)
			}
			t.Skipf("no %s here", program)
		}
	}
	return filepath.Join(runtime.GOROOT(), "lib", "wasm", name)
}

func forPages(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	return cmd
}

// What both sides speak, with its vectors, and the courier's seals, as WebAssembly.
func TestTheWireInWebAssembly(t *testing.T) {
	cmd := forPages(exec.CommandContext(t.Context(), "go", "test", "-exec", wasmExec(t, "go_js_wasm_exec"), "../sync/wire", "../sync/courier"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A whole phone as WebAssembly, over the SQLite and the network of a page,
// against the real server: it ends with what a native phone of the same person
// holds.
func TestAPhoneInWebAssembly(t *testing.T) {
	run := wasmExec(t, "wasm_exec_node.js")
	var said bytes.Buffer
	s := villagetest.New(t, []commune.Domain{people.Domain, market.Domain, publicservice.Domain}, func(o *hooks.Options) {
		o.SignIn = &signin.Service{SMS: &sms.Log{Out: &said}, Now: o.Now}
	})
	s.Put(t, "villages", "village00000001", map[string]any{"name": "Thôn Thượng"})
	s.Put(t, "households", "household000001", map[string]any{"name": "Nhà Lan", "village": "village00000001"})
	const lan = "lan000000000000"
	s.Put(t, "persons", lan, map[string]any{"name": "Nguyễn Thị Lan", "household": "household000001", "status": "active", "phone_number": "0912345678"})
	s.Put(t, "stalls", "stall0000000001", map[string]any{"name": "Vườn bà Bích", "village": "village00000001"})
	if _, err := s.App.NonconcurrentDB().NewQuery(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 300)
		INSERT INTO products (id, stall, name, price, stock) SELECT printf('product%08d', i), 'stall0000000001', 'Vải thiều số ' || i, 1000 + i, i / 2.0 FROM c`).Execute(); err != nil {
		t.Fatal(err)
	}
	s.Put(t, "procedures", "procedure000001", map[string]any{"name": "Đăng ký khai sinh", "code": "1.001193", "active": true})
	if err := s.Absorb(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Snapshots.Refresh(t.Context()); err != nil || s.Snapshots.Path() == "" {
		t.Fatalf("no file: %v", err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Handler().ServeHTTP(w, r) }))
	defer web.Close()
	if r := s.Do("POST", "/api/phones/code", `{"number":"0912345678"}`, nil); r.Code != 200 {
		t.Fatal(r.Body)
	}
	code := regexp.MustCompile(`\b\d{6}\b`).FindString(said.String())

	dir := t.TempDir()
	program := filepath.Join(dir, "page.wasm")
	if out, err := forPages(exec.CommandContext(t.Context(), "go", "build", "-o", program, "./testdata/page")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	if out, err := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--prefix", dir, "sql.js@1.16.0").CombinedOutput(); err != nil {
		t.Fatalf("install sql.js: %v\n%s", err, out)
	}
	page := filepath.Join(dir, "page.cjs")
	if err := os.WriteFile(page, []byte(`process.argv.splice(1, 1);
		require('sql.js')().then(SQL => { globalThis.SQL = SQL; require(process.argv[1]); });`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "node", page, run, program, filepath.Join(dir, "phone"), web.URL, "0912345678", code)
	cmd.Args[0] = "page" // Go takes what was started as "node" for a test of its own, and gives it no network
	var failed bytes.Buffer
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, failed.Bytes())
	}
	var got struct {
		Held          map[string][]phone.Record
		Draft         string
		First, Second phone.Report
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("first %+v, second %+v", got.First, got.Second)
	if !got.First.Complete || !got.Second.Complete || got.First.Loaded < 300 || got.Second.Sent != 2 || got.Second.Mismatches != 0 {
		t.Errorf("the page met the server: first %+v, second %+v", got.First, got.Second)
	}
	draft, err := s.App.FindRecordById("drafts", got.Draft)
	if err != nil || draft.GetString("note") != "sửa khi mất sóng" {
		t.Errorf("the server has the draft %v, %v", draft, err)
	}
	native := s.Phone(t, lan, nil)
	if _, err := native.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for coll, page := range got.Held {
		want, err := native.Held(coll)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(page)
		b, _ := json.Marshal(want)
		if len(want) == 0 || !reflect.DeepEqual(a, b) {
			t.Errorf("of %s the page holds\n%.300s\nand a native phone\n%.300s", coll, a, b)
		}
	}
	if strings.TrimSpace(failed.String()) != "" {
		t.Log(failed.String())
	}
}
