package browsertest

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/websocket"
)

// Firefox is one window of a real Firefox, driven by WebDriver BiDi, which
// Firefox speaks by itself: no driver program stands between.
type Firefox struct {
	T   *testing.T
	URL string

	conn    *websocket.Conn
	context string // the window, in Firefox's words

	mu      sync.Mutex
	last    int
	waiting map[int]chan reply
	gone    chan struct{} // closed with the connection
}

// reply is what Firefox answers to a command.
type reply struct {
	ID      int             `json:"id"`
	Type    string          `json:"type"`
	Result  json.RawMessage `json:"result"`
	Error   string          `json:"error"`
	Message string          `json:"message"`
}

// quiet are the settings of a browser that calls nobody and asks nothing.
var quiet = map[string]any{
	"app.normandy.enabled":                       false,
	"app.update.disabledForTesting":              true,
	"browser.aboutwelcome.enabled":               false,
	"browser.startup.homepage_override.mstone":   "ignore",
	"browser.startup.page":                       0,
	"datareporting.policy.dataSubmissionEnabled": false,
	"dom.serviceWorkers.idle_timeout":            500, // a worker with nothing to do ends soon: the next event finds it cold
	"extensions.systemAddon.update.enabled":      false,
	"network.captive-portal-service.enabled":     false,
	"network.connectivity-service.enabled":       false,
	"services.settings.server":                   "data:,#remote-settings-dummy/v1",
	"startup.homepage_welcome_url":               "",
	"termsofuse.bypassNotification":              true,
	"toolkit.telemetry.enabled":                  false,
}

// PushBy are the settings of a Firefox that is woken through the push service at
// a WebSocket address, and whose person has let pages show notices.
func PushBy(service string) map[string]any {
	return map[string]any{
		"alerts.useSystemBackend":                       false, // there is no desktop: Firefox draws notices itself
		"dom.push.connection.enabled":                   true,  // a driven Firefox has none by itself
		"dom.push.maxQuotaPerSubscription":              10000,
		"dom.push.quotaUpdateDelay":                     0,
		"dom.push.retryBaseInterval":                    100,
		"dom.push.serverURL":                            service,
		"dom.push.testing.allowInsecureServerURL":       true,
		"dom.webnotifications.requireinteraction.count": 100, // with more on the screen the next waits for a tap
		"permissions.default.desktop-notification":      1,
	}
}

// OpenFirefox starts a Firefox with a profile of its own and these settings on
// the server. Without a Firefox the test is skipped, except in CI.
func OpenFirefox(t *testing.T, url string, width, height int, settings map[string]any) *Firefox {
	t.Helper()
	program := ""
	for _, name := range []string{"firefox-esr", "firefox"} {
		if p, err := exec.LookPath(name); err == nil {
			program = p
			break
		}
	}
	if program == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Firefox, and CI must have one")
		}
		t.Skip("no Firefox here")
	}
	profile := t.TempDir()
	all := maps.Clone(quiet)
	maps.Copy(all, settings)
	var prefs strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		value, err := json.Marshal(all[name])
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&prefs, "user_pref(%q, %s);\n", name, value)
	}
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(prefs.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &Firefox{T: t, URL: url, waiting: map[int]chan reply{}, gone: make(chan struct{})}
	f.connect(startFirefox(t, program, profile))
	f.context = f.window(width, height)
	return f
}

// origin is who we say we are to Firefox, which answers nobody else.
const origin = "http://browsertest.invalid"

// startFirefox starts the program and returns where it listens. It and what it
// started end with the test.
func startFirefox(t *testing.T, program, profile string) string {
	t.Helper()
	cmd := exec.Command(program, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "--remote-allow-origins", origin)
	cmd.Env = append(os.Environ(), "MOZ_CRASHREPORTER_DISABLE=1", "HOME="+profile)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its own group, so that all of it can be ended
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	at, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if _, where, is := strings.Cut(lines.Text(), "WebDriver BiDi listening on "); is {
				at <- where
			}
		}
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
		_ = cmd.Wait()
	})
	select {
	case where := <-at:
		return where
	case <-ended:
		t.Fatal("Firefox ended before it listened")
	case <-time.After(patience):
		t.Fatal("Firefox does not listen")
	}
	return ""
}

func (f *Firefox) connect(where string) {
	f.T.Helper()
	var err error
	if f.conn, err = websocket.Dial(where+"/session", "", origin); err != nil {
		f.T.Fatalf("reach Firefox: %v", err)
	}
	f.T.Cleanup(func() { _ = f.conn.Close() })
	go func() {
		defer close(f.gone)
		for {
			var r reply
			if websocket.JSON.Receive(f.conn, &r) != nil {
				return
			}
			f.mu.Lock()
			to := f.waiting[r.ID]
			delete(f.waiting, r.ID)
			f.mu.Unlock()
			if to != nil {
				to <- r
			}
		}
	}()
	if _, err := f.Command("session.new", map[string]any{"capabilities": map[string]any{}}); err != nil {
		f.T.Fatalf("begin a session: %v", err)
	}
}

var errGone = errors.New("Firefox is gone")

