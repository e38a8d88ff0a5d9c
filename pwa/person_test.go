package pwa_test

import (
	"maps"
	"slices"
	"testing"

	"langso/browsertest"
)

// TestAnOfficerCorrectsABirthDate: with the papers in hand and no network. A reason
// is asked for; only what was corrected is sent, and the reason beside it. Who has no
// duty sees what was corrected and why, and no form.
func TestAnOfficerCorrectsABirthDate(t *testing.T) {
	f, _, url := furnished(t)
	p := browsertest.Open(t, url, 360, 800)
	signIn(p)
	const who = "#/nguoi-dan/sau000000000000"
	p.Visit(who)
	p.Sees("09/02/1951", "02/09/1951 → 09/02/1951", "Vì: giấy khai sinh số 12", "Đỗ Thị Mai")
	p.Until(`![...document.querySelectorAll('main a, main button')].length`)
	p.Shot("corrected-seen")
	p.Visit(who + "/sua")
	p.Sees("do cán bộ một cửa làm")

	f.mu.Lock()
	f.circles = everything
	f.mu.Unlock()
	p.Visit("#/tai-khoan")
	p.Press("Đồng bộ ngay")
	p.Visit(who)
	p.Press("Sửa thông tin")
	p.Sees("Vì sao sửa")
	p.Fill("why", "sổ hộ khẩu cũ")
	p.Press("Lưu")
	p.Sees("Chưa sửa ô nào.")
	p.Fill("born", "30 tháng 2")
	p.Press("Lưu")
	p.Sees("Ngày sinh chưa đúng")
	p.Fill("born", "1/1/1950")
	p.Fill("why", " ")
	p.Press("Lưu")
	p.Sees("Xin ghi «Vì sao sửa»")
	p.Shot("correct")
	f.unplug(true)
	p.Fill("why", "sổ hộ khẩu cũ")
	p.Press("Lưu")
	p.Sees("01/01/1950", "chờ gửi")
	f.unplug(false)
	p.Visit("#/tai-khoan")
	p.Sees("Thông tin người dân: Nguyễn Thị Sáu")
	p.Press("Đồng bộ ngay")
	p.Sees("Không còn việc nào chờ gửi")
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.heard[len(f.heard)-1]; e.Coll != "persons" || e.Change["born"] != "1950-01-01" || e.Change["why"] != "sổ hộ khẩu cũ" || len(e.Change) != 2 {
		t.Errorf("the server heard %+v with %v", e, slices.Sorted(maps.Keys(e.Change)))
	}
}
