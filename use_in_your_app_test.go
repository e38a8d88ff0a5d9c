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

// TestUseInYourApp builds the program of docs/USE_IN_YOUR_APP.md as it stands
// there, runs it, and lets two phones share a shopping list while they are
// offline.
func TestUseInYourApp(t *testing.T) {
	page, err := os.ReadFile("docs/USE_IN_YOUR_APP.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```go file=main.go\n(.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("the page has no program")
	}
	url := runApp(t, block[1])
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
	// Bob is no longer a member: the list and what is on it leave his phone.
	must2(ann.Change("lists", list, phone.Values{"members": []string{annID}}))(t)
	must2(ann.Sync(context.Background()))(t)
	must2(bob.Sync(context.Background()))(t)
	if left := seen(t, bob, "items"); len(left) != 0 || len(seen(t, bob, "lists")) != 0 {
		t.Errorf("bob still holds %v", left)
	}
}

// runApp builds a program as if it lay in this module, serves it, and returns its address.
func runApp(t *testing.T, program []byte) string {
	t.Helper()
	dir := t.TempDir()
	source, binary, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "lists"), filepath.Join(dir, "overlay.json")
	must(t, os.WriteFile(source, program, 0o644))
	here, err := os.Getwd()
	must(t, err)
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, "yourapp", "main.go"): source}})
	must(t, err)
	must(t, os.WriteFile(overlay, replace, 0o644))
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", binary, "./yourapp").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
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

// bound is a phone of a new user.
func bound(t *testing.T, url, name string) (p *phone.Phone, user string) {
	t.Helper()
	post := func(path string, body map[string]string, into any) {
		t.Helper()
		text, err := json.Marshal(body)
		must(t, err)
		answer, err := http.Post(url+path, "application/json", strings.NewReader(string(text)))
		must(t, err)
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", path, answer.Status)
		}
		must(t, json.NewDecoder(answer.Body).Decode(into))
	}
	email, password := name+"@example.com", "correct horse"
	var made struct{ ID string }
	post("/api/collections/users/records", map[string]string{"email": email, "password": password, "passwordConfirm": password}, &made)
	var in struct{ Token string }
	post("/api/collections/users/auth-with-password", map[string]string{"identity": email, "password": password}, &in)
	p, err := phone.Open(filepath.Join(t.TempDir(), name), url)
	must(t, err)
	t.Cleanup(func() { _ = p.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.Bind(ctx, "nonsense"); err == nil {
		t.Error("a phone was bound without an account")
	}
	must(t, p.Bind(ctx, in.Token))
	return p, made.ID
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
