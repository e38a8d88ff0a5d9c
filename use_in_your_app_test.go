package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"langso/browsertest"
	"langso/phone"
)

// page are the programs of docs/USE_IN_YOUR_APP.md by file, as they stand there.
func page(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("docs/USE_IN_YOUR_APP.md")
	must(t, err)
	files := map[string]string{}
	for _, m := range regexp.MustCompile("(?s)```\\w+ file=(\\S+)\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		files[m[1]] = m[2]
	}
	for _, name := range []string{"main.go", "phone/main.go", "phone.mjs"} {
		if files[name] == "" {
			t.Fatalf("the page has no %s", name)
		}
	}
	return files
}

// TestThePageAsItStands does what docs/USE_IN_YOUR_APP.md tells a newcomer to do,
// with its programs word for word: the server, a phone in Go, a phone in JavaScript.
func TestThePageAsItStands(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node here")
	}
	files := page(t)
	url := runApp(t, files["main.go"])
	dir := t.TempDir()
	inGo := build(t, strings.ReplaceAll(files["phone/main.go"], "http://127.0.0.1:8090", url))
	must(t, os.CopyFS(filepath.Join(dir, "sync"), os.DirFS("pb_public/sync")))
	must(t, os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type":"module"}`), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "phone.mjs"), []byte(strings.ReplaceAll(files["phone.mjs"], "http://127.0.0.1:8090", url)), 0o600))
	run := func(program string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", program, args, err, out)
		}
		return string(out)
	}
	for _, name := range []string{"ann", "bob"} {
		post(t, url+"/api/collections/users/records", map[string]string{"email": name + "@example.com", "password": "correct horse", "passwordConfirm": "correct horse", "name": name}, nil)
	}
	bob := strings.TrimSpace(strings.TrimPrefix(run(node, "phone.mjs", "bob"), "I am"))
	if len(bob) != 15 {
		t.Fatalf("bob is %q", bob)
	}
	if out := run(inGo, "ann", "Saturday", bob); !strings.HasSuffix(out, "\n3 milk\n") {
		t.Errorf("ann made a list: %s", out)
	}
	if out := run(node, "phone.mjs", "bob"); !strings.HasSuffix(out, "\n3 milk true\n") {
		t.Errorf("bob ticked it off: %s", out)
	}
	if out := run(inGo, "ann"); !strings.HasSuffix(out, "\n3 milk\n") {
		t.Errorf("ann looks again: %s", out)
	}
	p, err := phone.Open(filepath.Join(dir, "ann"), url)
	must(t, err)
	defer p.Close()
	items, err := p.List("items")
	must(t, err)
	if len(items) != 1 || items[0].Fields["done"] != true {
		t.Errorf("ann's phone holds %v", items)
	}
}

// TestUseInYourApp has phones of the page's program, in Go and in JavaScript, share
// a shopping list while they are offline.
func TestUseInYourApp(t *testing.T) {
	url := runApp(t, page(t)["main.go"])
	ann, annID := bound(t, url, "ann")
	bob, bobID := bound(t, url, "bob")
	eve, _ := bound(t, url, "eve")

	// Ann makes a list without a network, and shares it.
	_, list, err := ann.Create("lists", phone.Values{"name": "Saturday", "members": []string{annID, bobID}})
	must(t, err)
	_, milk, err := ann.Create("items", phone.Values{"list": list, "name": "milk", "quantity": 1})
	must(t, err)
	for _, p := range []*phone.Phone{ann, bob, eve} {
		must2(p.Sync(context.Background()))(t)
	}
	if r := seen(t, bob, "items")[milk]; r["name"] != "milk" {
		t.Fatalf("bob sees %v", seen(t, bob, "items"))
	}
	// Both go on offline, in the same record.
	must2(ann.Add("items", milk, map[string]float64{"quantity": 2}))(t)
	must2(ann.Change("items", milk, phone.Values{"done": true}))(t)
	must2(bob.Add("items", milk, map[string]float64{"quantity": 3}))(t)
	must2(bob.Change("items", milk, phone.Values{"name": "oat milk"}))(t)
	_, bread, err := bob.Create("items", phone.Values{"list": list, "name": "bread", "quantity": 1})
	must(t, err)
	// Eve, whose list it is not, tries as well.
	must2(eve.Change("items", milk, phone.Values{"name": "poison"}))(t)
	for _, p := range []*phone.Phone{ann, bob, eve, ann, bob} {
		must2(p.Sync(context.Background()))(t)
	}
	at, bt := seen(t, ann, "items"), seen(t, bob, "items")
	if !reflect.DeepEqual(at, bt) {
		t.Errorf("ann sees %v, bob %v", at, bt)
	}
	if m := at[milk]; m["quantity"] != 6.0 || m["done"] != true || m["name"] != "oat milk" || at[bread]["name"] != "bread" {
		t.Errorf("they see %v", at)
	}
	if refused, err := eve.Edits("refused"); err != nil || len(refused) != 1 || len(seen(t, eve, "items")) != 0 {
		t.Errorf("eve: %v refused, sees %v, %v", refused, seen(t, eve, "items"), err)
	}
	// Joe, whose phone is a browser, joins, and all three go on apart.
	joeID, token := account(t, url, "joe")
	joe := startJSPhone(t, url)
	joe.do("bind", map[string]any{"token": token})
	must2(ann.Change("lists", list, phone.Values{"members": []string{annID, bobID, joeID}}))(t)
	must2(ann.Sync(context.Background()))(t)
	meet := func() {
		t.Helper()
		if got := joe.do("sync", map[string]any{"clock": time.Now().UTC().Format(time.RFC3339)}); got["ok"] != true {
			t.Fatalf("joe does not meet the server: %v", got)
		}
	}
	held := func(coll string) map[string]any {
		t.Helper()
		of, _ := joe.do("state", nil)["records"].(map[string]any)[coll].(map[string]any)
		return of
	}
	meet()
	if len(held("items")) != 2 {
		t.Fatalf("joe holds %v", held("items"))
	}
	joe.do("edit", map[string]any{"wish": map[string]any{"coll": "items", "id": milk, "add": map[string]any{"quantity": 10}}})
	joe.do("edit", map[string]any{"wish": map[string]any{"coll": "items", "id": bread, "change": map[string]any{"name": "rye bread"}}})
	must2(bob.Add("items", milk, map[string]float64{"quantity": -1}))(t)
	must2(bob.Change("items", bread, phone.Values{"name": "brown bread"}))(t)
	must2(bob.Sync(context.Background()))(t)
	meet()
	must2(bob.Sync(context.Background()))(t)
	meet()
	got, want := held("items"), seen(t, bob, "items")
	for id, fields := range want {
		if set := got[id].(map[string]any)["set"].(map[string]any); set["name"] != fields["name"] || set["quantity"] != fields["quantity"] {
			t.Errorf("joe holds %v, bob %v", set, fields)
		}
	}
	if want[milk]["quantity"] != 15.0 || want[bread]["name"] != "rye bread" {
		t.Errorf("bob sees %v", want)
	}
	for _, told := range joe.do("state", nil)["told"].([]any) {
		if is := told.(map[string]any)["is"]; is != "taken" && is != "merged" {
			t.Errorf("joe is told %v", told)
		}
	}
	// Bob and Joe are no longer members: the list and what is on it leave their phones.
	must2(ann.Change("lists", list, phone.Values{"members": []string{annID}}))(t)
	must2(ann.Sync(context.Background()))(t)
	must2(bob.Sync(context.Background()))(t)
	meet()
	if left := seen(t, bob, "items"); len(left) != 0 || len(seen(t, bob, "lists")) != 0 {
		t.Errorf("bob still holds %v", left)
	}
	if left := held("items"); len(left) != 0 || len(held("lists")) != 0 {
		t.Errorf("joe still holds %v", left)
	}
}

