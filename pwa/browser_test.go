package pwa_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"langso/pwa"
)

// page is one browser window on the app.
type page struct {
	t     *testing.T
	ctx   context.Context
	url   string
	width int
}

// open starts a browser with a profile of its own on the server.
func open(t *testing.T, url string, width, height int) *page {
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
	alloc, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chrome), chromedp.DisableGPU, chromedp.NoSandbox, chromedp.WindowSize(width, height), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true))...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); cancel() })
	p := &page{t, ctx, url, width}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(int64(width), int64(height))); err != nil {
		t.Fatalf("start browser: %v", err)
	}
	return p
}

func (p *page) run(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.fail(err)
	}
}

// fail ends the test with what is on the screen.
func (p *page) fail(err error) {
	p.t.Helper()
	text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body.innerText`))
	p.shot("failed")
	p.t.Fatalf("browser: %v\non the screen:\n%s", err, text)
}

// load opens a place anew, as typing the address does.
func (p *page) load(hash string) {
	p.t.Helper()
	p.run(chromedp.Navigate("about:blank"), chromedp.Navigate(p.url+"/"+hash))
}

// visit goes to a place within the app.
func (p *page) visit(hash string) {
	p.t.Helper()
	p.run(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("location.hash = %q", hash)))
}

// until waits for a predicate, also across a page that loads meanwhile.
func (p *page) until(js string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	for {
		err := chromedp.Do(ctx, chromedp.Poll[chromedp.Void](js))
		if err == nil {
			return
		}
		if ctx.Err() != nil || !strings.Contains(err.Error(), "navigated") && !strings.Contains(err.Error(), "context with specified id") {
			p.fail(err)
		}
	}
}

// sees waits until the words are on the screen.
func (p *page) sees(words ...string) {
	p.t.Helper()
	for _, w := range words {
		p.until(fmt.Sprintf("document.body?.innerText.toLowerCase().includes(%q)", strings.ToLower(w)))
	}
}

// press clicks what bears the words.
func (p *page) press(words string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`(() => { const el = [...document.querySelectorAll('button, a, summary')].find(e => e.offsetParent && e.innerText.includes(%q)); if (!el) return false; el.click(); return true })()`, words))
}

// fill types into the field of a name.
func (p *page) fill(name, value string) {
	p.t.Helper()
	sel := fmt.Sprintf(`[name=%q]`, name)
	p.run(chromedp.WaitVisible(sel), chromedp.SetValue(sel, value))
}

// shot keeps a picture when LANGSO_SHOTS names a folder.
func (p *page) shot(name string) {
	dir := os.Getenv("LANGSO_SHOTS")
	if dir == "" {
		return
	}
	_ = chromedp.Do(p.ctx, chromedp.Evaluate[chromedp.Void](`new Promise(y => setTimeout(y, 150))`, chromedp.EvalAwaitPromise))
	take := chromedp.FullScreenshot(100)
	if p.width >= 1000 {
		take = chromedp.CaptureScreenshot() // a full one narrows the window for a moment
	}
	png, err := chromedp.Run(p.ctx, take)
	if err != nil {
		return
	}
	_ = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
}

func (p *page) signIn() {
	p.t.Helper()
	p.load("")
	p.sees("Đăng nhập")
	p.shot("sign-in")
	p.fill("number", "0912345678")
	p.press("Gửi mã")
	p.sees("Nhập mã")
	p.fill("code", "123456")
	p.press("Vào")
	p.sees("Bà con là ai")
	p.shot("choose")
	p.press("Nguyễn Thị Lan")
	p.sees("Chào", "Đã đồng bộ")
}

// A villager signs in once, then works for days without a network: she writes
// in three domains, closes the app, opens it again, and meets the server later.
func TestADayWithoutNetwork(t *testing.T) {
	site, err := pwa.Load(os.DirFS("../pb_public"))
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(t, site)
	f.furnish()
	f.refuse = func(e fakeEdit) string {
		if d, _ := e.Create["data"].(map[string]any); e.Coll == "health_entries" && d["systolic"] == 80.0 {
			return "Số trên phải lớn hơn số dưới. Bác đo lại giúp ạ."
		}
		return ""
	}
	srv := httptest.NewServer(f)
	defer srv.Close()
	p := open(t, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), 360, 800)
	p.signIn()
	p.sees("Cảnh báo mưa lớn")
	p.kept()

	f.unplug(true)
	p.load("")
	p.sees("Chào", "Cảnh báo mưa lớn")

	p.visit("#/suc-khoe/lan000000000000/ghi/measurement")
	p.fill("d_systolic", "80")
	p.fill("d_diastolic", "120")
	p.press("Lưu vào sổ")
	p.sees("Huyết áp 80/120", "chờ gửi")
	p.visit("#/ho-so/moi/p00000000000001")
	p.fill("c_to_khai", "Cháu Trần Gia Bảo")
	p.press("Nộp hồ sơ")
	p.sees("chờ gửi", "tự gửi khi có mạng")
	p.visit("#/cho/hang/h0000000000000a")
	p.fill("quantity", "2")
	p.press("Đặt hàng")
	p.sees("chờ gửi", "90.000 đ")

	p.load("#/tai-khoan")
	p.sees("Nộp hồ sơ: Đăng ký khai sinh", "Đặt hàng: Vải thiều Phúc Hòa", "3 việc chờ gửi")
	p.shot("offline-account")

	f.unplug(false)
	p.press("Đồng bộ ngay")
	p.sees("bị từ chối", "Số trên phải lớn hơn số dưới", "Không còn việc nào chờ gửi")
	p.shot("refused")
	p.visit("#/ho-so")
	p.sees("H07.330.261124-0001", "Mới nộp")
	p.visit("#/don-hang")
	p.sees("Đã nhận đơn")

	p.visit("#/tai-khoan")
	p.press("Sửa và gửi lại")
	p.fill("d_systolic", "120")
	p.fill("d_diastolic", "80")
	p.press("Lưu vào sổ")
	p.sees("Huyết áp 120/80", "Đã đồng bộ")
	f.mu.Lock()
	last := f.heard[len(f.heard)-1]
	f.mu.Unlock()
	if last.Fixes == 0 || last.Coll != "health_entries" {
		t.Errorf("the amended reading should say which edit it fixes: %+v", last)
	}
}

// Two windows of one phone share its numbers: none twice, none left out, and
// each sees what the other wrote.
func TestTwoWindows(t *testing.T) {
	site, err := pwa.Load(os.DirFS("../pb_public"))
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(t, site)
	f.furnish()
	srv := httptest.NewServer(f)
	defer srv.Close()
	a := open(t, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), 360, 800)
	a.signIn()
	ctx, cancel := chromedp.NewContext(a.ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(360, 800)); err != nil {
		t.Fatal(err)
	}
	b := &page{t, ctx, a.url, 360}
	b.load("")
	b.sees("Chào", "Đã đồng bộ")

	write := func(p *page, kilos string) {
		p.visit("#/")
		p.sees("Tin mới")
		p.visit("#/suc-khoe/lan000000000000/ghi/measurement")
		p.press("Cân nặng")
		p.fill("d_value", kilos)
		p.press("Lưu vào sổ")
		p.sees("Cân nặng " + kilos)
	}
	f.unplug(true)
	write(a, "50")
	write(b, "51")
	write(a, "52")
	b.sees("Cân nặng 52", "3 việc chờ gửi")
	f.unplug(false)
	write(b, "53")
	write(a, "54")
	a.sees("Đã đồng bộ")
	b.sees("Cân nặng 54", "Đã đồng bộ")

	f.mu.Lock()
	defer f.mu.Unlock()
	var got []string
	for i, e := range f.heard {
		if e.N != i+1 {
			t.Errorf("edit %d came under number %d", i+1, e.N)
		}
		data, _ := e.Create["data"].(map[string]any)
		got = append(got, fmt.Sprint(data["value"]))
	}
	if want := "50 51 52 53 54"; strings.Join(got, " ") != want {
		t.Errorf("the server heard %v, not %s", got, want)
	}
}
