package market

import (
	"math"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"langso/commune"
)

// sale is a lens over a record of sales.
type sale struct{ *core.Record }

func (s sale) stall() string     { return s.GetString("stall") }
func (s sale) product() string   { return s.GetString("product") }
func (s sale) quantity() float64 { return s.GetFloat("quantity") }
func (s sale) amount() float64   { return s.GetFloat("amount") }
func (s sale) tender() string    { return s.GetString("tender") }
func (s sale) short() float64    { return s.GetFloat("short") }

func checkSale(c *commune.Case) error {
	if c.Deleting() {
		return nil
	}
	s := sale{c.New}
	if _, ok := thousandths(s.quantity()); !ok {
		return commune.Refuse("bad_quantity", "Số lượng chưa đúng. Xin ghi như 2 hoặc 1,5.")
	}
	if !(s.amount() >= 0 && s.amount() <= maxPrice) || s.amount() != math.Trunc(s.amount()) {
		return commune.Refuse("amount_invalid", "Số tiền chưa đúng. Xin ghi số đồng, ví dụ 45.000.")
	}
	return nil
}

// saleArgs is what a phone sends of a sale that was made.
type saleArgs struct {
	ID       string  `json:"id"` // of the sale, made by the phone
	Stall    string  `json:"stall"`
	Product  string  `json:"product"`
	Quantity float64 `json:"quantity"`
	Amount   int64   `json:"amount"` // đồng taken
	Tender   string  `json:"tender"` // cash or bank
	At       string  `json:"at"`     // when; unreadable or not yet: when the phone says it was written
	Note     string  `json:"note"`
}

// sell writes down a sale and tells short, stock. It has happened, so the
// stock does not refuse it: what was not there is recorded as short.
func sell(c *commune.Call) error {
	var ask saleArgs
	if err := c.Read(&ask); err != nil {
		return err
	}
	if known, err := c.App.FindRecordById("sales", ask.ID); err == nil {
		return soldBefore(c, ask, sale{known})
	}
	p, sold, err := ask.check(c)
	if err != nil {
		return err
	}
	left := p.left()
	short := max(0, sold-left)
	p.setLeft(max(0, left-sold))
	if err := c.Save(p.Record); err != nil {
		return err
	}
	r, err := c.New("sales", ask.ID)
	if err != nil {
		return err
	}
	r.Load(map[string]any{
		"stall": ask.Stall, "product": ask.Product, "quantity": units(sold), "amount": ask.Amount,
		"tender": ask.Tender, "at": ask.moment(c), "seller": c.Author.Person,
		"short": units(short), "note": shorten(ask.Note, 300),
	})
	if err := c.Save(r); err != nil {
		return err
	}
	c.Tell("short", units(short))
	c.Tell("stock", p.stock())
	return nil
}

// check refuses what is no sale, and parks one whose product or right to sell
// is gone: the money was taken all the same.
func (s saleArgs) check(c *commune.Call) (product, int64, error) {
	sold, ok := thousandths(s.Quantity)
	switch {
	case !ok:
		return product{}, 0, commune.Refuse("bad_quantity", "Số lượng chưa đúng. Xin ghi như 2 hoặc 1,5.")
	case s.Amount < 0 || s.Amount > maxPrice:
		return product{}, 0, commune.Refuse("amount_invalid", "Số tiền chưa đúng. Xin ghi số đồng, ví dụ 45.000.")
	case s.Tender != "cash" && s.Tender != "bank":
		return product{}, 0, commune.Refuse("bad_tender", "Xin chọn tiền mặt hay chuyển khoản.")
	case !commune.ValidID(s.ID):
		return product{}, 0, commune.Refuse("bad_id", "Mã của mục không hợp lệ.")
	case !c.Author.Stands(commune.Named("stall", s.Stall)):
		return product{}, 0, commune.Park("not_on_duty", "Hiện bác không đứng bán ở gian hàng này. Chủ hàng hoặc cán bộ sẽ xem.")
	}
	r, err := c.App.FindRecordById("products", s.Product)
	if err != nil {
		return product{}, 0, commune.Park("product_gone", "Mặt hàng này đã bị xóa. Khoản bán được giữ lại để xem.")
	}
	if (product{r}).stall() != s.Stall {
		return product{}, 0, commune.Refuse("wrong_stall", "Mặt hàng không thuộc gian hàng này. Bác chọn lại mặt hàng giúp ạ.")
	}
	return product{r}, sold, nil
}

// moment is when it was sold, by the phone's words when they can be true.
func (s saleArgs) moment(c *commune.Call) string {
	for _, layout := range []string{time.RFC3339, types.DefaultDateLayout} {
		if t, err := time.Parse(layout, s.At); err == nil && !t.After(c.Now) && t.Year() >= 2020 {
			return commune.Moment(t)
		}
	}
	return commune.Moment(c.At)
}

// soldBefore answers a sale that was taken before.
func soldBefore(c *commune.Call, ask saleArgs, s sale) error {
	asked, _ := thousandths(ask.Quantity)
	taken, _ := thousandths(s.quantity())
	if s.stall() != ask.Stall || s.product() != ask.Product || taken != asked ||
		int64(s.amount()) != ask.Amount || s.tender() != ask.Tender {
		return commune.Refuse("exists", "Mã này đã dùng cho khoản bán khác. Bác ghi lại khoản bán giúp ạ.")
	}
	c.Tell("short", s.short())
	return nil
}
