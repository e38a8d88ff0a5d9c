package pwa_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"langso/browsertest"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// told is an answer of one chunk.
func told(lines ...map[string]any) []byte {
	var out []byte
	for _, l := range lines[:len(lines)-1] {
		b, _ := json.Marshal(l)
		out = append(append(out, b...), '\n')
	}
	last := lines[len(lines)-1]
	if len(out) > 0 {
		last["crc"] = fmt.Sprintf("%08x", crc32.Checksum(out, crc32.MakeTable(crc32.Castagnoli)))
	}
	b, _ := json.Marshal(last)
	return append(append(out, b...), '\n')
}

// secret is text that no compression changes and that stands nowhere else.
func secret() string { return rand.Text() + rand.Text() }

// onDisk tells which files of a folder hold a part of the text, as the browser
// may write it: in one byte a letter or in two.
func onDisk(t *testing.T, dir, text string) []string {
	t.Helper()
	var parts [][]byte
	for at := 0; at+13 <= len(text); at += 13 {
		var wide []byte
		for _, c := range []byte(text[at : at+13]) {
			wide = append(wide, c, 0)
		}
		parts = append(parts, []byte(text[at:at+13]), wide)
	}
	var in []string
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // the browser works here meanwhile
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		for _, p := range parts {
			if bytes.Contains(body, p) {
				in = append(in, path)
				break
			}
		}
		return nil
	})
	return in
}

// A health worker leaves a village. When the exchange that says so has ended,
// no byte of what she could read there is in any file of the browser: neither
// what showed, nor what had come and did not show yet, nor an older version of it;
// what she may still read is there, and so is what she has not sent.
func TestNothingOfALeftCircleStaysOnTheDisk(t *testing.T) {
	shown, older, kept, own, unsent := secret(), secret(), secret(), secret(), secret()
	filling := strings.Repeat("x", 2000)
	ids, seqs, notes := []string{}, []int{}, []any{}
	for i := range 1000 {
		ids, seqs, notes = append(ids, fmt.Sprintf("v%014d", i)), append(seqs, 1), append(notes, fmt.Sprint(secret(), filling))
	}
	change := func(id, circle string, seq int, note string) map[string]any {
		at := map[string]int{"commune": 0, "village:v": 1}[circle]
		return map[string]any{"changes": map[string]any{"coll": "visits", "ids": []string{id}, "seq": []int{seq}, "whole": true, "in": [][]int{{at}}, "set": map[string]any{"note": []any{note}}}}
	}
	both := map[string]any{"standing": map[string]any{"hash": "h2", "circles": []string{"commune", "village:v"}}}
	answers := [][]byte{
		told(both, map[string]any{"changes": map[string]any{"coll": "visits", "ids": ids, "seq": seqs, "whole": true, "in": [][]int{{1}}, "set": map[string]any{"note": notes}}},
			change("visit1", "village:v", 1001, older), change("visit2", "commune", 1002, own), map[string]any{"complete": map[string]any{"cursor": 1002, "epoch": "e"}}),
		told(change("visit1", "village:v", 1003, shown), map[string]any{"complete": map[string]any{"cursor": 1003, "epoch": "e"}}),
		told(change("visit3", "village:v", 1004, kept), map[string]any{"mark": "m"}), // and cut
		told(map[string]any{"standing": map[string]any{"hash": "h1", "circles": []string{"commune"}}}, map[string]any{"retry_in": 9}),
	}
	var turn atomic.Int32
	app := http.FileServerFS(os.DirFS("../pb_public"))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/api/sync":
			_, _ = io.Copy(io.Discard, r.Body)
			i := int(turn.Add(1)) - 1
			if i >= len(answers) {
				http.Error(w, "{}", http.StatusServiceUnavailable)
				return
			}
			w.Header().Set("Content-Type", "application/x-ndjson")
			_, _ = w.Write(answers[i])
		case strings.HasPrefix(r.URL.Path, "/sync/"):
			app.ServeHTTP(w, r)
		default:
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, `<!doctype html><script type="module">
import { open } from '/sync/index.js';
const c = globalThis.c = await open({ name: 'trial', authorize: () => ({ 'X-Who': 'mai' }) });
if (!c.account) await c.enter({ phone: 'ph', person: { id: 'mai', name: 'Mai' }, label: '' });
document.title = 'ready';
</script>`)
		}
	}))
	defer srv.Close()
	p := browsertest.Open(t, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), 360, 800)
	met := func(n int32) {
		t.Helper()
		browsertest.Await(t, func() bool { return turn.Load() >= n })
		p.Until(`c.mood !== 'busy'`)
	}
	p.Load("") // entering the account meets the server
	met(1)
	p.Until(`(c.sync(), true)`)
	met(2)
	p.Load("") // closed and opened again
	p.Until(`document.title === 'ready' && (c.sync(), true)`)
	met(3)
	for name, text := range map[string]string{"shown": shown, "older": older, "kept": kept, "own": own} {
		if len(onDisk(t, p.Profile, text)) == 0 {
			t.Fatalf("%s is not found on the disk while it should be: the search sees nothing", name)
		}
	}
	p.Until(`(c.edit({ coll: 'visits', id: 'visit9', create: { note: '` + unsent + `' } }).then(() => { globalThis.wrote = 1; }), true)`)
	p.Until(`globalThis.wrote === 1`) // and it is sent by itself
	met(4)
	left := func() (all []string) {
		for name, text := range map[string]string{"shown": shown, "older": older, "kept": kept, "one of many": notes[500].(string)[:52]} {
			for _, file := range onDisk(t, p.Profile, text) {
				all = append(all, name+" in "+strings.TrimPrefix(file, p.Profile))
			}
		}
		return all
	}
	browsertest.Await(t, func() bool { return len(left()) == 0 })
	for name, text := range map[string]string{"own": own, "unsent": unsent} {
		if len(onDisk(t, p.Profile, text)) == 0 {
			t.Errorf("%s is gone from the disk", name)
		}
	}
	p.Load("")
	p.Until(`document.title === 'ready' && c.all('visits').length === 2 && c.waiting.length === 1 && c.state.place.cursor === 1003`)
}

