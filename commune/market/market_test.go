package market_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"langso/commune"
	"langso/commune/communetest"
	"langso/commune/market"
)

var (
	lan    = communetest.As("lan", commune.Market18)
	nam    = communetest.As("nam") // a minor
	seller = communetest.As("ba", commune.Named("stall", communetest.ID("stall")))
	lost   = communetest.As("ba") // whose duty has ended
)

// stall is a commune with a stall that has lychee by the kilogram, honey by
// the bottle, rice wine for adults and a hidden product; and another stall.
func stall(t *testing.T) *communetest.Commune {
	c := communetest.New(t, market.Domain)
	c.Put("villages", "phuc", map[string]any{"name": "Thôn Phúc"})
	c.Put("households", "ho", map[string]any{"name": "Lan", "village": communetest.ID("phuc")})
	for _, id := range []string{"lan", "nam", "ba"} {
		c.Put("persons", id, map[string]any{"name": id, "household": communetest.ID("ho")})
	}
	for _, id := range []string{"stall", "other"} {
		c.Put("stalls", id, map[string]any{"name": "Vườn " + id, "owner": communetest.ID("ba")})
	}
	goods := func(id, at, unit string, price, stock float64, more map[string]any) {
		f := map[string]any{"stall": communetest.ID(at), "name": id, "unit": unit, "price": price, "stock": stock, "category": "khac"}
		maps.Copy(f, more)
		c.Put("products", id, f)
	}
	goods("lychee", "stall", "kg", 45000, 3, nil)
	goods("honey", "stall", "chai", 120000, 10, nil)
	goods("wine", "stall", "lit", 60000, 20, map[string]any{"adult": true, "category": "ruou"})
	goods("secret", "stall", "kg", 1000, 9, map[string]any{"hidden": true})
	goods("guava", "other", "kg", 20000, 50, nil)
	return c
}

func line(product string, quantity float64, price int64) map[string]any {
	return map[string]any{"product": communetest.ID(product), "quantity": quantity, "price": price}
}

func order(id string, lines ...map[string]any) map[string]any {
	return map[string]any{"id": communetest.ID(id), "stall": communetest.ID("stall"), "lines": lines, "note": "chiều lấy"}
}

func stock(c *communetest.Commune, product string) float64 {
	return c.Get("products", product).GetFloat("stock")
}

