package demo

import (
	"encoding/json"
	"fmt"
	"time"

	"langso/commune"
	"langso/commune/market"
	"langso/load"
)

// good is what orders must know of a product.
type good struct {
	stall    int
	ware     *ware
	sort     string
	name     string
	grade    string
	price    int
	stock    float64
	hidden   bool
	external string
}

func stallExternal(s int) string { return numbered("G", s+1) }

// specialty is what a stall lives on.
func specialty(stall int) *shop { return &shops[[]int{0, 0, 1, 0, 2, 3, 0, 4, 5, 0, 6, 1}[stall%12]] }

func (w *world) good(i int) good {
	d := w.dice(diceGood, i)
	stall := i / productsOfStall
	shop := specialty(stall)
	// The first seven are the stall's own kind, the others what the house has besides.
	kind := shop.wares[i%productsOfStall%len(shop.wares)]
	if i%productsOfStall >= 7 {
		kind = besides[d.IntN(len(besides))]
	}
	g := good{stall: stall, ware: wares[kind], external: numbered("SP", i+1)}
	g.sort = d.one(g.ware.sorts)
	factor := 100
	if len(g.ware.grades) > 0 {
		n := d.IntN(len(g.ware.grades))
		g.grade, factor = g.ware.grades[n], []int{160, 110, 85, 60}[n]
	}
	g.name = g.sort
	if g.grade != "" {
		g.name += map[string]string{"VIP": " loại VIP", "1": " loại 1", "2": " loại 2", "xô": " hàng xô"}[g.grade]
	}
	if i%productsOfStall >= len(shop.wares) || d.in100(40) {
		g.name += " " + d.one(g.ware.packs)
	}
	g.price = d.between(g.ware.least, g.ware.most) * factor / 100 / 500 * 500
	g.stock = float64(d.between(3, 240))
	if g.ware.unit == "kg" && d.in100(30) {
		g.stock += 0.5
	}
	if d.in100(8) {
		g.stock = 0
	}
	g.hidden = d.in100(3)
	if i == 0 { // what the cast orders
		g.sort, g.name, g.grade, g.price, g.stock, g.hidden = "Vải u hồng", "Vải u hồng loại 1", "1", 45000, 120, false
	}
	return g
}

func (w *world) putStalls(row put) {
	for s := range stallCount {
		d := w.dice(diceStall, s)
		f, owner := w.owner(s)
		word := w.marketWords(f, owner, d)
		name := d.say(d.one(specialty(s).names), word)
		if s == 0 {
			name = "Vải sớm nhà Bích"
		}
		if !row(cell("external", stallExternal(s)), cell("name", name), cell("owner", f.person(owner)), cell("village", villages[f.village].external),
			cell("story", d.some(stories, d.between(2, 4), word)),
			cell("pickup", d.say(d.one(pickups), word)), cell("closed", s > 0 && d.in100(4))) {
			return
		}
	}
}

// owner is a stall's owner: a member of a family. The first stall is Bích's.
func (w *world) owner(stall int) (f *family, member int) {
	if stall == 0 {
		return w.family(w.first[bich.village] + bich.nth), bich.member
	}
	f = w.family(stall * w.Households / stallCount)
	return f, f.adults(w.Today)[0]
}

func (w *world) putProducts(row put) {
	for i, g := range w.products {
		d := w.dice(diceWords, i)
		f, owner := w.owner(g.stall)
		word := w.marketWords(f, owner, d)
		about := g.ware
		description := d.say(d.one(about.grown), word) + " " + d.say(d.one(about.tastes), word) + " " + d.say(d.one(keeping), word)
		if len([]rune(description)) < 170 {
			description += " " + d.say(d.one(buying), word)
		}
		if !row(cell("external", g.external), cell("stall", stallExternal(g.stall)), cell("name", g.name), cell("description", description),
			cell("category", about.category), cell("grade", g.grade), cell("unit", about.unit), cell("price", g.price),
			cell("stock", g.stock), cell("adult", about.category == "ruou"), cell("hidden", g.hidden)) {
			return
		}
	}
}

// marketWords gives what a text of the market may name.
func (w *world) marketWords(f *family, who int, d dice) func(string) string {
	return func(what string) string {
		switch what {
		case "chủ":
			return f.members[who].last()
		case "thôn":
			return villages[f.village].name
		case "xóm":
			return d.one(lanes)
		case "ngày":
			return dayMonth(w.Today.AddDate(0, 0, -d.between(0, 40)))
		case "mai":
			return dayMonth(w.Today.AddDate(0, 0, d.between(1, 12)))
		}
		return what
	}
}

// putOrders tells what each family bought in the last 400 days, oldest first.
func (w *world) putOrders(row put) {
	w.families(func(f *family) bool {
		d := w.dice(diceOrder, f.n)
		adults := f.adults(w.Today)
		for i := range ordersOfFamily {
			external := fmt.Sprintf("%s-D%02d", f.external(), i+1)
			// Evenly over 400 days, the last ones still under way.
			at := w.Today.Add(-time.Duration((ordersOfFamily-i)*10*24)*time.Hour + time.Duration(d.between(5*60, 20*60))*time.Minute +
				time.Duration(d.between(0, 9)*24)*time.Hour)
			lines, total, stall := w.basket(d)
			state, why := orderState(d, int(w.Today.Sub(at).Hours()/24))
			raw, _ := json.Marshal(lines) // plain lines always marshal
			note := ""
			if d.in100(45) {
				note = d.say(d.one(orderNotes), w.marketWords(f, 0, d))
			}
			if !row(cell("external", external), cell("buyer", f.person(adults[d.IntN(len(adults))])), cell("stall", stallExternal(stall)),
				cell("code", market.PaymentCode(load.ID("orders", external), 0)), cell("lines", json.RawMessage(raw)), cell("total", total),
				cell("state", state), cell("why", why), cell("note", note), cell("placed_at", commune.Moment(at))) {
				return false
			}
		}
		return true
	})
}

// basket fills one to three lines at one stall. Wine is left to those who buy
// it in person.
func (w *world) basket(d dice) (lines []market.Line, total, stall int) {
	stall = d.IntN(stallCount)
	goods := w.products[stall*productsOfStall : (stall+1)*productsOfStall]
	first := d.IntN(len(goods))
	for n, want := 0, d.weighted(0, 55, 30, 15); n < len(goods) && len(lines) < want; n++ {
		g := goods[(first+n)%len(goods)]
		if g.ware.category == "ruou" {
			continue
		}
		quantity := d.between(1, 6)
		if g.ware.unit == "kg" {
			quantity = d.between(1, 20)
		}
		price := g.price * d.between(88, 112) / 100 / 500 * 500
		lines = append(lines, market.Line{Product: g.external, Name: g.name, Unit: g.ware.unit, Price: int64(price), Quantity: float64(quantity)})
		total += price * quantity
	}
	if len(lines) == 0 { // a stall of nothing but wine
		return w.basket(d)
	}
	return lines, total, stall
}

func orderState(d dice, daysAgo int) (state, why string) {
	if daysAgo < 3 {
		return []string{"confirmed", "packed", "delivered"}[d.weighted(60, 25, 15)], ""
	}
	switch d.weighted(86, 8, 6) {
	case 1:
		return "cancelled", d.say(d.one(cancelWhy), nil)
	case 2:
		return "rejected", d.say(d.one(rejectWhy), nil)
	}
	return "delivered", ""
}
