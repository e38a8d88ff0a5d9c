package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"langso/browsertest"
	"langso/hooks"
	"langso/notify/sms"
	"langso/signin"
	"langso/villagetest"
)

// saved presses what saves a file and returns its bytes.
func saved(p *browsertest.Page, words string) []byte {
	p.T.Helper()
	p.Run(chromedp.Evaluate[chromedp.Void](`URL.createObjectURL = b => { b.arrayBuffer().then(a => { window.savedFile = btoa(String.fromCharCode(...new Uint8Array(a))); }); return '#'; }; window.savedFile = ''`))
	p.Press(words)
	p.Until(`window.savedFile`)
	text, err := chromedp.Run(p.Ctx, chromedp.Evaluate[string](`window.savedFile`))
	if err != nil {
		p.Fail(err)
	}
	file, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		p.Fail(err)
	}
	return file
}

// handed gives a file to the n-th place of the screen that takes one.
func handed(p *browsertest.Page, n int, file []byte) {
	p.T.Helper()
	p.Until(fmt.Sprintf(`document.querySelectorAll('input[type=file]').length > %d`, n))
	p.Run(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(() => { const all = new DataTransfer(); all.items.add(new File([Uint8Array.from(atob(%q), c => c.charCodeAt(0))], 'goi.langso'));
		const input = document.querySelectorAll('input[type=file]')[%d]; input.files = all.files; input.dispatchEvent(new Event('change')); })()`, base64.StdEncoding.EncodeToString(file), n)))
}

// TestABrowserAsksACarrierAndCarries: Lan's browser, its cable pulled, seals a
// reading; Bích's phone delivers it and brings the verdict home. Then the browser
// carries for Bích, whose phone has no network.
func TestABrowserAsksACarrierAndCarries(t *testing.T) {
	inbox := &messages{}
	s := villagetest.New(t, domains, func(o *hooks.Options) {
		o.SignIn = &signin.Service{SMS: &sms.Log{Out: inbox}}
		o.Files = os.DirFS("pb_public")
		o.Now = time.Now
	})
	s.Put(t, "villages", id("v"), map[string]any{"name": "Thôn Phúc Đình"})
	s.Put(t, "households", id("h"), map[string]any{"name": "Hộ", "village": id("v")})
	for name, number := range map[string]string{"lan": "0912345678", "bich": "0912345670"} {
		s.Put(t, "persons", id(name), map[string]any{"name": name, "household": id("h"), "status": "active", "phone_number": number})
	}
	web, cable := plugged(t, s)
	lan := browsertest.Open(t, strings.Replace(web.URL, "127.0.0.1", "localhost", 1), 360, 800)
	lan.Load("")
	lan.Fill("number", "0912345678")
	lan.Press("Gửi mã")
	browsertest.Await(t, func() bool { return inbox.code() != "" })
	lan.Fill("code", inbox.code())
	lan.Press("Vào")
	lan.Sees("Chào", "Đã đồng bộ")
	lan.Until(`navigator.serviceWorker.ready.then(() => caches.keys()).then(ks => ks.length > 0)`)

	cable.pull(true)
	lan.Load("")
	lan.Sees("Chào")
	lan.Visit("#/suc-khoe/" + id("lan") + "/ghi/measurement")
	lan.Fill("d_systolic", "165")
	lan.Fill("d_diastolic", "95")
	lan.Press("Lưu vào sổ")
	lan.Sees("Huyết áp 165/95", "chờ gửi")
	lan.Visit("#/")
	lan.Sees("Nhờ người sắp ra chỗ có sóng gửi giúp 1 việc")
	lan.Visit("#/gui-giup")
	lan.Sees("1 việc chưa gửi")
	lan.Shot("courier-begin")
	lan.Press("Làm gói nhờ gửi")
	lan.Sees("Đưa gói này cho người mang giúp")
	lan.Press("Hiện")
	lan.Until(`document.querySelector('img.qr')?.naturalWidth > 0`)
	lan.Shot("courier-qr")
	file := saved(lan, "Lưu thành tệp")
	if bytes.Contains(file, []byte("165")) && bytes.Contains(file, []byte("systolic")) {
		t.Error("the file can be read")
	}

	ctx := context.Background()
	road := &villagetest.Network{}
	bich := s.PhoneAt(t, filepath.Join(t.TempDir(), "bich"), id("bich"), road)
	if err := bich.Greet(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := bich.Carry(file); err != nil {
		t.Fatal(err)
	}
	if _, err := bich.Deliver(ctx); err != nil {
		t.Fatal(err)
	}
	if n, err := s.App.CountRecords("health_entries"); err != nil || n != 1 {
		t.Fatalf("the server has %d entries: %v", n, err)
	}
	answers, _, err := bich.Answers()
	if err != nil {
		t.Fatal(err)
	}
	handed(lan, 0, answers)
	lan.Sees("Xã đã nhận 1 việc của bà con")
	lan.Visit("#/tai-khoan")
	lan.Sees("Không còn việc nào chờ gửi")

	// Now the browser carries.
	if _, err := bich.CreateAs("health_entries", id("cuabich"), map[string]any{"person": id("bich"), "kind": "measurement", "code": "bp", "data": map[string]any{"systolic": 120, "diastolic": 80}}); err != nil {
		t.Fatal(err)
	}
	packed, err := bich.Pack()
	if err != nil {
		t.Fatal(err)
	}
	lan.Visit("#/gui-giup")
	handed(lan, 0, packed.File)
	lan.Sees("Đã nhận 1 gói", "1 gói chờ gửi")
	lan.Shot("courier-carries")
	cable.pull(false)
	lan.Press("Gửi ngay")
	lan.Sees("1 trả lời chờ đưa lại")
	lan.Press("Đưa trả lời")
	lan.Sees("Đưa trả lời này cho người đã nhờ")
	lan.Shot("courier-answers")
	got, err := bich.Unpack(saved(lan, "Lưu thành tệp"))
	if err != nil || got.Answers != 1 || len(got.Verdicts) != 1 {
		t.Errorf("%+v %v", got, err)
	}
	lan.Press("Đã đưa xong")
	lan.Until(`!document.body.innerText.includes('chờ đưa lại')`)
}