// Command sends a command of WebDriver BiDi and returns its result.
func (f *Firefox) Command(method string, params any) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(f.T.Context(), patience)
	defer cancel()
	answer := make(chan reply, 1)
	f.mu.Lock()
	f.last++
	id := f.last
	f.waiting[id] = answer
	f.mu.Unlock()
	if err := websocket.JSON.Send(f.conn, map[string]any{"id": id, "method": method, "params": params}); err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	select {
	case r := <-answer:
		if r.Type == "error" {
			return nil, fmt.Errorf("%s: %s: %s", method, r.Error, r.Message)
		}
		return r.Result, nil
	case <-f.gone:
		return nil, fmt.Errorf("%s: %w", method, errGone)
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w", method, ctx.Err())
	}
}

// window is the first window, in the size of a phone.
func (f *Firefox) window(width, height int) string {
	f.T.Helper()
	raw, err := f.Command("browsingContext.getTree", map[string]any{})
	var tree struct {
		Contexts []struct{ Context string }
	}
	if err != nil || json.Unmarshal(raw, &tree) != nil || len(tree.Contexts) == 0 {
		f.T.Fatalf("find the window: %v %s", err, raw)
	}
	at := tree.Contexts[0].Context
	if _, err := f.Command("browsingContext.setViewport", map[string]any{"context": at, "viewport": map[string]int{"width": width, "height": height}}); err != nil {
		f.T.Fatal(err)
	}
	return at
}

// Eval runs an expression in the page, waits for it if it is a promise, and reads
// what it comes to as JSON.
func (f *Firefox) Eval(js string, into any) error {
	raw, err := f.Command("script.evaluate", map[string]any{
		"expression":   "Promise.resolve(" + js + ").then(v => JSON.stringify(v) ?? 'null')",
		"target":       map[string]string{"context": f.context},
		"awaitPromise": true, "userActivation": true,
	})
	if err != nil {
		return err
	}
	var got struct {
		Type      string
		Result    struct{ Value string }
		Exception struct{ Text string } `json:"exceptionDetails"`
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if got.Type != "success" {
		return &Thrown{got.Exception.Text}
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal([]byte(got.Result.Value), into)
}

// Thrown is what a page's program threw.
type Thrown struct{ Text string }

func (e *Thrown) Error() string { return "page: " + e.Text }

// Fail ends the test with what is on the screen.
func (f *Firefox) Fail(err error) {
	f.T.Helper()
	var text string
	_ = f.Eval(`document.body?.innerText ?? document.URL`, &text)
	f.Shot("failed-firefox")
	f.T.Fatalf("firefox: %v\non the screen:\n%s", err, text)
}

// Go opens an address.
func (f *Firefox) Go(address string) {
	f.T.Helper()
	if _, err := f.Command("browsingContext.navigate", map[string]any{"context": f.context, "url": address, "wait": "complete"}); err != nil {
		f.Fail(err)
	}
}

// Load opens a place anew, as typing the address does.
func (f *Firefox) Load(hash string) {
	f.T.Helper()
	f.Go("about:blank")
	f.Go(f.URL + "/" + hash)
}

// Visit goes to a place within the app.
func (f *Firefox) Visit(hash string) {
	f.T.Helper()
	if err := f.Eval(fmt.Sprintf(`(location.hash = %q, 0)`, hash), nil); err != nil {
		f.Fail(err)
	}
}

// Until waits for a predicate, also across a page that loads meanwhile.
func (f *Firefox) Until(js string) {
	f.T.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		so := false
		err := f.Eval("Promise.resolve("+js+").then(Boolean)", &so)
		if so {
			return
		}
		if errors.Is(err, errGone) {
			f.T.Fatal(err)
		}
		select {
		case <-tick.C:
		case <-late:
			f.Fail(fmt.Errorf("not so: %s (%w)", js, err))
		}
	}
}

// Equals waits until an expression comes to a text.
func (f *Firefox) Equals(js, want string) {
	f.T.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		var got string
		if err := f.Eval(js, &got); err != nil {
			got = err.Error()
		}
		if got == want {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			f.Fail(fmt.Errorf("it is %q, not %q", got, want))
		}
	}
}

// Sees waits until the words are on the screen.
func (f *Firefox) Sees(words ...string) {
	f.T.Helper()
	for _, w := range words {
		f.Until(sees(w))
	}
}

// Press clicks what bears the words.
func (f *Firefox) Press(words string) { f.T.Helper(); f.Until(press(words)) }

// Fill types into the field of a name.
func (f *Firefox) Fill(name, value string) {
	f.T.Helper()
	f.Until(fmt.Sprintf(`(() => { const el = document.querySelector('[name=%q]'); if (!el?.offsetParent) return false; el.value = %q;
		for (const e of ['input', 'change']) el.dispatchEvent(new Event(e, { bubbles: true })); return true })()`, name, value))
}

// Shot keeps a picture when LANGSO_SHOTS names a folder.
func (f *Firefox) Shot(name string) {
	dir := os.Getenv("LANGSO_SHOTS")
	if dir == "" {
		return
	}
	raw, err := f.Command("browsingContext.captureScreenshot", map[string]any{"context": f.context})
	var got struct{ Data string }
	if err != nil || json.Unmarshal(raw, &got) != nil {
		return
	}
	if png, err := base64.StdEncoding.DecodeString(got.Data); err == nil {
		_ = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
}