func TestOrders(t *testing.T) {
	for _, k := range []struct {
		name  string
		who   commune.Author
		args  map[string]any
		want  string // verdict
		state string
		why   string // part of it
		left  float64
	}{
		{"Lan", lan, order("o", line("lychee", 2, 45000)), "", "confirmed", "", 1},
		{"two and a half kilos", lan, order("o", line("lychee", 2.5, 45000)), "", "confirmed", "", 0.5},
		{"the last of it", lan, order("o", line("lychee", 3, 45000)), "", "confirmed", "", 0},
		{"a gram too much", lan, order("o", line("lychee", 3.001, 45000)), "", "rejected", "Chỉ còn 3 kg lychee, không đủ 3,001.", 3},
		{"all lines or none", lan, order("o", line("lychee", 1, 45000), line("honey", 11, 120000)), "", "rejected", "Chỉ còn 10 chai honey", 3},
		{"the price has risen", lan, order("o", line("lychee", 1, 40000)), "", "rejected", "đã đổi từ 40.000 thành 45.000 đồng", 3},
		{"the price has fallen", lan, order("o", line("lychee", 1, 50000)), "", "rejected", "đã đổi", 3},
		{"what was taken away", lan, order("o", line("gone", 1, 1)), "", "rejected", "không còn bán", 3},
		{"what is hidden", lan, order("o", line("secret", 1, 1000)), "", "rejected", "tạm ngừng", 3},
		{"wine, by an adult", lan, order("o", line("wine", 0.5, 60000)), "", "confirmed", "", 3},
		{"wine, by a minor", nam, order("o", line("wine", 1, 60000)), "age_required", "", "", 3},
		{"half a bottle", lan, order("o", line("honey", 0.5, 120000)), "bad_quantity", "", "", 3},
		{"nothing", lan, order("o", line("lychee", 0, 45000)), "bad_quantity", "", "", 3},
		{"less than nothing", lan, order("o", line("lychee", -1, 45000)), "bad_quantity", "", "", 3},
		{"less than a gram", lan, order("o", line("lychee", 0.0004, 45000)), "bad_quantity", "", "", 3},
		{"finer than a gram", lan, order("o", line("lychee", 1.0005, 45000)), "bad_quantity", "", "", 3},
		{"a million and one", lan, order("o", line("lychee", 1e6+1, 45000)), "bad_quantity", "", "", 3},
		{"at a price below zero", lan, order("o", line("lychee", 1, -45000)), "bad_price", "", "", 3},
		{"at the highest price, a million of it", lan, order("o", line("lychee", 1e6, 1e10)), "amount_too_large", "", "", 3},
		{"the same on two lines", lan, order("o", line("lychee", 1, 45000), line("lychee", 1, 45000)), "bad_lines", "", "", 3},
		{"no line", lan, order("o"), "bad_lines", "", "", 3},
		{"another stall's goods", lan, order("o", line("guava", 1, 20000)), "wrong_stall", "", "", 3},
		{"who is not signed in to the market", commune.Author{Person: communetest.ID("lan")}, order("o", line("lychee", 1, 45000)), "not_yours", "", "", 3},
		{"an id that is none", lan, merge(order("o", line("lychee", 1, 45000)), "id", "O-1"), "bad_id", "", "", 3},
		{"a stall that is none", lan, merge(order("o", line("lychee", 1, 45000)), "stall", "x"), "not_found", "", "", 3},
		{"a long note", lan, merge(order("o", line("lychee", 1, 45000)), "note", strings.Repeat("ạ", 501)), "too_long", "", "", 3},
		{"lines in words", lan, merge(order("o"), "lines", "vải"), "bad_args", "", "", 3},
	} {
		c := stall(t)
		told, err := c.Do(k.who, "market.order", k.args)
		communetest.Judged(t, k.name, err, k.want)
		if got := stock(c, "lychee"); got != k.left {
			t.Errorf("%s: %g kg left, want %g", k.name, got, k.left)
		}
		if k.want != "" {
			continue
		}
		if why, _ := told["why"].(string); told["state"] != k.state || !strings.Contains(why, k.why) || k.why == "" && why != "" {
			t.Errorf("%s: told %v", k.name, told)
		}
		if code, _ := told["code"].(string); code != market.PaymentCode(communetest.ID("o"), 0) || c.Get("orders", "o").GetString("code") != code {
			t.Errorf("%s: code %v", k.name, told["code"])
		}
	}
}

func merge(m map[string]any, key string, v any) map[string]any {
	out := maps.Clone(m)
	out[key] = v
	return out
}

func TestADecisionIsForEver(t *testing.T) {
	c := stall(t)
	yes, no := order("yes", line("lychee", 2, 45000)), order("no", line("lychee", 2, 45000))
	first, err := c.Do(lan, "market.order", yes)
	communetest.Judged(t, "Lan", err, "")
	second, err := c.Do(nam, "market.order", no)
	communetest.Judged(t, "Nam, for the last kilo", err, "")
	if first["state"] != "confirmed" || first["total"] != int64(90000) || second["state"] != "rejected" || second["why"] != "Chỉ còn 1 kg lychee, không đủ 2." {
		t.Fatalf("told %v and %v", first, second)
	}
	c.Put("products", "lychee", map[string]any{"stock": 100, "price": 50000})
	notices := len(c.Notices)
	for range 2 {
		again, err := c.Do(nam, "market.order", no)
		if err != nil || !maps.Equal(again, second) {
			t.Errorf("Nam again: %v, %v", again, err)
		}
		again, err = c.Do(lan, "market.order", yes)
		if err != nil || !maps.Equal(again, first) {
			t.Errorf("Lan again: %v, %v", again, err)
		}
	}
	if stock(c, "lychee") != 100 || len(c.Notices) != notices {
		t.Errorf("asking again took goods (%g left) or told somebody (%d notices)", stock(c, "lychee"), len(c.Notices)-notices)
	}
	_, err = c.Do(lan, "market.order", order("yes", line("lychee", 1, 50000)))
	communetest.Refused(t, "the id with other lines", err, "exists")
	_, err = c.Do(nam, "market.order", yes)
	communetest.Refused(t, "the id of another buyer", err, "exists")
}

