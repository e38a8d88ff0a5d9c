// Package browsertest drives the phone app in a real Chromium or Firefox, as a
// person's thumb does: see words, press what bears them, fill fields. Tests that
// need a browser are skipped where there is none, except in CI.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long something may take that happens in the browser's own time:
// on a machine with ten other things to do, two cores give a page little. Who waits
// goes on as soon as it is so.
const patience = 90 * time.Second

// Window is what a person can do in any browser.
type Window interface {
	Load(hash string)
	Visit(hash string)
	Until(js string)
	Sees(words ...string)
	Press(words string)
	Fill(name, value string)
	Shot(name string)
}

// Page is one window of a Chromium on the app.
type Page struct {
	T     *testing.T
	Ctx   context.Context
	URL   string
	Width int
	// Profile is the folder in which the browser keeps what it keeps.
	Profile string
}

// Open starts a browser with a profile of its own on the server.
func Open(t *testing.T, url string, width, height int) *Page {
	t.Helper()
	chrome := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			chrome = p
			break
		}
	}
	if chrome == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium, and CI must have one")
		}
		t.Skip("no Chromium here")
	}
	profile := t.TempDir()
	alloc, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chrome), chromedp.DisableGPU, chromedp.NoSandbox, chromedp.WindowSize(width, height), chromedp.UserDataDir(profile),
		chromedp.Flag("disable-background-networking", true))...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); cancel() })
	p := &Page{T: t, Ctx: ctx, URL: url, Width: width, Profile: profile}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(int64(width), int64(height))); err != nil {
		t.Fatalf("start browser: %v", err)
	}
	return p
}

// Title is the title of the window.
func (p *Page) Title() string {
	p.T.Helper()
	title, err := chromedp.Run(p.Ctx, chromedp.Title())
	if err != nil {
		p.Fail(err)
	}
	return title
}

// Run does browser actions, which must come to an end.
func (p *Page) Run(actions ...chromedp.Action[chromedp.Void]) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.Fail(err)
	}
}

// Fail ends the test with what is on the screen.
func (p *Page) Fail(err error) {
	p.T.Helper()
	text, _ := chromedp.Run(p.Ctx, chromedp.Evaluate[string](`document.body.innerText`))
	p.Shot("failed")
	p.T.Fatalf("browser: %v\non the screen:\n%s", err, text)
}

// Load opens a place anew, as typing the address does.
func (p *Page) Load(hash string) {
	p.T.Helper()
	p.Run(chromedp.Navigate("about:blank"), chromedp.Navigate(p.URL+"/"+hash))
}

// Visit goes to a place within the app.
func (p *Page) Visit(hash string) {
	p.T.Helper()
	p.Run(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("location.hash = %q", hash)))
}

// Until waits for a predicate, also across a page that loads meanwhile.
func (p *Page) Until(js string) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, patience)
	defer cancel()
	for {
		err := chromedp.Do(ctx, chromedp.Poll[chromedp.Void](js))
		if err == nil {
			return
		}
		if ctx.Err() != nil || !strings.Contains(err.Error(), "navigated") && !strings.Contains(err.Error(), "context with specified id") {
			p.Fail(err)
		}
	}
}

// Sees waits until the words are on the screen.
func (p *Page) Sees(words ...string) {
	p.T.Helper()
	for _, w := range words {
		p.Until(sees(w))
	}
}

// Press clicks what bears the words.
func (p *Page) Press(words string) {
	p.T.Helper()
	p.Until(press(words))
}

// sees and press are what a person does, in the page's language.
func sees(words string) string {
	return fmt.Sprintf("document.body?.innerText.toLowerCase().includes(%q)", strings.ToLower(words))
}

func press(words string) string {
	return fmt.Sprintf(`(() => { const el = [...document.querySelectorAll('button, a, summary')].find(e => e.offsetParent && e.innerText.includes(%q)); if (!el) return false; el.click(); return true })()`, words)
}

// Fill types into the field of a name.
func (p *Page) Fill(name, value string) {
	p.T.Helper()
	sel := fmt.Sprintf(`[name=%q]`, name)
	p.Run(chromedp.WaitVisible(sel), chromedp.SetValue(sel, value))
}

// Shot keeps a picture when LANGSO_SHOTS names a folder.
func (p *Page) Shot(name string) {
	dir := os.Getenv("LANGSO_SHOTS")
	if dir == "" {
		return
	}
	_ = chromedp.Do(p.Ctx, chromedp.Evaluate[chromedp.Void](`new Promise(y => setTimeout(y, 150))`, chromedp.EvalAwaitPromise))
	take := chromedp.FullScreenshot(100)
	if p.Width >= 1000 {
		take = chromedp.CaptureScreenshot() // a full one narrows the window for a moment
	}
	png, err := chromedp.Run(p.Ctx, take)
	if err != nil {
		return
	}
	_ = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
}

// Await waits until something is so, as long as there is patience: what happens
// in the browser's own time has no event to wait for.
func Await(t *testing.T, so func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !so() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("it did not come to be so")
		}
	}
}
