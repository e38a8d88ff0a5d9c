package market

import (
	"langso/commune"
)

// raiseOrder tells the stall of a new order and of a buyer who cancels, and
// the buyer of every state. Orders loaded by the server are old news.
func raiseOrder(c *commune.Case) ([]commune.Notice, error) {
	if c.Deleting() || !c.Changed("state") || c.Creating() && c.Author.Server() {
		return nil, nil
	}
	p := purchase{c.New}
	buyer := commune.Notice{
		To:    commune.Named("person", p.buyer()),
		Key:   "order:" + p.Id + ":" + p.state(),
		Kind:  "order_" + p.state(),
		Title: "Đơn hàng " + p.code() + " " + stateWords[p.state()],
		Body:  p.why(),
		Link:  "#/don-hang/" + p.Id,
	}
	out := []commune.Notice{buyer}
	byBuyer := c.Author.Person == p.buyer()
	if c.Creating() && p.state() == confirmed || p.state() == cancelled && byBuyer {
		stall := buyer
		stall.To = commune.Named("stall", p.stall())
		if c.Creating() {
			stall.Class = commune.Needed
			stall.Title, stall.Body = "Có đơn hàng mới "+p.code(), dong(int64(p.total()))+" đồng"
		} else {
			stall.Title = "Người mua đã hủy đơn " + p.code()
		}
		out = append(out, stall)
	}
	return out, nil
}

// raiseSale tells the stall that more was sold than its stock said.
func raiseSale(c *commune.Case) ([]commune.Notice, error) {
	if !c.Creating() || (sale{c.New}).short() <= 0 || c.Author.Server() {
		return nil, nil
	}
	s := sale{c.New}
	name := "một mặt hàng"
	unit := ""
	if r, err := c.App.FindRecordById("products", s.product()); err == nil {
		name, unit = product{r}.name(), " "+unitWord(product{r}.unit())
	}
	return []commune.Notice{{
		To:    commune.Named("stall", s.stall()),
		Key:   "sale_short:" + s.Id,
		Kind:  "sale_short",
		Title: "Bán quá số còn: " + name,
		Body:  "Thiếu " + plain(s.short()) + unit + " so với sổ. Bác kiểm lại kho giúp ạ.",
		Link:  "#/gian-hang/" + s.stall(),
	}}, nil
}