func TestClosedStall(t *testing.T) {
	c := stall(t)
	c.Put("stalls", "stall", map[string]any{"closed": true})
	told, err := c.Do(lan, "market.order", order("o", line("lychee", 1, 45000)))
	if err != nil || told["state"] != "rejected" || told["why"] != "Gian hàng đang nghỉ bán." {
		t.Errorf("told %v, %v", told, err)
	}
}

// From each state to each state: s the stall may, b the buyer too.
func TestSteps(t *testing.T) {
	states := []string{"confirmed", "rejected", "packed", "delivered", "cancelled"}
	allowed := map[string]string{"confirmed→packed": "s", "confirmed→delivered": "s", "packed→delivered": "s", "confirmed→cancelled": "sb", "packed→cancelled": "s"}
	c := stall(t)
	for i, from := range states {
		for j, to := range append(states, "eaten") {
			for who, author := range map[string]commune.Author{"s": seller, "b": lan} {
				id := who + string(rune('a'+i)) + string(rune('a'+j))
				c.Put("products", "lychee", map[string]any{"stock": 2})
				c.Put("orders", id, map[string]any{"buyer": communetest.ID("lan"), "stall": communetest.ID("stall"), "state": from,
					"lines": []market.Line{{Product: communetest.ID("lychee"), Quantity: 1.5}, {Product: communetest.ID("gone"), Quantity: 1}}})
				name := who + " " + from + "→" + to
				want, left := "", 2.0
				switch may, edge := allowed[from+"→"+to]; {
				case from == to:
				case !edge:
					want = "wrong_step"
				case !strings.Contains(may, who):
					want = "not_yours"
				case to == "cancelled":
					left = 3.5
				}
				args := map[string]any{"order": communetest.ID(id), "to": to, "why": "mưa"}
				_, err := c.Do(communetest.As("nam"), "market.step", args)
				communetest.Refused(t, "a stranger "+name, err, "not_found")
				for range 2 { // once more changes nothing
					_, err := c.Do(author, "market.step", args)
					communetest.Judged(t, name, err, want)
				}
				if got := stock(c, "lychee"); got != left {
					t.Errorf("%s: stock %g, want %g", name, got, left)
				}
				if got := c.Get("orders", id).GetString("state"); want == "" && got != to || want != "" && got != from {
					t.Errorf("%s: state %s", name, got)
				}
			}
		}
	}
}

