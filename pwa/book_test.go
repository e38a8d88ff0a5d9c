package pwa_test

import (
	"testing"

	"langso/browsertest"
)

// The book says first what a person cannot bear, that somebody asked and there is
// nothing, or that nobody asked; warns while a drug of that
// family is typed, asks about a reading that stands upside down, and tells at
// once what to do about one that cannot wait. Nothing is refused on the phone.
func TestTheBookWarnsWithoutANetwork(t *testing.T) {
	_, srv, url := furnished(t)
	p := browsertest.Open(t, url, 360, 800)
	signIn(p)
	p.Until(`navigator.serviceWorker.ready.then(() => caches.keys()).then(ks => ks.length > 0)`)
	srv.CloseClientConnections()
	srv.Listener.Close()
	const book = "#/suc-khoe/lan000000000000"
	typed := func(name, value string) {
		p.Fill(name, value)
		p.Until(`(() => { document.querySelector("[name=` + name + `]").dispatchEvent(new Event("input", { bubbles: true })); return true })()`)
	}
	p.Load(book)
	p.Sees("Chưa hỏi về dị ứng")
	p.Press("Ghi dị ứng")
	p.Press("Không dị ứng gì")
	p.Sees("Đã hỏi đủ")
	p.Shot("book-none-write")
	p.Press("Lưu vào sổ")
	p.Sees("Không dị ứng. Đã hỏi ngày", "chờ gửi")
	p.Until(`!document.body.innerText.includes('Chưa hỏi') && !document.querySelector('.warning.bad')`)
	p.Shot("book-none")
	p.Press("Ghi dị ứng")
	p.Fill("code", "Thuốc Penixilin")
	p.Press("Lưu vào sổ")
	p.Sees("Dị ứng: Thuốc Penixilin", "chờ gửi")
	p.Until(`document.querySelector('.warning.bad')?.innerText === 'Dị ứng: Thuốc Penixilin'`)
	p.Shot("book-allergy")

	p.Visit(book + "/ghi/visit")
	typed("d_drug", "Amoxicillin 500 mg")
	p.Sees("dị ứng «Thuốc Penixilin»")
	p.Shot("book-prescription")
	typed("d_drug", "Paracetamol 500 mg")
	p.Until(`document.querySelector('form .warning').hidden`)

	p.Visit(book + "/ghi/measurement")
	p.Fill("d_systolic", "80")
	typed("d_diastolic", "120")
	p.Sees("Số trên phải lớn hơn số dưới. Xin xem lại số đo.")
	p.Fill("d_systolic", "190")
	typed("d_diastolic", "100")
	p.Press("Lưu vào sổ")
	p.Sees("Huyết áp rất cao", "gọi 115")
	p.Shot("book-danger")
}

// Who writes a drug for somebody whom nobody asked is reminded to ask; when it was
// asked and there is none, nothing is said; an allergy that stands counts more than a "none".
func TestNobodyAsked(t *testing.T) {
	f, _, url := furnished(t)
	f.circles = everything
	p := browsertest.Open(t, url, 360, 800)
	signIn(p)
	const book = "#/suc-khoe/con000000000000"
	prescribe := func() {
		t.Helper()
		p.Visit(book + "/ghi/visit")
		p.Fill("d_drug", "Paracetamol 250 mg")
		p.Until(`(() => { document.querySelector("[name=d_drug]").dispatchEvent(new Event("input", { bubbles: true })); return true })()`)
	}
	prescribe()
	p.Sees("Chưa ai hỏi người này về dị ứng. Xin hỏi trước khi cho thuốc.")
	p.Shot("book-not-asked")
	entry := func(name string, fields map[string]any) {
		f.mu.Lock()
		f.put("health_entries", name, fields)
		f.mu.Unlock()
		p.Visit("#/tai-khoan")
		p.Press("Đồng bộ ngay")
		p.Visit(book)
	}
	entry("e00000000000011", map[string]any{"person": "con000000000000", "kind": "no_allergy", "code": "716186003", "occurred_on": "2026-11-23", "source": "told", "op": "add", "root": "e00000000000011"})
	p.Sees("Không dị ứng. Đã hỏi ngày 23/11/2026.")
	prescribe()
	p.Until(`document.querySelector('form .warning').hidden`)
	entry("e00000000000012", map[string]any{"person": "con000000000000", "kind": "allergy", "code": "Tôm", "occurred_on": "2026-11-20", "source": "told", "op": "add", "root": "e00000000000012"})
	p.Sees("Dị ứng: Tôm (ngày 23/11/2026 lại ghi là không; xin hỏi lại)")
	p.Shot("book-doubt")
	p.Visit(book + "/ghi/no_allergy")
	p.Sees("Sổ đang ghi dị ứng «Tôm»")
}
