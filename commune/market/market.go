// Package market is the countryside market (chợ quê): stalls, products, orders
// and sales made at the roadside.
//
// Two kinds of operations must not be mixed. An order is a promise: the server
// decides it, may say no, and what it said once it says for ever. A sale is a
// fact: the money is in the seller's hand, so it is taken whatever the stock
// says, and what was sold too much stands in the open as "short".
package market

import "langso/commune"

// Domain declares the market.
var Domain = commune.Domain{
	Name:  "market",
	Title: "Chợ quê",
	Collections: []commune.Collection{{
		Name:         "stalls",
		Title:        "Gian hàng",
		Read:         commune.Circles{commune.One(commune.Market)},
		Snapshot:     []commune.Circle{commune.Market},
		Write:        commune.Circles{commune.Stall("id")},
		ServerFields: []string{"owner", "external"},
		Rank:         commune.Catalogue,
		Check:        checkStall,
	}, {
		Name:  "products",
		Title: "Mặt hàng",
		Read: commune.Circles{commune.One(commune.Market).Unless("adult"),
			commune.One(commune.Market18).When("adult"), commune.Stall("stall")},
		Snapshot:     []commune.Circle{commune.Market},
		Write:        commune.Circles{commune.Stall("stall")},
		Fields:       commune.Policies{"stock": commune.SumAbove(0), "price": commune.Merge},
		ServerFields: []string{"external"},
		Files:        []string{"photos"},
		Rank:         commune.Catalogue,
		Fill:         fillProduct,
		Check:        checkProduct,
	}, {
		Name:     "orders",
		Rank:     commune.Near, // a buyer's words: not packed together with the seller's own
		Title:    "Đơn hàng",
		Read:     commune.Circles{commune.Person("buyer"), commune.Stall("stall")},
		Personal: true,
		Owner:    "buyer",
		Check:    checkOrder,
		Raise:    raiseOrder,
	}, {
		Name:  "sales",
		Title: "Bán tại chỗ",
		Read:  commune.Circles{commune.Stall("stall")},
		Check: checkSale,
		Raise: raiseSale,
	}},
	Actions: []commune.Action{{
		Name:   "market.order",
		Title:  "Đặt hàng",
		Writes: []string{"orders", "products"},
		By:     "any villager; goods for adults: who stands in market18",
		Do:     order,
	}, {
		Name:   "market.step",
		Title:  "Đóng gói, giao, hủy đơn",
		Writes: []string{"orders", "products"},
		By:     "the stall; to cancel before it is packed, the buyer too",
		Do:     step,
	}, {
		Name:   "market.sale",
		Title:  "Ghi bán tại chỗ",
		Writes: []string{"sales", "products"},
		By:     "the stall",
		Do:     sell,
	}},
}
