package pwa_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"langso/browsertest"
)

// TestByKeysAlone is a day of somebody who uses no pointer: the hand trembles, or
// the eyes are a screen reader's. Sign in, write in the health book, hand in a
// dossier, buy, read a notice, change how one is called, ask to sign out and think
// better of it. At each stop it is seen where one is (see browsertest.TabTo).
func TestByKeysAlone(t *testing.T) {
	f, _, url := furnished(t)
	p := browsertest.Open(t, url, 360, 800)
	p.Load("")
	p.Sees("Đăng nhập")
	open := func(words, then string) { t.Helper(); p.TabTo(words); p.Key(kb.Enter); p.Sees(then) }
	write := func(field, words string) { t.Helper(); p.TabTo(field); p.Key(words) }
	home := func() {
		t.Helper()
		p.Visit("#/")
		p.Sees("Tin mới")
		p.Until(`document.activeElement.id === 'main'`)
	}

	write("Số điện thoại", "0912345678")
	p.Key(kb.Enter)
	p.Sees("Nhập mã")
	p.Until(`document.activeElement.name === 'code'`)
	p.Key("123456" + kb.Enter)
	p.Sees("Bà con là ai")
	p.Until(`document.activeElement.innerText.includes('Lan')`)
	p.Key(kb.Enter)
	p.Sees("Chào", "Đã đồng bộ")

	// The health book; the wrong way round first.
	p.Load("")
	p.Sees("Tin mới")
	open("Tới nội dung", "Tin mới")
	open("Sổ sức khỏe", "Sổ của tôi")
	open("Nguyễn Thị Lan", "Ghi số đo")
	open("Ghi số đo", "tâm thu")
	write("tâm thu", "80")
	write("tâm trương", "120")
	p.Sees("Số trên phải lớn hơn số dưới")
	open("Cân nặng", "Cân nặng (kg)") // the keys go round: the kinds stand above
	p.TabTo("Lưu vào sổ")
	p.Key(kb.Enter)
	p.Sees("Xin ghi «Cân nặng (kg)»")
	p.Until(`document.activeElement.name === 'd_value' && document.activeElement.getAttribute('aria-invalid') === 'true'`)
	p.Key("52,5" + kb.Enter)
	p.Sees("Cân nặng 52,5")

	// A dossier.
	home()
	open("Hồ sơ của tôi", "Nộp hồ sơ mới")
	open("Nộp hồ sơ mới", "Đăng ký khai sinh")
	open("Đăng ký khai sinh", "Giấy chứng sinh")
	write("Tờ khai", "Trần Gia Bảo")
	p.TabTo("Chụp ảnh")
	open("Nộp hồ sơ", "Mới nộp")

	// The market.
	home()
	open("Chợ quê", "45.000 đ")
	write("Tìm hàng", "vai thieu")
	open("Vải thiều Phúc Hòa", "Thành tiền")
	p.TabTo("Thêm một")
	p.Key(" ")
	p.Sees("90.000 đ")
	open("Đặt hàng", "Đã nhận đơn")

	// Cancelling asks why: the keys are where one writes.
	p.TabTo("Hủy đơn")
	p.Key(kb.Enter)
	p.Until(`document.activeElement.name === 'why'`)

	// Notices, and how to be called.
	home()
	open("Thông báo", "Gửi cho tôi")
	open("Hồ sơ của bác", "Hẹn trả ngày 1/12")
	open("Quay lại", "Gửi cho tôi")
	open("Cách nhận thông báo", "Yên lặng từ")
	p.TabTo("SMS")
	p.Key(" ")
	p.Until(`document.querySelector('[name=sms]').checked`)
	open("Lưu", "Gửi cho tôi")

	// A question holds the keys until it is answered; Escape is no, and brings them back.
	open("Tài khoản", "Thôi dùng máy này")
	p.TabTo("Đăng xuất")
	p.Key(kb.Enter)
	p.Until(`document.querySelector('dialog[open]')?.contains(document.activeElement)`)
	if s := p.Focus(); s.Name != "Thôi" || s.Flaws != "" {
		t.Errorf("the question begins at %q: %s", s.Name, s.Flaws)
	}
	for range 3 {
		p.Key(kb.Tab)
		p.Until(`document.querySelector('dialog').contains(document.activeElement) || document.activeElement === document.body`)
	}
	p.Shot("keys-question")
	p.Key(kb.Escape)
	p.Until(`!document.querySelector('dialog') && document.activeElement.innerText === 'Đăng xuất'`)

	// What comes down meanwhile draws the screen anew: the keys stay where they were.
	home()
	p.TabTo("Hồ sơ của tôi")
	p.Shot("keys-home")
	f.mu.Lock()
	f.put("notices", "n00000000000009", map[string]any{"circle": "person:lan000000000000", "title": "Vừa tới", "kind": "dossier_step", "at": "2026-11-24 06:10:00.000Z"})
	f.mu.Unlock()
	p.Run(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new Event('online'))`))
	p.Sees("Vừa tới")
	p.Until(`document.activeElement.getAttribute('href') === '#/ho-so'`)

	// The state of the road is told when it changes, and only then.
	p.Run(chromedp.Evaluate[chromedp.Void](`globalThis.told = []; new MutationObserver(() => told.push(document.querySelector('[aria-live]').innerText)).observe(document.querySelector('[aria-live]'), { childList: true, subtree: true })`))
	f.unplug(true)
	p.Run(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new Event('online'))`))
	p.Until(`told.join() === 'Chưa có mạng'`)
	f.unplug(false)
	p.Run(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new Event('online'))`))
	p.Until(`told.join() === 'Chưa có mạng,Đã đồng bộ'`)
}

// TestNothingMoves: who asked the phone for less motion sees none, on any screen. Who asked for a dark
// screen has the light one: the app has no other, and what browsers make of it is pale.
func TestNothingMoves(t *testing.T) {
	f, _, url := furnished(t)
	f.circles = everything
	p := browsertest.Open(t, url, 360, 800)
	if _, err := chromedp.Call(p.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-reduced-motion", Value: "reduce"}, {Name: "prefers-color-scheme", Value: "dark"}}}); err != nil {
		t.Fatal(err)
	}
	signIn(p)
	// A planted one is stopped, too.
	p.Run(chromedp.Evaluate[chromedp.Void](`(() => { const s = new CSSStyleSheet(); s.replaceSync('@keyframes k { to { opacity: 0 } } main { animation: k 9s infinite } a { transition: all 9s }'); document.adoptedStyleSheets = [s]; })()`))
	for _, s := range screens {
		p.Visit(s.hash)
		p.Until(`document.getAnimations().length === 0 && [...document.querySelectorAll('body *')].every(e => parseFloat(getComputedStyle(e).transitionDuration) === 0)`)
	}
	p.Until(`getComputedStyle(document.documentElement).colorScheme.includes('only') && getComputedStyle(document.body.parentElement).backgroundColor === 'rgb(251, 249, 243)'`)
}
