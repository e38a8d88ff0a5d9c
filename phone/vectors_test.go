package phone

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"langso/sync/sum"
	"langso/sync/wire"
)

// vectors reads the cases of one file of docs/protocol, which the JavaScript
// client runs too.
func vectors[T any](t *testing.T, name string) []T {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "docs", "protocol", name))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []T }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatalf("%s has no cases", name)
	}
	return file.Cases
}

// written is a phone as docs/protocol/README.md writes it down.
type written struct {
	Epoch    string                             `json:"epoch,omitempty"`
	Cursor   int64                              `json:"cursor,omitempty"`
	Standing string                             `json:"standing,omitempty"`
	Told     string                             `json:"told,omitempty"`
	Lost     json.RawMessage                    `json:"lost,omitempty"`
	Resume   string                             `json:"resume,omitempty"`
	Circles  []string                           `json:"circles,omitempty"`
	N        int64                              `json:"n,omitempty"`
	Records  map[string]map[string]writtenEntry `json:"records,omitempty"`
	Kept     []writtenRow                       `json:"kept,omitempty"`
	Edits    []writtenEdit                      `json:"edits,omitempty"`
	Compare  bool                               `json:"compare,omitempty"`
	Check    string                             `json:"check,omitempty"`
	Loaded   map[string]wire.Cursor             `json:"loaded,omitempty"`
	Shape    string                             `json:"shape,omitempty"`
}

type writtenRow struct {
	Coll  string                     `json:"coll"`
	ID    string                     `json:"id"`
	Seq   int64                      `json:"seq"`
	Whole bool                       `json:"whole,omitempty"`
	In    []string                   `json:"in,omitempty"`
	Set   map[string]json.RawMessage `json:"set,omitempty"`
}

type writtenEntry struct {
	Seq int64                      `json:"seq,omitempty"`
	In  []string                   `json:"in,omitempty"`
	Set map[string]json.RawMessage `json:"set,omitempty"`
}

type writtenEdit struct {
	Edit    json.RawMessage `json:"edit"`
	Verdict *wire.Verdict   `json:"verdict,omitempty"`
	Settled bool            `json:"settled,omitempty"`
}

