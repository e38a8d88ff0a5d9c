package demo_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/health"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/demo"
	"langso/load"
)

var domains = []commune.Domain{people.Domain, health.Domain, publicservice.Domain, market.Domain, broadcast.Domain}

var today = time.Date(2026, 11, 24, 9, 0, 0, 0, commune.Zone)

// small is a commune that loads in a second or two.
var small = demo.Options{Seed: 1, Households: 130, Today: today}

func newApp(tb testing.TB) core.App { return apptest.New(tb) }

func count(t *testing.T, app core.App, sql string) (n int) {
	t.Helper()
	if err := app.DB().NewQuery("SELECT count(*) FROM " + sql).Row(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// loaded is the small commune in a database; every row of it obeyed the domains.
func loaded(t *testing.T) core.App {
	t.Helper()
	app := newApp(t)
	var out strings.Builder
	if err := demo.Load(context.Background(), app, domains, small, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return app
}

func TestTheCommuneObeysTheDomainsAndHangsTogether(t *testing.T) {
	app := loaded(t)
	for _, c := range []struct {
		what, sql string
		least     int
		most      int
	}{
		{"stalls", "stalls", 200, 200},
		{"products", "products", 2000, 2000},
		{"announcements", "announcements", 300, 300},
		{"health entries", "health_entries", 130 * 60, 130 * 60},
		{"dossiers", "dossiers", 130 * 10, 130 * 10},
		{"orders", "orders", 130 * 40, 130 * 40},
		{"persons without a station", "persons WHERE station = ''", 0, 0},
		{"wine that children may see", "products WHERE category = 'ruou' AND adult = 0", 0, 0},
		{"children with a telephone of their own", "persons WHERE born > '2012' AND phone_number != ''", 0, 0},
		{"numbers that may be somebody's", "persons WHERE phone_number != '' AND phone_number NOT LIKE '+8453%'", 0, 0},
		{"children nobody cares for", "persons p WHERE born > '2008-12' AND NOT EXISTS (SELECT 1 FROM guardians g WHERE g.person = p.id)", 0, 0},
		{"entries before birth", "health_entries h JOIN persons p ON p.id = h.person WHERE h.occurred_on < p.born", 0, 0},
		{"entries of days to come", "health_entries WHERE occurred_on >= '2026-11-24'", 0, 0},
		{"orders for another stall's goods", "orders o, json_each(o.lines) l JOIN products p ON p.id = l.value ->> 'product' WHERE p.stall != o.stall", 0, 0},
		{"lines without their goods", "orders o, json_each(o.lines) l WHERE NOT EXISTS (SELECT 1 FROM products p WHERE p.id = l.value ->> 'product')", 0, 0},
		{"accepted dossiers without a number", "dossiers WHERE status IN (2,4,5,6,8,9,10) AND code = '' AND NOT status = 5", 0, 0},
		{"numbers of today, which the counter will give", "dossiers WHERE code LIKE '%-261124-%'", 0, 0},
		{"dossiers under way without their steps", "dossiers d WHERE status IN (2,4,5,6,7) AND NOT EXISTS (SELECT 1 FROM dossier_events e WHERE e.dossier = d.id AND e.\"to\" = d.status)", 0, 0},
		{"village health workers", "duties WHERE role = 'village_health'", 26, 26},
		{"station staff", "duties WHERE role = 'station'", 4, 4},
		{"one-stop officers", "duties WHERE role = 'onestop'", 3, 3},
		{"sellers", "duties WHERE role = 'seller'", 200, 200},
		{"clerks", "duties WHERE role = 'clerk'", 60, 190},
	} {
		if n := count(t, app, c.sql); n < c.least || n > c.most {
			t.Errorf("%s: %d, want %d to %d", c.what, n, c.least, c.most)
		}
	}
}

func TestTotalsOfOrdersAreThoseOfTheirLines(t *testing.T) {
	for row, err := range demo.Source(small).Rows("orders") {
		if err != nil {
			t.Fatal(err)
		}
		total, sum := 0, 0.0
		for _, c := range row.Cells {
			switch c.Name {
			case "total":
				total = c.Value.(int)
			case "lines":
				var lines []market.Line
				if err := json.Unmarshal(c.Value.(json.RawMessage), &lines); err != nil {
					t.Fatal(err)
				}
				for _, l := range lines {
					sum += float64(l.Price) * l.Quantity
				}
			}
		}
		if float64(total) != sum || total == 0 {
			t.Fatalf("order of line %d: total %d, lines %v", row.Line, total, sum)
		}
	}
}

// TestNoDossierTakesANumberOfToday: the counter gives those, from 1 on.
func TestNoDossierTakesANumberOfToday(t *testing.T) {
	for day := range 7 {
		o := small
		o.Today = time.Date(2026, 12, 7+day, 0, 0, 0, 0, commune.Zone)
		for row := range demo.Source(o).Rows("dossiers") {
			for _, c := range row.Cells {
				if text, _ := c.Value.(string); c.Name == "code" && strings.Contains(text, o.Today.Format("-060102-")) {
					t.Fatalf("%s: number %s", o.Today.Weekday(), text)
				}
				if text, _ := c.Value.(string); c.Name == "submitted_at" && text >= commune.Moment(o.Today) {
					t.Fatalf("%s: submitted %s", o.Today.Weekday(), text)
				}
			}
		}
	}
}

// TestFullSize counts what the commune of the usual size holds, for more than
// one seed.
func TestFullSize(t *testing.T) {
	for _, seed := range []int64{1, 2, 3} {
		src := demo.Source(demo.Options{Seed: seed, Today: today})
		households, active := 0, 0
		for range src.Rows("households") {
			households++
		}
		for row := range src.Rows("persons") {
			if row.Cells[len(row.Cells)-1].Value == "active" {
				active++
			}
		}
		if households < 2500 || active < 9000 {
			t.Errorf("seed %d: %d households, %d villagers", seed, households, active)
		}
	}
}

// mark is a hash over all rows of a source.
func mark(t *testing.T, o demo.Options) string {
	t.Helper()
	dir := t.TempDir()
	if err := demo.Write(dir, demo.Source(o)); err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for _, name := range load.Collections() {
		raw, err := os.ReadFile(filepath.Join(dir, name+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		h.Write(raw)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func TestTheSameOptionsGiveTheSameBytes(t *testing.T) {
	first := mark(t, small)
	later, other, tomorrow := small, small, small
	later.Today = today.Add(7 * time.Hour) // the same day
	other.Seed = 2
	tomorrow.Today = today.AddDate(0, 0, 1)
	if mark(t, small) != first || mark(t, later) != first {
		t.Error("the same options gave other bytes")
	}
	if mark(t, other) == first || mark(t, tomorrow) == first {
		t.Error("another seed or day gave the same bytes")
	}
}

func TestFilesLoadToWhatTheSourceLoadsTo(t *testing.T) {
	direct := loaded(t)
	dir := t.TempDir()
	if err := demo.Write(dir, demo.Source(small)); err != nil {
		t.Fatal(err)
	}
	src, err := load.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	app := newApp(t)
	report, err := load.Run(context.Background(), app, domains, src, nil)
	if err != nil || report.Total().Bad != 0 {
		t.Fatalf("%v %+v", err, report.Errors)
	}
	for _, name := range load.Collections() {
		if a, b := content(t, direct, name), content(t, app, name); a != b {
			t.Errorf("%s differs between files and source", name)
		}
	}
}

// content is a hash over a table, but for when it was written.
func content(t *testing.T, app core.App, table string) string {
	t.Helper()
	var rows []dbx.NullStringMap
	if err := app.DB().Select().From(table).OrderBy("id").All(&rows); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		delete(r, "created")
		delete(r, "updated")
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %x", len(rows), sha256.Sum256(raw))
}

func TestTheCastIsThereAndHasItsStories(t *testing.T) {
	app := loaded(t)
	cast := demo.Cast(small)
	who := map[string]string{}
	for _, c := range cast {
		who[c.Name] = c.Person
		r, err := app.FindRecordById("persons", c.Person)
		if err != nil {
			t.Errorf("%s is not there: %v", c.Name, err)
			continue
		}
		if r.GetString("name") != c.Name || r.GetString("phone_number") != "+84"+c.Number[1:] || c.Why == "" {
			t.Errorf("%+v is stored as %s %s", c, r.GetString("name"), r.GetString("phone_number"))
		}
		if n := count(t, app, "persons WHERE phone_number = '"+r.GetString("phone_number")+"'"); n != 1 {
			t.Errorf("%s shares the number with %d", c.Name, n-1)
		}
	}
	for _, c := range []struct {
		what, sql string
		least     int
	}{
		{"Lan's children", "guardians WHERE kind = 'parent' AND guardian = '" + who["Nguyễn Thị Lan"] + "'", 2},
		{"the baby's second PENTA", "health_entries h JOIN persons p ON p.id = h.person WHERE p.name = 'Nguyễn Minh Khôi' AND h.code = 'PENTA' AND h.data LIKE '%\"dose\":2%'", 1},
		{"Tư's grant", "guardians WHERE kind = 'granted' AND person = '" + who["Giáp Văn Tư"] + "' AND guardian = '" + who["Giáp Thu Trang"] + "'", 1},
		{"Tư's high readings", "health_entries WHERE code = 'bp' AND person = '" + who["Giáp Văn Tư"] + "' AND json_extract(data, '$.systolic') >= 135", 5},
		{"Hoa's duty", "duties WHERE role = 'village_health' AND person = '" + who["Thân Thị Hoa"] + "'", 1},
		{"Đức's duty", "duties WHERE role = 'station' AND person = '" + who["Trần Minh Đức"] + "'", 1},
		{"Mai's duty", "duties WHERE role = 'onestop' AND person = '" + who["Đỗ Thị Mai"] + "'", 1},
		{"Bích's stall", "stalls WHERE name = 'Vải sớm nhà Bích' AND closed = 0 AND owner = '" + who["Vi Thị Bích"] + "'", 1},
		{"Vinh's duty", "duties WHERE role = 'leader' AND person = '" + who["Lương Quang Vinh"] + "'", 1},
		{"Thúy's duty", "duties WHERE role = 'broadcast' AND person = '" + who["Hoàng Thị Thúy"] + "'", 1},
		{"Khoa's grown-up right to buy", "persons WHERE id = '" + who["Vũ Đình Khoa"] + "' AND identity_level >= 2", 1},
	} {
		if n := count(t, app, c.sql); n < c.least {
			t.Errorf("%s: %d, want at least %d", c.what, n, c.least)
		}
	}
	if n := count(t, app, "health_entries h JOIN persons p ON p.id = h.person WHERE p.name = 'Nguyễn Minh Khôi' AND h.code = 'PENTA' AND h.data LIKE '%\"dose\":3%'"); n != 0 {
		t.Error("the baby's third PENTA is given; it should be due")
	}
}

func TestWhoseDatabaseItIs(t *testing.T) {
	ctx := context.Background()
	app := newApp(t)
	holds := func(want demo.Holding) {
		t.Helper()
		if got, err := demo.Holds(app); got != want || err != nil {
			t.Errorf("holds %s %v, want %s", got, err, want)
		}
	}
	holds(demo.Empty)

	// Broken off after the first collections, it is the demo's and is finished
	// with the options it began with.
	broken, stop := context.WithCancel(ctx)
	err := demo.Load(broken, app, domains, small, stopper(stop))
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("broken off: %v", err)
	}
	holds(demo.Demo)
	if n := count(t, app, "orders"); n != 0 {
		t.Fatalf("broken off after %d orders", n)
	}
	if err := demo.Load(ctx, app, domains, demo.Options{Seed: 9, Today: today}, nil); err != nil {
		t.Fatal(err)
	}
	if n := count(t, app, "orders"); n != 130*40 {
		t.Errorf("finished with %d orders", n)
	}
	if o, err := demo.LoadedOptions(app); err != nil || o.Seed != small.Seed || o.Households != small.Households {
		t.Errorf("options %+v %v", o, err)
	}

	// What people did to the demo stays when the server starts again.
	r, err := app.FindRecordById("persons", demo.Cast(small)[0].Person)
	if err != nil {
		t.Fatal(err)
	}
	r.Set("name", "Nguyễn Thị Lan Hương")
	if err := app.Save(r); err != nil {
		t.Fatal(err)
	}
	if err := demo.Load(ctx, app, domains, small, nil); err != nil {
		t.Fatal(err)
	}
	if n := count(t, app, "persons WHERE name = 'Nguyễn Thị Lan Hương'"); n != 1 {
		t.Error("the second start took an edit back")
	}

	// Somebody's own village is not touched.
	app = newApp(t)
	col, err := app.FindCollectionByNameOrId("villages")
	if err != nil {
		t.Fatal(err)
	}
	own := core.NewRecord(col)
	own.Set("name", "Thôn thật")
	if err := app.Save(own); err != nil {
		t.Fatal(err)
	}
	holds(demo.Other)
	if err := demo.Load(ctx, app, domains, small, nil); !errors.Is(err, demo.ErrOther) {
		t.Errorf("loading over somebody's data: %v", err)
	}
	if n := count(t, app, "villages"); n != 1 {
		t.Errorf("%d villages", n)
	}
}

// stopper stops the load when it tells of the first finished collection.
type stopper func()

func (s stopper) Write(p []byte) (int, error) { s(); return len(p), nil }