// Two windows write while the database is moved again and again, and a browser
// was closed at each moment of a move: no edit is lost, no number given twice.
func TestNothingIsLostWhileTheStoreMoves(t *testing.T) {
	plays(t, movingPage)
}

// plays opens a page that works on the sync module by itself and says in its title
// how it ended.
func plays(t *testing.T, page string) {
	t.Helper()
	app := http.FileServerFS(os.DirFS("../pb_public"))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/sync/") {
			app.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page)
	}))
	defer srv.Close()
	p := browsertest.Open(t, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), 360, 800)
	p.Load("")
	p.Until(`document.title.startsWith('end')`)
	if title := p.Title(); title != "end: ok" {
		t.Error(title)
	}
}

// Each store object stands for a window: it has a connection of its own.
const movingPage = `<!doctype html><script type="module">
import { BrowserStore } from '/sync/index.js';
const say = t => { document.title = 'end: ' + t; };
const raw = (name, version, up) => new Promise((yes, no) => { const r = indexedDB.open(name, version); r.onupgradeneeded = () => up?.(r.result); r.onsuccess = () => yes(r.result); r.onerror = () => no(r.error); });
const mark = (db, key) => new Promise(yes => { const tx = db.transaction('small', 'readwrite'); tx.objectStore('small').put(true, key); tx.oncomplete = yes; });
const shape = db => { db.createObjectStore('small'); db.createObjectStore('records', { keyPath: ['coll', 'id'] }); db.createObjectStore('edits', { keyPath: 'edit.n' }); };
try {
  const a = await BrowserStore.open('t'), b = await BrowserStore.open('t');
  const write = async s => { for (let i = 0; i < 60; i++) await s.append(n => [{ edit: { n, do: 'x' } }]); };
  const move = async () => { for (let i = 0; i < 8; i++) { await a.wipe(); await a.scrub(); } };
  await Promise.all([write(a), write(b), move()]);
  const both = [await a.load(), await b.load()];
  for (const { state } of both) {
    const ns = [...state.edits.keys()];
    if (ns.length !== 120 || state.n !== 120 || Math.max(...ns) !== 120) throw new Error('edits: ' + ns.length + ' n: ' + state.n);
  }
  const names = (await indexedDB.databases()).map(d => d.name);
  if (names.length !== 1) throw new Error('left: ' + names);

  // Closed before the new database was there: the old one goes on.
  const first = await raw('u', 2, db => { shape(db); db.createObjectStore('kept', { autoIncrement: true }); });
  await mark(first, 'moving');
  first.close();
  let u = await BrowserStore.open('u');
  await u.append(n => [{ edit: { n, do: 'first' } }]);
  // Closed after it was there: the new one counts and the old one goes.
  const old = await raw('u');
  await mark(old, 'moving');
  old.close();
  const next = await raw('u~', 1, db => { shape(db); db.createObjectStore('kept', { autoIncrement: true }).transaction.objectStore('edits').put({ edit: { n: 7, do: 'moved' } }); });
  next.close();
  u = await BrowserStore.open('u');
  const { state } = await u.load();
  if ([...state.edits.keys()].join() !== '7') throw new Error('moved: ' + [...state.edits.keys()]);
  if ((await indexedDB.databases()).some(d => d.name === 'u')) throw new Error('the old database is there');

  // What an older app made.
  const v1 = await raw('v', 1, db => { shape(db); db.transaction; });
  v1.close();
  const v = await BrowserStore.open('v');
  await v.append(n => [{ edit: { n, do: 'x' } }]);
  if ((await v.load()).state.n !== 1) throw new Error('older');
  say('ok');
} catch (err) { say(String(err?.stack ?? err)); }
</script>`
