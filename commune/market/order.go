package market

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// The states of an order.
const (
	confirmed = "confirmed"
	rejected  = "rejected"
	packed    = "packed"
	delivered = "delivered"
	cancelled = "cancelled"
)

const maxLines = 50

// Line is one line of an order: what the buyer saw and asked for.
type Line struct {
	Product  string  `json:"product"`
	Name     string  `json:"name,omitempty"`
	Unit     string  `json:"unit,omitempty"`
	Price    int64   `json:"price"` // đồng a unit, as quoted on the phone
	Quantity float64 `json:"quantity"`
}

// purchase is a lens over a record of orders.
type purchase struct{ *core.Record }

func (p purchase) buyer() string    { return p.GetString("buyer") }
func (p purchase) stall() string    { return p.GetString("stall") }
func (p purchase) code() string     { return p.GetString("code") }
func (p purchase) total() float64   { return p.GetFloat("total") }
func (p purchase) state() string    { return p.GetString("state") }
func (p purchase) why() string      { return p.GetString("why") }
func (p purchase) bodyHash() string { return p.GetString("body_hash") }

func (p purchase) lines() ([]Line, error) {
	var lines []Line
	if err := json.Unmarshal([]byte(p.GetString("lines")), &lines); err != nil || len(lines) > maxLines {
		return nil, commune.Refuse("bad_lines", "Đơn này không đọc được. Xin đặt lại.")
	}
	return lines, nil
}

func checkOrder(c *commune.Case) error {
	if c.Deleting() {
		return nil
	}
	p := purchase{c.New}
	if p.state() == "" {
		return commune.Refuse("state_missing", "Đơn hàng phải có trạng thái.")
	}
	if !(p.total() >= 0 && p.total() <= maxTotal) {
		return commune.Refuse("amount_too_large", "Tổng tiền không hợp lệ.")
	}
	_, err := p.lines()
	return err
}

// orderArgs is what a phone sends to order.
type orderArgs struct {
	ID    string `json:"id"` // of the order, made by the phone
	Stall string `json:"stall"`
	Lines []Line `json:"lines"`
	Note  string `json:"note"`
}

// order decides an order and tells state, why, total and code. A "no" is a
// decision too: it is stored, and the same order asked again gets the same
// answer for ever. Only what is no order at all is refused.
func order(c *commune.Call) error {
	var ask orderArgs
	if err := c.Read(&ask); err != nil {
		return err
	}
	buyer := c.Author.Person
	if buyer == "" || !c.Author.Stands(commune.Market) {
		return commune.Refuse("not_yours", "Chỉ người dân trong xã đặt hàng được.")
	}
	hash, err := ask.hash(buyer)
	if err != nil {
		return err
	}
	if known, err := c.App.FindRecordById("orders", ask.ID); err == nil {
		if (purchase{known}).bodyHash() != hash {
			return commune.Refuse("exists", "Mã này đã dùng cho đơn khác. Hãy tạo đơn mới.")
		}
		tellOrder(c, purchase{known})
		return nil
	}
	b, err := weigh(c, ask)
	if err != nil {
		return err
	}
	r, err := c.New("orders", ask.ID)
	if err != nil {
		return err
	}
	code, err := freeCode(c.App, ask.ID)
	if err != nil {
		return err
	}
	r.Load(map[string]any{
		"buyer": buyer, "stall": ask.Stall, "code": code, "lines": b.lines, "total": b.total,
		"state": b.state(), "why": b.why, "note": ask.Note,
		"placed_at": commune.Moment(c.Now), "body_hash": hash,
	})
	if err := b.take(c); err != nil {
		return err
	}
	if err := c.Save(r); err != nil {
		return err
	}
	tellOrder(c, purchase{r})
	return nil
}

func tellOrder(c *commune.Call, p purchase) {
	c.Tell("state", p.state())
	c.Tell("why", p.why())
	c.Tell("total", int64(p.total()))
	c.Tell("code", p.code())
}

// hash is the mark of an order's content: the same order sent again has it. It
// only tells a buyer's own orders apart, and goes down to phones: 64 bits do.
func (o orderArgs) hash(buyer string) (string, error) {
	type line struct {
		Product  string
		Price    int64
		Quantity float64
	}
	body := struct {
		Buyer, Stall, Note string
		Lines              []line
	}{Buyer: buyer, Stall: o.Stall, Note: o.Note}
	for _, l := range o.Lines {
		body.Lines = append(body.Lines, line{l.Product, l.Price, l.Quantity})
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("hash order: %w", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8]), nil
}

// checkForm refuses what no phone of ours sends.
func (o orderArgs) checkForm() error {
	if len(o.Lines) == 0 || len(o.Lines) > maxLines {
		return commune.Refuse("bad_lines", "Đơn hàng có từ 1 đến %d dòng.", maxLines)
	}
	if utf8.RuneCountInString(o.Note) > 500 {
		return commune.Refuse("too_long", "Lời nhắn dài nhiều nhất 500 chữ.")
	}
	seen := map[string]bool{}
	for _, l := range o.Lines {
		if seen[l.Product] {
			return commune.Refuse("bad_lines", "Một mặt hàng chỉ đứng trên một dòng.")
		}
		seen[l.Product] = true
		if _, ok := thousandths(l.Quantity); !ok {
			return commune.Refuse("bad_quantity", "Số lượng chưa đúng. Xin ghi như 2 hoặc 1,5.")
		}
		if l.Price < 0 || l.Price > maxPrice {
			return commune.Refuse("bad_price", "Giá đặt không đọc được. Xin mở lại mặt hàng rồi đặt lại.")
		}
	}
	return nil
}
