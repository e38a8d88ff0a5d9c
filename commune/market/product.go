package market

import (
	"math"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// product is a lens over a record of products.
type product struct{ *core.Record }

func (p product) stall() string    { return p.GetString("stall") }
func (p product) name() string     { return p.GetString("name") }
func (p product) category() string { return p.GetString("category") }
func (p product) unit() string     { return p.GetString("unit") }
func (p product) price() float64   { return p.GetFloat("price") }
func (p product) stock() float64   { return p.GetFloat("stock") }
func (p product) adult() bool      { return p.GetBool("adult") }
func (p product) hidden() bool     { return p.GetBool("hidden") }

// left is the stock in thousandths.
func (p product) left() int64 { return int64(math.Round(p.stock() * 1000)) }

func (p product) setLeft(thousandths int64) { p.Set("stock", units(thousandths)) }

// unitWords are the units as people say them.
var unitWords = map[string]string{"kg": "kg", "hop": "hộp", "chai": "chai", "lit": "lít", "qua": "quả", "bo": "bó"}

func unitWord(unit string) string {
	if w := unitWords[unit]; w != "" {
		return w
	}
	return "đơn vị"
}

// byWeight tells whether a unit can be sold in parts.
func byWeight(unit string) bool { return unit == "kg" || unit == "lit" }

func fillProduct(c *commune.Case) error {
	if !c.Deleting() {
		c.New.Set("stock", round3(product{c.New}.stock()))
	}
	return nil
}

func checkProduct(c *commune.Case) error {
	if c.Deleting() {
		return nil
	}
	p := product{c.New}
	switch {
	case strings.TrimSpace(p.name()) == "":
		return commune.Refuse("name_missing", "Xin ghi tên hàng.")
	case !(p.price() >= 0 && p.price() <= maxPrice) || p.price() != math.Trunc(p.price()):
		return commune.Refuse("bad_price", "Giá là số đồng, từ 0 đến 10 tỉ.")
	case !(p.stock() >= 0 && p.stock() <= 1000*maxQuantity):
		return commune.Refuse("bad_stock", "Số còn lại không được nhỏ hơn 0.")
	case p.category() == "ruou" && !p.adult():
		return commune.Refuse("adult_only", "Rượu chỉ bán cho người đủ 18 tuổi. Bác đánh dấu mục ấy giúp ạ.")
	}
	return nil
}