func TestSales(t *testing.T) {
	sale := func(over ...any) map[string]any {
		m := map[string]any{"id": communetest.ID("s"), "stall": communetest.ID("stall"), "product": communetest.ID("lychee"),
			"quantity": 2, "amount": 90000, "tender": "cash", "at": "2026-11-23T02:00:00Z"}
		for i := 0; i < len(over); i += 2 {
			m[over[i].(string)] = over[i+1]
		}
		return m
	}
	for _, k := range []struct {
		name  string
		who   commune.Author
		args  map[string]any
		want  string
		left  float64
		short float64
		at    string
	}{
		{"two kilos", seller, sale(), "", 1, 0, "2026-11-23 02:00:00.000Z"},
		{"more than there was", seller, sale("quantity", 4.5), "", 0, 1.5, "2026-11-23 02:00:00.000Z"},
		{"given away", seller, sale("amount", 0), "", 1, 0, "2026-11-23 02:00:00.000Z"},
		{"in the future", seller, sale("at", "2027-01-01T00:00:00Z"), "", 1, 0, "2026-11-24 06:10:00.000Z"},
		{"some day", seller, sale("at", "sáng nay"), "", 1, 0, "2026-11-24 06:10:00.000Z"},
		{"as PocketBase writes it", seller, sale("at", "2026-11-23 02:00:00.000Z"), "", 1, 0, "2026-11-23 02:00:00.000Z"},
		{"nothing", seller, sale("quantity", 0), "bad_quantity", 3, 0, ""},
		{"for less than nothing", seller, sale("amount", -1), "amount_invalid", 3, 0, ""},
		{"for too much", seller, sale("amount", 10_000_000_001), "amount_invalid", 3, 0, ""},
		{"for a hen", seller, sale("tender", "gà"), "bad_tender", 3, 0, ""},
		{"an id that is none", seller, sale("id", "S-1"), "bad_id", 3, 0, ""},
		{"another stall's goods", seller, sale("product", communetest.ID("guava")), "wrong_stall", 3, 0, ""},
		{"goods that are gone", seller, sale("product", communetest.ID("gone")), "parked product_gone", 3, 0, ""},
		{"whose duty has ended since", lost, sale(), "parked not_on_duty", 3, 0, ""},
	} {
		c := stall(t)
		told, err := c.Do(k.who, "market.sale", k.args)
		communetest.Judged(t, k.name, err, k.want)
		if got := stock(c, "lychee"); got != k.left {
			t.Errorf("%s: %g left, want %g", k.name, got, k.left)
		}
		if k.want != "" {
			continue
		}
		s := c.Get("sales", "s")
		if told["short"] != k.short || s.GetFloat("short") != k.short || s.GetString("at") != k.at || s.GetString("seller") != communetest.ID("ba") {
			t.Errorf("%s: told %v, stored %v", k.name, told, s.FieldsData())
		}
		if n := len(c.Notices); n != map[bool]int{true: 1, false: 0}[k.short > 0] {
			t.Errorf("%s: %d notices", k.name, n)
		}
		_, err = c.Do(k.who, "market.sale", k.args)
		communetest.Judged(t, k.name+", sent again", err, "")
		if got := stock(c, "lychee"); got != k.left {
			t.Errorf("%s, sent again: %g left, want %g", k.name, got, k.left)
		}
		_, err = c.Do(k.who, "market.sale", merge(k.args, "amount", 7))
		communetest.Refused(t, k.name+", with another amount", err, "exists")
	}
}

func TestProducts(t *testing.T) {
	for _, k := range []struct {
		name   string
		fields map[string]any
		want   string
	}{
		{"as it is", map[string]any{}, ""},
		{"a dearer one", map[string]any{"price": 1e10}, ""},
		{"too dear", map[string]any{"price": 1e10 + 1}, "bad_price"},
		{"below zero", map[string]any{"price": -1}, "bad_price"},
		{"half a đồng", map[string]any{"price": 0.5}, "bad_price"},
		{"less than no stock", map[string]any{"stock": -0.001}, "bad_stock"},
		{"no name", map[string]any{"name": " "}, "name_missing"},
		{"wine for all", map[string]any{"category": "ruou"}, "adult_only"},
		{"wine for adults", map[string]any{"category": "ruou", "adult": true}, ""},
	} {
		c := stall(t)
		communetest.Judged(t, k.name, c.Write(seller, "products", "lychee", k.fields), k.want)
	}
	c := stall(t)
	c.Put("products", "lychee", map[string]any{"stock": 0.1 + 0.2})
	if got := stock(c, "lychee"); got != 0.3 {
		t.Errorf("0.1 and 0.2 are %v", got)
	}
}

