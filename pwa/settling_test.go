package pwa_test

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"langso/browsertest"
	"langso/pwa"
	"langso/sync/wire"
)

// The seller changes two things while her clerk does the same: she sees both
// prices beside each other and what happens next, learns what was decided, puts
// the other right herself, and gives the last one up.
func TestTheMakerOfAParkedEdit(t *testing.T) {
	site, err := pwa.Load(os.DirFS("../pb_public"))
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(t, site)
	f.furnish()
	f.circles = append(f.circles, "stall:s00000000000001")
	f.park = func(e fakeEdit) *wire.Verdict {
		if e.Change["price"] == nil || e.Fixes > 0 {
			return nil
		}
		return &wire.Verdict{Is: wire.Parked, Code: "needs_person", Say: "Có hai giá trị khác nhau, cán bộ sẽ xem và chọn.", Met: map[string]wire.Met{"price": {Theirs: 40000.0}}}
	}
	srv := httptest.NewServer(f)
	defer srv.Close()
	p := browsertest.Open(t, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), 360, 800)
	signIn(p)
	price := func(product, price string) {
		p.Visit("#/gian-hang/s00000000000001/hang/" + product)
		p.Press("Đổi giá, tạm ẩn")
		p.Fill("price", price)
		p.Press("Lưu")
		p.Sees("Hàng của tôi")
	}
	price("h0000000000000a", "52.000")
	p.Visit("#/tai-khoan")
	p.Sees("Hàng trong gian: Vải thiều Phúc Hòa", "Bà con ghi", "52.000 đ", "Đang có", "40.000 đ", "có kết quả máy báo", "Sửa và gửi lại")
	p.Shot("parked")

	// Somebody decides.
	f.mu.Lock()
	f.put("settlements", "z00000000000001", map[string]any{"person": "lan000000000000", "phone": "phonea", "n": 1, "take": "theirs", "by_name": "Anh Tám", "at": "2026-11-24 04:00:00.000Z"})
	f.mu.Unlock()
	p.Press("Đồng bộ ngay")
	p.Sees("Đã có người quyết", "Anh Tám đã giữ như đang có")
	p.Until(`!document.body.innerText.includes("Sửa và gửi lại")`)
	p.Shot("decided")

	// She puts the next one right herself.
	price("h0000000000000b", "61.000")
	p.Visit("#/tai-khoan")
	p.Press("Sửa và gửi lại")
	p.Sees("Vải sớm u hồng", "Bà con ghi", "61.000 đ", "40.000 đ")
	p.Until(`document.querySelector('[name=price]').value === '61000'`)
	p.Shot("mend")
	p.Fill("price", "40000")
	p.Press("Gửi lại")
	browsertest.Await(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		last := f.heard[len(f.heard)-1]
		return last.Fixes == 2 && last.Change["price"] == 40000.0
	})

	// And gives the third one up: the server is told, and is asked once only.
	price("h0000000000000c", "70.000")
	p.Visit("#/tai-khoan")
	p.Sees("70.000 đ")
	p.Until(`(() => { const b = [...document.querySelectorAll('button')].find(e => e.innerText === 'Bỏ'); b?.click(); return Boolean(b) })()`)
	p.Sees("Bỏ việc này khỏi máy?")
	p.Until(`(() => { const b = document.querySelector('dialog button.bad'); b?.click(); return Boolean(b) })()`)
	browsertest.Await(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		last := f.heard[len(f.heard)-1]
		return last.Do == "sync.withdraw" && last.Args["n"] == 4.0
	})
	p.Until(`!document.body.innerText.includes("70.000 đ")`)
}
