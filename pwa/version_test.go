package pwa_test

import (
	"bytes"
	"io/fs"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/chromedp/chromedp"

	"langso/browsertest"
	"langso/pwa"
)

// appWith is the app with words replaced in one file.
func appWith(t *testing.T, name, old, new string) *pwa.Site {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS("../pb_public"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile("../pb_public/" + path)
		if path == name {
			if !bytes.Contains(body, []byte(old)) {
				t.Fatalf("%s does not say %q", name, old)
			}
			body = bytes.Replace(body, []byte(old), []byte(new), 1)
		}
		files[path] = &fstest.MapFile{Data: body}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return load(t, files)
}

// kept waits until the phone holds a whole version.
func kept(p *browsertest.Page) {
	p.T.Helper()
	p.Until(`navigator.serviceWorker.controller && caches.has('langso').then(h => h && caches.open('langso').then(c => c.match('/pointer')).then(r => r && true))`)
}

// checks asks the service worker for a new version and waits for its answer:
// whether one waits.
func checks(p *browsertest.Page) bool {
	p.T.Helper()
	waits, err := chromedp.Run(p.Ctx, chromedp.Evaluate[bool](`navigator.serviceWorker.ready.then(async r => {
		r.active.postMessage('check');
		for (let i = 0; i < 40; i++) {
			await new Promise(y => setTimeout(y, 50));
			const p = await (await (await caches.open('langso')).match('/pointer')).json();
			if (p.next || r.waiting) return true;
		}
		return false;
	})`, chromedp.EvalAwaitPromise))
	if err != nil {
		p.T.Fatal(err)
	}
	return waits
}

// A new version comes whole or not at all; the old one serves until somebody
// says so, and what was written stays.
func TestNewVersion(t *testing.T) {
	old, err := pwa.Load(os.DirFS("../pb_public"))
	if err != nil {
		t.Fatal(err)
	}
	for name, next := range map[string]*pwa.Site{
		"a module changed":         appWith(t, "ui/frame.js", "'Tin mới'", "'Tin của bản hai'"),
		"the service worker, too":  appWith(t, "sw.js", "'/app.json'", "`/app.json`"),
		"the shell's words change": appWith(t, "index.html", "Đang mở…", "Đang mở bản hai…"),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, old)
			f.furnish()
			srv := httptest.NewServer(f)
			defer srv.Close()
			p := browsertest.Open(t, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), 360, 800)
			signIn(p)
			kept(p)

			if name == "a module changed" {
				f.install(next, "/ui/frame.js")
				if checks(p) {
					t.Error("half a version waits to be used")
				}
				p.Load("")
				p.Sees("Chào", "Tin mới")
			}
			f.install(next, "")
			if !checks(p) {
				t.Fatal("the new version does not wait")
			}
			f.unplug(true)
			p.Visit("#/suc-khoe/lan000000000000/ghi/measurement")
			p.Fill("d_systolic", "120")
			p.Fill("d_diastolic", "80")
			p.Press("Lưu vào sổ")
			p.Sees("Huyết áp 120/80", "chờ gửi")
			p.Visit("#/")
			p.Sees("Có bản mới", "Tin mới")
			p.Press("Có bản mới")
			if name == "a module changed" {
				p.Sees("Tin của bản hai")
			}
			p.Until(`!document.querySelector('#version button') && document.querySelector('.hello')`)
			p.Sees("1 việc chờ gửi")
			running, err := chromedp.Run(p.Ctx, chromedp.Evaluate[string](`fetch('/app.json').then(r => r.json()).then(j => j.version)`, chromedp.EvalAwaitPromise))
			if err != nil || running != next.Version {
				t.Errorf("runs %s, not %s: %v", running, next.Version, err)
			}
		})
	}
}
