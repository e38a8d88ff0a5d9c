package pwa_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"langso/browsertest"
)

func signIn(p *browsertest.Page) {
	p.T.Helper()
	p.Load("")
	p.Sees("Đăng nhập")
	p.Shot("sign-in")
	p.Fill("number", "0912345678")
	p.Press("Gửi mã")
	p.Sees("Nhập mã")
	p.Fill("code", "123456")
	p.Press("Vào")
	p.Sees("Bà con là ai")
	p.Shot("choose")
	p.Press("Nguyễn Thị Lan")
	p.Sees("Chào", "Đã đồng bộ")
}

// A villager signs in once, then works for days without a network: she writes
// in three domains, closes the app, opens it again, and meets the server later.
func TestADayWithoutNetwork(t *testing.T) {
	f, _, url := furnished(t)
	f.refuse = func(e fakeEdit) string {
		if d, _ := e.Create["data"].(map[string]any); e.Coll == "health_entries" && d["systolic"] == 80.0 {
			return "Số trên phải lớn hơn số dưới. Bác đo lại giúp ạ."
		}
		return ""
	}
	p := browsertest.Open(t, url, 360, 800)
	signIn(p)
	p.Sees("Cảnh báo mưa lớn")
	kept(p)

	f.unplug(true)
	p.Load("")
	p.Sees("Chào", "Cảnh báo mưa lớn")

	p.Visit("#/suc-khoe/lan000000000000/ghi/measurement")
	p.Fill("d_systolic", "80")
	p.Fill("d_diastolic", "120")
	p.Press("Lưu vào sổ")
	p.Sees("Huyết áp 80/120", "chờ gửi")
	p.Visit("#/ho-so/moi/p00000000000001")
	p.Fill("c_to_khai", "Cháu Trần Gia Bảo")
	p.Press("Nộp hồ sơ")
	p.Sees("chờ gửi", "tự gửi khi có mạng")
	p.Visit("#/cho/hang/h0000000000000a")
	p.Fill("quantity", "2")
	p.Press("Đặt hàng")
	p.Sees("chờ gửi", "90.000 đ")

	p.Load("#/tai-khoan")
	p.Sees("Nộp hồ sơ: Đăng ký khai sinh", "Đặt hàng: Vải thiều Phúc Hòa", "3 việc chờ gửi")
	p.Shot("offline-account")

	f.unplug(false)
	p.Press("Đồng bộ ngay")
	p.Sees("bị từ chối", "Số trên phải lớn hơn số dưới", "Không còn việc nào chờ gửi")
	p.Shot("refused")
	p.Visit("#/ho-so")
	p.Sees("H07.330.261124-0001", "Mới nộp")
	p.Visit("#/don-hang")
	p.Sees("Đã nhận đơn")

	p.Visit("#/tai-khoan")
	p.Press("Sửa và gửi lại")
	p.Fill("d_systolic", "120")
	p.Fill("d_diastolic", "80")
	p.Press("Lưu vào sổ")
	p.Sees("Huyết áp 120/80", "Đã đồng bộ")
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
	f, _, url := furnished(t)
	a := browsertest.Open(t, url, 360, 800)
	signIn(a)
	ctx, cancel := chromedp.NewContext(a.Ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(360, 800)); err != nil {
		t.Fatal(err)
	}
	b := &browsertest.Page{T: t, Ctx: ctx, URL: a.URL, Width: 360}
	b.Load("")
	b.Sees("Chào", "Đã đồng bộ")

	write := func(p *browsertest.Page, kilos string) {
		p.Visit("#/")
		p.Sees("Tin mới")
		p.Visit("#/suc-khoe/lan000000000000/ghi/measurement")
		p.Press("Cân nặng")
		p.Fill("d_value", kilos)
		p.Press("Lưu vào sổ")
		p.Sees("Cân nặng " + kilos)
	}
	f.unplug(true)
	write(a, "50")
	write(b, "51")
	write(a, "52")
	b.Sees("Cân nặng 52", "3 việc chờ gửi")
	f.unplug(false)
	write(b, "53")
	write(a, "54")
	a.Sees("Đã đồng bộ")
	b.Sees("Cân nặng 54", "Đã đồng bộ")

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
