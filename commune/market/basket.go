package market

import (
	"unicode/utf8"

	"langso/commune"
)

// basket is an order weighed against the stall's goods of this moment.
type basket struct {
	lines    []Line
	total    int64
	why      string // why it cannot be; empty when it can
	products []product
	wanted   []int64 // thousandths, of products
}

func (b *basket) state() string {
	if b.why != "" {
		return rejected
	}
	return confirmed
}

// reject keeps the first reason.
func (b *basket) reject(why string) {
	if b.why == "" {
		b.why = shorten(why, 300)
	}
}

// weigh looks at every line. It refuses what is malformed or not the buyer's
// to ask, and rejects what the stall cannot give.
func weigh(c *commune.Call, ask orderArgs) (*basket, error) {
	if err := ask.checkForm(); err != nil {
		return nil, err
	}
	stall, err := c.App.FindRecordById("stalls", ask.Stall)
	if err != nil {
		return nil, commune.Refuse("not_found", "Không tìm thấy gian hàng này.")
	}
	b := &basket{}
	if stall.GetBool("closed") {
		b.reject("Gian hàng đang nghỉ bán.")
	}
	for _, l := range ask.Lines {
		if err := b.add(c, ask.Stall, l); err != nil {
			return nil, err
		}
	}
	if b.total > maxTotal {
		return nil, commune.Refuse("amount_too_large", "Tổng tiền lớn quá, xin chia thành nhiều đơn.")
	}
	return b, nil
}

// add weighs one line against its product.
func (b *basket) add(c *commune.Call, stall string, l Line) error {
	want, _ := thousandths(l.Quantity)
	amount, ok := lineAmount(l.Price, want)
	if !ok {
		return commune.Refuse("amount_too_large", "Tổng tiền lớn quá, xin chia thành nhiều đơn.")
	}
	r, err := c.App.FindRecordById("products", l.Product)
	if err != nil {
		// The seller took it away after the buyer saw it.
		l.Name, l.Unit = shorten(l.Name, 120), shorten(l.Unit, 10)
		b.lines, b.total = append(b.lines, l), b.total+amount
		b.reject("Mặt hàng này không còn bán.")
		return nil
	}
	p := product{r}
	switch {
	case p.adult() && !c.Author.Stands(commune.Market18):
		return commune.Refuse("age_required", "Hàng này chỉ bán cho người từ 18 tuổi. Nếu xã ghi sai ngày sinh, bác hỏi bàn một cửa giúp ạ.")
	case p.stall() != stall:
		return commune.Refuse("wrong_stall", "Mặt hàng không thuộc gian hàng này. Xin mở lại gian hàng rồi đặt lại.")
	case want%1000 != 0 && !byWeight(p.unit()):
		return commune.Refuse("bad_quantity", "Hàng bán theo %s, số lượng phải là số nguyên.", unitWord(p.unit()))
	}
	l.Name, l.Unit = p.name(), p.unit()
	b.lines, b.total = append(b.lines, l), b.total+amount
	b.products, b.wanted = append(b.products, p), append(b.wanted, want)
	switch price := int64(p.price()); {
	case p.hidden():
		b.reject(p.name() + " tạm ngừng bán.")
	case price != l.Price:
		b.reject("Giá " + p.name() + " đã đổi từ " + dong(l.Price) + " thành " + dong(price) + " đồng.")
	case p.left() < want:
		b.reject("Chỉ còn " + plain(p.stock()) + " " + unitWord(p.unit()) + " " + p.name() + ", không đủ " + plain(l.Quantity) + ".")
	}
	return nil
}

// take takes the goods of a basket that can be: all lines or none.
func (b *basket) take(c *commune.Call) error {
	if b.why != "" {
		return nil
	}
	for i, p := range b.products {
		p.setLeft(p.left() - b.wanted[i])
		if err := c.Save(p.Record); err != nil {
			return err
		}
	}
	return nil
}

// shorten cuts a text to so many characters, the last being an ellipsis.
func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