func (w written) phone(t *testing.T) *Phone {
	t.Helper()
	p, err := Open(t.TempDir(), "http://x", WithClock(func() time.Time { return time.Date(2026, 11, 24, 6, 10, 0, 0, time.UTC) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for key, value := range map[string]string{"epoch": w.Epoch, "standing": w.Standing, "told": cmp.Or(w.Told, w.Standing), "resume": w.Resume, "lost": string(w.Lost), "shape": w.Shape} {
		if value != "" {
			must(p.setMeta(key, value))
		}
	}
	for key, value := range map[string]int64{"cursor": w.Cursor, "n": w.N} {
		if value != 0 {
			must(p.setMeta(key, fmt.Sprint(value)))
		}
	}
	if w.Circles != nil {
		text, err := json.Marshal(w.Circles)
		must(err)
		must(p.setMeta("circles", string(text)))
	}
	for coll, records := range w.Records {
		for id, r := range records {
			in, err := json.Marshal(r.In)
			must(err)
			if r.Set == nil {
				r.Set = map[string]json.RawMessage{}
			}
			set, err := json.Marshal(r.Set)
			must(err)
			_, err = p.db.Exec(`INSERT INTO records (coll, id, seq, circles, fields) VALUES (?, ?, ?, ?, ?)`, coll, id, r.Seq, string(in), string(set))
			must(err)
		}
	}
	if w.Compare {
		must(p.setMeta("compare", "1"))
	}
	if w.Check != "" {
		must(p.setMeta("check", w.Check))
	}
	if w.Loaded != nil {
		text, err := json.Marshal(w.Loaded)
		must(err)
		must(p.setMeta("loaded", string(text)))
	}
	for _, k := range w.Kept {
		must(p.transact(func(tx *sql.Tx) error {
			return keepRow(tx, k.Coll, wire.Row{ID: k.ID, Seq: wire.Cursor(k.Seq), Whole: k.Whole, Set: k.Set}, k.In)
		}))
	}
	for _, e := range w.Edits {
		n, ok := wire.EditNumber(e.Edit)
		if !ok {
			t.Fatalf("an edit without number: %s", e.Edit)
		}
		state, verdict := "waiting", ""
		if e.Verdict != nil {
			text, err := json.Marshal(e.Verdict)
			must(err)
			state, verdict = string(e.Verdict.Final()), string(text)
		}
		if e.Settled {
			state = "settled"
		}
		_, err := p.db.Exec(`INSERT INTO edits (n, body, state, verdict, covered, at) VALUES (?, ?, ?, ?, 1, '2026-11-24T00:00:00Z')`, n, string(e.Edit), state, verdict)
		must(err)
	}
	return p
}

// write is the other way round.
func write(t *testing.T, p *Phone) written {
	t.Helper()
	var w written
	for key, into := range map[string]*string{"epoch": &w.Epoch, "standing": &w.Standing, "told": &w.Told, "resume": &w.Resume, "check": &w.Check, "shape": &w.Shape} {
		var err error
		if *into, err = getMeta(p.db, key); err != nil {
			t.Fatal(err)
		}
	}
	lost, err := getMeta(p.db, "lost")
	if err != nil {
		t.Fatal(err)
	}
	w.Lost = json.RawMessage(lost)
	if w.Told == w.Standing {
		w.Told = ""
	}
	if w.Cursor, err = getNumber(p.db, "cursor"); err != nil {
		t.Fatal(err)
	}
	if w.N, err = getNumber(p.db, "n"); err != nil {
		t.Fatal(err)
	}
	if w.Circles, err = circles(p.db); err != nil {
		t.Fatal(err)
	}
	compare, err := getMeta(p.db, "compare")
	if err != nil {
		t.Fatal(err)
	}
	w.Compare = compare != ""
	if w.Loaded, err = p.loaded(); err != nil {
		t.Fatal(err)
	}
	w.Kept = writeKept(t, p)
	rows, err := p.db.Query(`SELECT coll, id, seq, circles, fields FROM records`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var coll, id, in, set string
		var r writtenEntry
		if err := rows.Scan(&coll, &id, &r.Seq, &in, &set); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(in), &r.In); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(set), &r.Set); err != nil {
			t.Fatal(err)
		}
		for f, v := range r.Set {
			var x any
			if json.Unmarshal(v, &x) == nil && isZero(x) {
				delete(r.Set, f)
			}
		}
		if w.Records == nil {
			w.Records = map[string]map[string]writtenEntry{}
		}
		if w.Records[coll] == nil {
			w.Records[coll] = map[string]writtenEntry{}
		}
		w.Records[coll][id] = r
	}
	rows.Close()
	edits, err := readEdits(p.db, `1`)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		one := writtenEdit{Edit: json.RawMessage(e.body), Settled: e.State == "settled"}
		if e.State != "waiting" {
			one.Verdict = &e.Verdict
		}
		w.Edits = append(w.Edits, one)
	}
	return w
}

func writeKept(t *testing.T, p *Phone) (out []writtenRow) {
	t.Helper()
	rows, err := p.db.Query(`SELECT coll, id, seq, whole, coalesce(circles, 'null'), fields FROM kept ORDER BY at`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var k writtenRow
		var in, set string
		if err := rows.Scan(&k.Coll, &k.ID, &k.Seq, &k.Whole, &in, &set); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(json.Unmarshal([]byte(in), &k.In), json.Unmarshal([]byte(set), &k.Set)); err != nil {
			t.Fatal(err)
		}
		out = append(out, k)
	}
	return out
}

// answerText is the answer of a vector as bytes: a crc "*" stands for the right one.
func answerText(t *testing.T, lines []json.RawMessage, tail string) *bytes.Buffer {
	t.Helper()
	var text bytes.Buffer
	begin := 0
	for _, line := range lines {
		var s string
		var o map[string]json.RawMessage
		switch {
		case json.Unmarshal(line, &s) == nil:
			text.WriteString(s)
		case json.Unmarshal(line, &o) == nil && string(o["crc"]) == `"*"`:
			sum := crc32.Checksum(text.Bytes()[begin:], crc32.MakeTable(crc32.Castagnoli))
			line = bytes.Replace(line, []byte(`"*"`), fmt.Appendf(nil, "%q", fmt.Sprintf("%08x", sum)), 1)
			fallthrough
		default:
			if err := json.Compact(&text, line); err != nil {
				t.Fatal(err)
			}
		}
		text.WriteByte('\n')
		for _, end := range []string{"crc", "mark", "more", "complete", "retry_in", "load"} {
			if o[end] != nil {
				begin = text.Len()
			}
		}
	}
	text.WriteString(tail)
	return &text
}

