package pwa_test

import (
	"testing"

	"langso/browsertest"
)

// A villager buys two things of one stall with one order, as on a paper order
// form; what is sold in whole pieces, or is not there, is said before it is sent.
func TestSeveralGoodsInOneOrder(t *testing.T) {
	f, _, url := furnished(t)
	f.put("products", "h000000000000y1", map[string]any{"stall": "s00000000000001", "name": "Mật ong", "unit": "chai", "category": "mat_ong", "price": 180000, "stock": 3})
	p := browsertest.Open(t, url, 360, 800)
	signIn(p)
	p.Visit("#/cho/hang/h0000000000000a")
	p.Fill("quantity", "2,5")
	p.Press("Mua thêm món khác")
	p.Sees("1 món, thành tiền: 112.500 đ")
	p.Fill("q_h000000000000y1", "1,5")
	p.Press("Đặt hàng")
	p.Sees("Mật ong bán theo chai, xin ghi số nguyên")
	p.Fill("q_h000000000000y1", "4")
	p.Press("Đặt hàng")
	p.Sees("Mật ong còn 3 chai. Xin đặt ít hơn")
	p.Fill("q_h000000000000y1", "1")
	p.Until(`(() => { document.querySelector('[name=q_h000000000000y1]').closest('.stepper').lastChild.click(); return true })()`)
	p.Sees("2 món, thành tiền: 472.500 đ")
	p.Shot("sheet-two")
	p.Press("Đặt hàng")
	browsertest.Await(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, e := range f.heard {
			lines, _ := e.Args["lines"].([]any)
			if e.Do != "market.order" || len(lines) != 2 {
				continue
			}
			one, two := lines[0].(map[string]any), lines[1].(map[string]any)
			return one["product"] == "h0000000000000a" && one["quantity"] == 2.5 && two["quantity"] == 2.0 && two["price"] == 180000.0
		}
		return false
	})
	p.Sees("Tổng cộng")
}
