package pwa_test

import (
	"testing"

	"langso/browsertest"
)

// The book says first what a person cannot bear, warns while a drug of that
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