// plain makes two written things comparable: as JSON, known verdicts as what
// they were.
func plain(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return tidy(out)
}

func tidy(v any) any {
	switch x := v.(type) {
	case map[string]any:
		if x["is"] == "known" {
			x["is"] = x["was"]
			delete(x, "was")
		}
		for k, y := range x {
			y = tidy(y)
			if isZero(y) {
				delete(x, k)
				continue
			}
			x[k] = y
		}
	case []any:
		for i := range x {
			x[i] = tidy(x[i])
		}
	}
	return v
}

func TestVectorsOfAnswers(t *testing.T) {
	type vector struct {
		Name    string
		Before  written
		Answer  []json.RawMessage
		Tail    string
		Ended   string
		RetryIn int `json:"retry_in"`
		After   json.RawMessage
	}
	for _, v := range vectors[vector](t, "answer.json") {
		t.Run(v.Name, func(t *testing.T) {
			p := v.Before.phone(t)
			text := answerText(t, v.Answer, v.Tail)
			ask := &asking{Ask: &wire.Ask{Cursor: wire.Cursor(v.Before.Cursor), Resume: v.Before.Resume, Loaded: v.Before.Loaded}}
			var report Report
			a, err := p.keep(ask, wire.ReadAnswer(text), &report)
			if err != nil {
				t.Fatal(err)
			}
			ended := "cut"
			switch {
			case a.complete:
				ended = "complete"
			case a.ended:
				ended = "more"
			}
			if ended != v.Ended {
				t.Errorf("the answer ended as %s, want %s", ended, v.Ended)
			}
			if got := int(report.RetryIn / time.Second); got != v.RetryIn {
				t.Errorf("retry in %d s, want %d", got, v.RetryIn)
			}
			got, want := plain(t, write(t, p)), plain(t, v.After)
			if !reflect.DeepEqual(got, want) {
				g, _ := json.Marshal(got)
				w, _ := json.Marshal(want)
				t.Errorf("the phone is\n%s\nwant\n%s", g, w)
			}
		})
	}
}

func TestVectorsOfAsks(t *testing.T) {
	type vector struct {
		Name, App, Clock string
		Want             int
		Phone            written
		Ask              json.RawMessage
	}
	for _, v := range vectors[vector](t, "ask.json") {
		t.Run(v.Name, func(t *testing.T) {
			p := v.Phone.phone(t)
			p.app = v.App
			if v.Clock != "" {
				at, err := time.Parse(time.RFC3339, v.Clock)
				if err != nil {
					t.Fatal(err)
				}
				p.now = func() time.Time { return at }
			}
			ask, err := p.ask()
			if err != nil {
				t.Fatal(err)
			}
			ask.Want = v.Want
			if got, want := plain(t, ask.Ask), plain(t, v.Ask); !reflect.DeepEqual(got, want) {
				t.Errorf("asks %v\nwant %v", got, want)
			}
		})
	}
}

func TestVectorsOfOverlays(t *testing.T) {
	type vector struct {
		Name    string
		Records map[string]map[string]map[string]json.RawMessage
		Edits   []writtenEdit
		Coll    string
		Sees    map[string]any
		Waits   []string
	}
	for _, v := range vectors[vector](t, "overlay.json") {
		t.Run(v.Name, func(t *testing.T) {
			w := written{Records: map[string]map[string]writtenEntry{}, Edits: v.Edits}
			for coll, records := range v.Records {
				w.Records[coll] = map[string]writtenEntry{}
				for id, set := range records {
					w.Records[coll][id] = writtenEntry{Seq: 1, In: []string{"commune"}, Set: set}
				}
			}
			all, err := w.phone(t).List(v.Coll)
			if err != nil {
				t.Fatal(err)
			}
			sees, waits := map[string]any{}, []string{}
			for _, r := range all {
				sees[r.ID] = r.Fields
				if r.Pending {
					waits = append(waits, r.ID)
				}
			}
			if got, want := plain(t, sees), plain(t, v.Sees); !reflect.DeepEqual(got, want) {
				t.Errorf("sees %v\nwant %v", got, want)
			}
			if strings.Join(waits, " ") != strings.Join(v.Waits, " ") {
				t.Errorf("waiting %v, want %v", waits, v.Waits)
			}
		})
	}
}

