package phone

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"langso/sync/wire"
)

// chunked is an answer of two chunks: a village with its record, and the end.
func chunked(t *testing.T, secret string) (first, second []byte) {
	t.Helper()
	mark := "r1"
	one := wire.Changes{Coll: "villages", IDs: wire.IDs{"village00000001"}, Seq: []int64{4}, Whole: true, In: [][]int{{0}}, Set: map[string][]json.RawMessage{"name": {json.RawMessage(`"` + secret + `"`)}}}
	two := wire.Changes{Coll: "villages", IDs: wire.IDs{"village00000002"}, Seq: []int64{5}, Whole: true, In: [][]int{{0}}, Set: map[string][]json.RawMessage{"name": {json.RawMessage(`"` + secret + ` 2"`)}}}
	text, err := wire.Write([]wire.Line{{Standing: &wire.StandingLine{Hash: "h", Circles: []string{"commune"}}}, {Changes: &one}, {Mark: &mark},
		{Changes: &two}, {Complete: &wire.Complete{Cursor: 5, Epoch: "e"}}})
	if err != nil {
		t.Fatal(err)
	}
	return text.Body[:text.Ends[0]], text.Body[text.Ends[0]:]
}

// between is an answer during which something happens, after its first chunk.
type between struct {
	first, second []byte
	happens       func()
}

func (b *between) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/api/sync") {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader("{}"))}, nil
	}
	body := io.MultiReader(bytes.NewReader(b.first), &then{b.happens}, bytes.NewReader(b.second))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {wire.ContentAnswer}}, Body: io.NopCloser(body)}, nil
}

// then is read when what stands before it has been.
type then struct{ happens func() }

func (h *then) Read([]byte) (int, error) {
	if do := h.happens; do != nil {
		h.happens = nil
		do()
	}
	return 0, io.EOF
}

// While an answer comes, the phone becomes somebody else's, is signed out, or is
// taken to the server by another program. Nothing of what still comes may be kept.
func TestAnAnswerThatCameTooLate(t *testing.T) {
	const secret = "họp kín của thôn"
	for what, c := range map[string]struct {
		happens func(t *testing.T, p *Phone, dir string)
		keeps   int // villages
	}{
		"it becomes Tu's": {func(t *testing.T, p *Phone, _ string) {
			if err := p.Adopt("phone0000000002", "tu0000000000000"); err != nil {
				t.Error(err)
			}
		}, 0},
		"Lan signs out": {func(t *testing.T, p *Phone, _ string) {
			if err := p.SignOut(t.Context(), false); err != nil {
				t.Error(err)
			}
		}, 0},
		"another program meets the server": {func(t *testing.T, _ *Phone, dir string) {
			other, err := Open(dir, "", WithJSON())
			if err != nil {
				t.Error(err)
				return
			}
			defer other.Close()
			first, _ := chunked(t, secret)
			other.client.Transport = &between{first: first}
			if _, err := other.Sync(t.Context()); !errors.Is(err, ErrCut) {
				t.Error(err)
			}
		}, 1},
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			p, err := Open(dir, "http://x", WithJSON())
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if err := p.Adopt("phone0000000001", "lan000000000000"); err != nil {
				t.Fatal(err)
			}
			first, second := chunked(t, secret)
			p.client.Transport = &between{first, second, func() { c.happens(t, p, dir) }}
			if _, err := p.Sync(t.Context()); !errors.Is(err, ErrCut) {
				t.Errorf("the late answer ended with %v", err)
			}
			if all, err := p.Held("villages"); err != nil || len(all) != c.keeps {
				t.Errorf("%d villages are kept, %v", len(all), err)
			}
			if cursor, err := getNumber(p.db, "cursor"); err != nil || cursor != 0 {
				t.Errorf("the phone believes that it is complete to %d, %v", cursor, err)
			}
			if in := holds(t, dir, secret); c.keeps == 0 && in != "" {
				t.Errorf("it is in %s", in)
			}
			// And the next exchange is as ever.
			if id, _, err := p.Self(); err != nil || id == "" {
				return
			}
			p.client.Transport = &between{first: first, second: second}
			if _, err := p.Sync(t.Context()); err != nil {
				t.Errorf("the next one: %v", err)
			}
			if all, err := p.Held("villages"); err != nil || len(all) != 2 {
				t.Errorf("then %d villages are kept, %v", len(all), err)
			}
		})
	}
}

// A phone that was blocked is told so; meanwhile it was signed in anew. What the new
// one has typed is not taken for handed in.
func TestABlockThatCameTooLate(t *testing.T) {
	p, err := Open(t.TempDir(), "http://x", WithJSON())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := errors.Join(p.Adopt("phone0000000001", "lan000000000000"), p.claim(), p.Adopt("phone0000000002", "lan000000000000")); err != nil {
		t.Fatal(err)
	}
	n, _, err := p.Create("drafts", Values{"note": "a"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.failed(&Failure{Status: http.StatusForbidden, Failure: wire.Failure{Code: "phone_blocked", Wipe: true, Acked: 5}}); !errors.Is(err, ErrCut) {
		t.Errorf("%v", err)
	}
	if edits, err := p.Edits("waiting"); err != nil || len(edits) != 1 || edits[0].N != n {
		t.Errorf("what waits: %v, %v", edits, err)
	}
}

// Lan's phone is lent to Tu, who signs out: what Lan had not sent is held for her.
func TestWhoSignsOutTakesNothingOfOthers(t *testing.T) {
	p, err := Open(t.TempDir(), "http://x", WithJSON())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.client.Transport = &between{}
	is := func(phone, person string) {
		t.Helper()
		if err := p.Adopt(phone, person); err != nil {
			t.Fatal(err)
		}
	}
	types := func(note string) {
		t.Helper()
		if _, _, err := p.Create("drafts", Values{"note": note}); err != nil {
			t.Fatal(err)
		}
	}
	is("phone0000000001", "lan000000000000")
	types("của Lan")
	is("phone0000000002", "tu0000000000000")
	types("của Tú")
	if err := p.SignOut(t.Context(), false); err == nil {
		t.Error("Tú's draft is unsent, and he is signed out")
	}
	if err := p.SignOut(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	is("phone0000000003", "lan000000000000")
	edits, err := p.Edits()
	if err != nil || len(edits) != 1 || edits[0].State != "waiting" || edits[0].N != 1 || !strings.Contains(edits[0].body, "của Lan") {
		t.Errorf("Lan's phone has %s, %v", fmt.Sprint(edits), err)
	}
}

// In a hotel the portal answers in the place of the file: what came of it is kept,
// and it is gone on with later.
func TestAPortalIsNoFile(t *testing.T) {
	dir := t.TempDir()
	p, err := Open(dir, "http://x", WithJSON())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	name := strings.Repeat("0123456789abcdef", 4)
	part := filepath.Join(dir, "snapshot-"+name[:16]+".part")
	if err := os.WriteFile(part, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.client.Transport = portal{}
	m := &meeting{Phone: p, report: &Report{}}
	if without, err := m.fetch(t.Context(), []wire.Snapshot{{Name: name}}); !errors.Is(err, ErrNoServer) || without {
		t.Errorf("without %v, %v", without, err)
	}
	if got, err := os.ReadFile(part); err != nil || string(got) != "half" {
		t.Errorf("what came is %q, %v", got, err)
	}
}

type portal struct{}

func (portal) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}}, Body: io.NopCloser(strings.NewReader("<html>Wi-Fi</html>"))}, nil
}
