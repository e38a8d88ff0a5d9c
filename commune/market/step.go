package market

import (
	"unicode/utf8"

	"langso/commune"
)

// An edge is a step that an order may take, and who may take it besides the
// stall.
type edge struct {
	from, to string
	buyer    bool
}

// A hand-over is a fact: it may come without the packing before it.
var edges = []edge{
	{from: confirmed, to: packed},
	{from: confirmed, to: delivered},
	{from: packed, to: delivered},
	{from: confirmed, to: cancelled, buyer: true},
	{from: packed, to: cancelled},
}

// stateWords are the states as people say them.
var stateWords = map[string]string{
	confirmed: "đã nhận",
	rejected:  "không nhận được",
	packed:    "đã đóng gói",
	delivered: "đã giao",
	cancelled: "đã hủy",
}

// step moves an order along one edge and tells its state. Taking a step that
// was taken already changes nothing: two clerks may both press "packed", and
// goods come back to the stock once.
func step(c *commune.Call) error {
	var ask struct {
		Order string `json:"order"`
		To    string `json:"to"`
		Why   string `json:"why"`
	}
	if err := c.Read(&ask); err != nil {
		return err
	}
	r, err := c.Find("orders", ask.Order)
	if err != nil {
		return err
	}
	p := purchase{r}
	seller := c.Author.Stands(commune.Named("stall", p.stall()))
	buyer := c.Author.Stands(commune.Named("person", p.buyer()))
	switch {
	case !seller && !buyer:
		return commune.Refuse("not_found", "Không tìm thấy mục này.")
	case utf8.RuneCountInString(ask.Why) > 300:
		return commune.Refuse("too_long", "Lý do dài nhiều nhất 300 chữ.")
	case p.state() == ask.To:
		c.Tell("state", p.state())
		return nil
	}
	e, ok := edgeOf(p.state(), ask.To)
	if !ok {
		return commune.Refuse("wrong_step", "Đơn hàng %s, không chuyển bước này được.", stateWords[p.state()])
	}
	if !seller && !e.buyer {
		return commune.Refuse("not_yours", "Bước này do người bán làm.")
	}
	if ask.To == cancelled {
		if err := giveBack(c, p); err != nil {
			return err
		}
	}
	p.Set("state", ask.To)
	p.Set("why", ask.Why)
	c.Tell("state", ask.To)
	return c.Save(p.Record)
}

func edgeOf(from, to string) (edge, bool) {
	for _, e := range edges {
		if e.from == from && e.to == to {
			return e, true
		}
	}
	return edge{}, false
}

// giveBack returns the goods of an order to their stock. A product that the
// seller has deleted has none to return to.
func giveBack(c *commune.Call, p purchase) error {
	lines, err := p.lines()
	if err != nil {
		return err
	}
	for _, l := range lines {
		r, err := c.App.FindRecordById("products", l.Product)
		if err != nil {
			continue
		}
		back, _ := thousandths(l.Quantity)
		product{r}.setLeft(product{r}.left() + back)
		if err := c.Save(r); err != nil {
			return err
		}
	}
	return nil
}