// build builds a program as if it lay in this module, and returns where it is.
func build(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	source, binary, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "program"), filepath.Join(dir, "overlay.json")
	must(t, os.WriteFile(source, []byte(program), 0o644))
	here, err := os.Getwd()
	must(t, err)
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, "yourapp", "main.go"): source}})
	must(t, err)
	must(t, os.WriteFile(overlay, replace, 0o644))
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", binary, "./yourapp").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// runApp builds a program, serves it, and returns its address.
func runApp(t *testing.T, program string) string {
	t.Helper()
	binary, dir := build(t, program), t.TempDir()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := free.Addr().String()
	must(t, free.Close())
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, "serve", "--http", addr, "--dir", filepath.Join(dir, "pb_data"))
	cmd.Stdout, cmd.Stderr = &said, &said
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	url := "http://" + addr
	browsertest.Await(t, func() bool {
		answer, err := http.Get(url + "/api/health")
		if err == nil {
			_ = answer.Body.Close()
		}
		return err == nil && answer.StatusCode == http.StatusOK
	})
	return url
}

// post asks PocketBase's own API.
func post(t *testing.T, url string, body map[string]string, into any) {
	t.Helper()
	text, err := json.Marshal(body)
	must(t, err)
	answer, err := http.Post(url, "application/json", bytes.NewReader(text))
	must(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, answer.Status)
	}
	if into != nil {
		must(t, json.NewDecoder(answer.Body).Decode(into))
	}
}

// account is a new user, signed in with PocketBase.
func account(t *testing.T, url, name string) (id, token string) {
	t.Helper()
	email, password := name+"@example.com", "correct horse"
	var made struct{ ID string }
	post(t, url+"/api/collections/users/records", map[string]string{"email": email, "password": password, "passwordConfirm": password}, &made)
	var in struct{ Token string }
	post(t, url+"/api/collections/users/auth-with-password", map[string]string{"identity": email, "password": password}, &in)
	return made.ID, in.Token
}

// bound is a phone of a new user.
func bound(t *testing.T, url, name string) (p *phone.Phone, user string) {
	t.Helper()
	user, token := account(t, url, name)
	p, err := phone.Open(filepath.Join(t.TempDir(), name), url)
	must(t, err)
	t.Cleanup(func() { _ = p.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.Bind(ctx, "nonsense"); err == nil {
		t.Error("a phone was bound without an account")
	}
	must(t, p.Bind(ctx, token))
	return p, user
}

// seen is what a phone shows of a collection, by id.
func seen(t *testing.T, p *phone.Phone, coll string) map[string]phone.Values {
	t.Helper()
	all, err := p.List(coll)
	must(t, err)
	out := map[string]phone.Values{}
	for _, r := range all {
		out[r.ID] = r.Fields
	}
	return out
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must2[T any](_ T, err error) func(*testing.T) {
	return func(t *testing.T) { t.Helper(); must(t, err) }
}