func TestWhoIsTold(t *testing.T) {
	c := stall(t)
	told := func(do func() error) string {
		c.Notices = nil
		if err := do(); err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, n := range c.Notices {
			out = append(out, n.To.Kind()+" "+n.Title)
		}
		return strings.Join(out, " | ")
	}
	step := func(who commune.Author, to string) func() error {
		return func() error {
			_, err := c.Do(who, "market.step", map[string]any{"order": communetest.ID("o"), "to": to})
			return err
		}
	}
	code := market.PaymentCode(communetest.ID("o"), 0)
	for _, k := range []struct {
		name string
		do   func() error
		want string
	}{
		{"a new order", func() error {
			_, err := c.Do(lan, "market.order", order("o", line("lychee", 1, 45000)))
			return err
		}, "person Đơn hàng " + code + " đã nhận | stall Có đơn hàng mới " + code},
		{"packed", step(seller, "packed"), "person Đơn hàng " + code + " đã đóng gói"},
		{"packed again", step(seller, "packed"), ""},
		{"cancelled by the stall", step(seller, "cancelled"), "person Đơn hàng " + code + " đã hủy"},
		{"not to be had", func() error {
			_, err := c.Do(lan, "market.order", order("p", line("lychee", 9, 45000)))
			return err
		}, "person Đơn hàng " + market.PaymentCode(communetest.ID("p"), 0) + " không nhận được"},
		{"imported", func() error {
			c.Put("orders", "q", map[string]any{"buyer": communetest.ID("lan"), "stall": communetest.ID("stall"), "state": "delivered", "lines": []any{}})
			return nil
		}, ""},
		{"taken back by the buyer", func() error {
			if _, err := c.Do(lan, "market.order", order("r", line("lychee", 1, 45000))); err != nil {
				return err
			}
			c.Notices = nil
			_, err := c.Do(lan, "market.step", map[string]any{"order": communetest.ID("r"), "to": "cancelled"})
			return err
		}, "person Đơn hàng " + market.PaymentCode(communetest.ID("r"), 0) + " đã hủy | stall Người mua đã hủy đơn " + market.PaymentCode(communetest.ID("r"), 0)},
	} {
		if got := told(k.do); got != k.want {
			t.Errorf("%s tells %q, want %q", k.name, got, k.want)
		}
	}
}

// A code held by another order is passed over.
func TestPaymentCodeOfTwoOrders(t *testing.T) {
	c := stall(t)
	c.Put("orders", "held", map[string]any{"buyer": communetest.ID("nam"), "stall": communetest.ID("stall"), "state": "confirmed",
		"lines": []any{}, "code": market.PaymentCode(communetest.ID("o"), 0)})
	told, err := c.Do(lan, "market.order", order("o", line("lychee", 1, 45000)))
	if err != nil || told["code"] != market.PaymentCode(communetest.ID("o"), 1) || told["code"] == market.PaymentCode(communetest.ID("o"), 0) {
		t.Errorf("told %v, %v", told, err)
	}
}

// Whatever is ordered, cancelled and sold in whatever order, stock never goes
// below zero and nothing appears: put in = left + out − short.
func TestStockIsConserved(t *testing.T) {
	for seed := range uint64(5) {
		c, r := stall(t), rand.New(rand.NewPCG(seed, 0))
		in, out, short := 3.0, 0.0, 0.0
		for i := range 40 {
			id, q := string([]byte{'a' + byte(i%26), 'a' + byte(i/26)}), float64(1+r.IntN(3000))/1000
			switch r.IntN(4) {
			case 0: // picked
				c.Put("products", "lychee", map[string]any{"stock": stock(c, "lychee") + q})
				in += q
			case 1: // sold at the roadside
				told, err := c.Do(seller, "market.sale", map[string]any{"id": communetest.ID(id), "stall": communetest.ID("stall"),
					"product": communetest.ID("lychee"), "quantity": q, "amount": 1, "tender": "bank"})
				if err != nil {
					t.Fatal(err)
				}
				out, short = out+q, short+told["short"].(float64)
			default: // ordered, and one in two cancelled
				told, err := c.Do(lan, "market.order", order(id, line("lychee", q, 45000)))
				if err != nil {
					t.Fatal(err)
				}
				if told["state"] == "rejected" {
					break
				}
				if out += q; r.IntN(2) == 0 {
					out -= q
					if _, err := c.Do(lan, "market.step", map[string]any{"order": communetest.ID(id), "to": "cancelled"}); err != nil {
						t.Fatal(err)
					}
				}
			}
			if left := stock(c, "lychee"); left < 0 || math.Abs(left+out-short-in) > 1e-6 {
				t.Fatalf("seed %d, move %d: %g left of %g, %g out, %g short", seed, i, left, in, out, short)
			}
		}
	}
}