func TestVectorsOfStandings(t *testing.T) {
	type vector struct {
		Name, Hash string
		Circles    []string
	}
	for _, v := range vectors[vector](t, "standing.json") {
		if got := wire.StandingHash(v.Circles); got != v.Hash {
			t.Errorf("%s: %s, want %s", v.Name, got, v.Hash)
		}
	}
}

func TestVectorsOfSums(t *testing.T) {
	raw, err := os.ReadFile("../docs/protocol/sums.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Name, Circle, Coll, ID string
			Seq                    int64
			Set                    map[string]json.RawMessage
			Content, Sum, Deep     sum.Sum
			Part                   int
		}
		Phone struct {
			Before  written
			Sum     sum.Sum
			Circles map[string]sum.Sum
		}
		Numbers struct {
			List []uint32
			Text wire.Numbers
		}
		CRC []struct{ Text, CRC string }
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range file.Cases {
		content, err := sum.Content(v.Set)
		if err != nil {
			t.Fatal(err)
		}
		place := sum.Place{Circle: v.Circle, Coll: v.Coll, ID: v.ID, Seq: v.Seq}
		if content != v.Content || place.Sum() != v.Sum || place.Deep(content) != v.Deep || sum.Part(v.Coll, v.ID, 6) != v.Part {
			t.Errorf("%s: content %s sum %s deep %s part %d", v.Name, content, place.Sum(), place.Deep(content), sum.Part(v.Coll, v.ID, 6))
		}
	}
	p := file.Phone.Before.phone(t)
	check, err := p.circleSums(false)
	if err != nil {
		t.Fatal(err)
	}
	var total sum.Sum
	for circle, s := range check.Sums {
		total = total.Plus(s)
		if file.Phone.Circles[circle] != s {
			t.Errorf("%s: %s", circle, s)
		}
	}
	if total != file.Phone.Sum {
		t.Errorf("a phone's sum is %s", total)
	}
	if !slices.Equal(file.Numbers.List, []uint32(file.Numbers.Text)) {
		t.Errorf("numbers are %v", file.Numbers.Text)
	}
	for _, v := range file.CRC {
		if got := fmt.Sprintf("%08x", crc32.Checksum([]byte(v.Text), crc32.MakeTable(crc32.Castagnoli))); got != v.CRC {
			t.Errorf("crc of %q is %s", v.Text, got)
		}
	}
}

func TestVectorsOfSignatures(t *testing.T) {
	type vector struct {
		Name, Key, Phone, Method, Path, Authorization string
		Body                                          string `json:"body_hex"`
		Bytes                                         string `json:"bytes_hex"`
		Good                                          bool
	}
	raw, err := os.ReadFile("../docs/protocol/sign.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Seed string `json:"seed_hex"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	seed, err := hex.DecodeString(file.Seed)
	if err != nil {
		t.Fatal(err)
	}
	own := ed25519.NewKeyFromSeed(seed)
	for _, v := range vectors[vector](t, "sign.json") {
		body, err := hex.DecodeString(v.Body)
		if err != nil {
			t.Fatal(err)
		}
		signed := wire.SigningBytes(v.Method, v.Path, body)
		if got := hex.EncodeToString(signed); got != v.Bytes && v.Good {
			t.Errorf("%s: signs %s, want %s", v.Name, got, v.Bytes)
		}
		key, err := wire.ParseKey(v.Key)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		phone, sig, ok := wire.ParseAuthorization(v.Authorization)
		if good := ok && phone == v.Phone && key.Verify(signed, sig); good != v.Good {
			t.Errorf("%s: good = %v", v.Name, good)
		}
		if v.Good && v.Key == wire.Ed25519Key(own.Public().(ed25519.PublicKey)) {
			if got := wire.Authorization(v.Phone, ed25519.Sign(own, signed)); got != v.Authorization {
				t.Errorf("%s: writes %s", v.Name, got)
			}
		}
	}
}
