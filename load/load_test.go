package load_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/text/unicode/norm"

	"langso/load"
)

// folder writes files and opens the folder as a source.
func folder(t *testing.T, files map[string]string) *load.Folder {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src, err := load.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// run loads files and returns the report and what was told.
func run(t *testing.T, app core.App, files map[string]string) (load.Report, string) {
	t.Helper()
	var out strings.Builder
	report, err := load.Run(context.Background(), app, domains, folder(t, files), &out)
	if err != nil {
		t.Fatal(err)
	}
	return report, out.String()
}

var small = map[string]string{
	"stations.csv":   "external,name\nTR1,Trạm Y tế Phúc Hoà\n",
	"villages.csv":   "external,name,commune_code,station\nPD,Thôn Phúc Đình,07330,TR1\nLS,Thôn Lân Thịnh,07330,TR1\n",
	"households.csv": "external,name,village\nH1,Nguyễn Thị Lan,PD\n",
	"persons.jsonl": `{"external":"P1","name":"Nguyễn Thị Lan","born":"1994-03-02","household":"H1","phone_number":"0530 000 001","identity_level":2}
{"external":"P2","name":"Nguyễn Gia Bảo","born":"2026-07-01","household":"H1"}
`,
	"guardians.csv":  "external,person,guardian,kind\nG1,P2,P1,parent\n",
	"stalls.csv":     "external,name,owner,village\nS1,Vải sớm nhà Lan,P1,PD\n",
	"products.csv":   "external,stall,name,category,unit,price,stock\nV1,S1,Vải u hồng,vai,kg,45000,12.5\n",
	"duties.csv":     "external,person,role,place\nD1,P1,seller,S1\nD2,P1,village_health,PD\n",
	"procedures.csv": "code,name,active\n1.001193,Đăng ký khai sinh,true\n",
	"health_entries.jsonl": `{"external":"E1","person":"P2","kind":"vaccination","code":"BCG","data":{"dose":1},"occurred_on":"2026-07-02","source":"paper"}
{"external":"E2","person":"P2","kind":"vaccination","code":"BCG","data":{"dose":1},"occurred_on":"2026-07-03","source":"paper","op":"amend","amends":["E1"],"reason":"ghi nhầm ngày"}
`,
	"dossiers.csv":      "external,person,procedure,status\nX1,P1,1.001193,1\n",
	"orders.jsonl":      `{"external":"O1","buyer":"P1","stall":"S1","lines":[{"product":"V1","name":"Vải u hồng","unit":"kg","price":45000,"quantity":2}],"total":90000,"state":"confirmed"}` + "\n",
	"announcements.csv": "external,title,body,village\nA1,Họp thôn,\"Mời bà con, đúng 7 giờ\",PD\n",
}

func TestEverythingIsLoadedAndPointsWhereItShould(t *testing.T) {
	app := newApp(t)
	report, out := run(t, app, small)
	if sum := report.Total(); sum.New != 17 || sum.Bad != 0 {
		t.Fatalf("total %+v\n%s", sum, out)
	}
	lan, err := app.FindFirstRecordByData("persons", "external", "P1")
	if err != nil {
		t.Fatal(err)
	}
	village, _ := app.FindFirstRecordByData("villages", "external", "PD")
	station, _ := app.FindFirstRecordByData("stations", "external", "TR1")
	stall, _ := app.FindFirstRecordByData("stalls", "external", "S1")
	product, _ := app.FindFirstRecordByData("products", "external", "V1")
	order, _ := app.FindFirstRecordByData("orders", "external", "O1")
	duty, _ := app.FindRecordById("duties", load.ID("duties", "D1"))
	first, _ := app.FindFirstRecordByData("health_entries", "external", "E1")
	amendment, _ := app.FindFirstRecordByData("health_entries", "external", "E2")
	for _, c := range []struct{ what, got, want string }{
		{"the record's id", lan.Id, load.ID("persons", "P1")},
		{"routed village", lan.GetString("village"), village.Id},
		{"routed station", lan.GetString("station"), station.Id},
		{"folded name", lan.GetString("search"), "nguyen thi lan"},
		{"number", lan.GetString("phone_number"), "+84530000001"},
		{"place of a duty", duty.GetString("place"), stall.Id},
		{"line of an order", order.GetString("lines"), `[{"name":"Vải u hồng","price":45000,"product":"` + product.Id + `","quantity":2,"unit":"kg"}]`},
		{"price", product.GetString("price"), "45000"},
		{"stock", product.GetString("stock"), "12.5"},
		{"village of an entry", first.GetString("village"), village.Id},
		{"root of an amendment", amendment.GetString("root"), first.Id},
		{"amended", amendment.GetString("amends"), `["` + first.Id + `"]`},
		{"created", lan.GetString("created")[:2], "20"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
}

func TestLoadedAgainNothingChanges(t *testing.T) {
	app := newApp(t)
	run(t, app, small)
	touch(t, app)
	report, out := run(t, app, small)
	if sum := report.Total(); sum.Same != 17 || sum.Rows() != 17 {
		t.Errorf("the same folder again: %+v\n%s", sum, out)
	}
	if n := count(t, app, "journal_touched"); n != 0 {
		t.Errorf("%d records were touched by rows that say nothing new", n)
	}
	run(t, app, map[string]string{"persons.csv": "external,name\nP1,Nguyễn Thị Lan Anh\n"})
	lan, err := app.FindRecordById("persons", load.ID("persons", "P1"))
	if err != nil {
		t.Fatal(err)
	}
	if lan.GetString("name") != "Nguyễn Thị Lan Anh" || lan.GetString("search") != "nguyen thi lan anh" || lan.GetString("born") != "1994-03-02" {
		t.Errorf("a row of one column gave %v", lan.PublicExport())
	}
	if n := count(t, app, "journal_touched"); n != 1 {
		t.Errorf("%d records touched, want the one that changed", n)
	}
}

func TestARecordMadeElsewhereIsUpdatedInPlace(t *testing.T) {
	app := newApp(t)
	col, err := app.FindCollectionByNameOrId("villages")
	if err != nil {
		t.Fatal(err)
	}
	r := core.NewRecord(col)
	r.Load(map[string]any{"id": "village00000001", "name": "Phúc Đình", "external": "PD"})
	if err := app.Save(r); err != nil {
		t.Fatal(err)
	}
	report, _ := run(t, app, map[string]string{"villages.csv": "external,name\nPD,Thôn Phúc Đình\n"})
	if sum := report.Total(); sum.Changed != 1 || sum.New != 0 {
		t.Errorf("total %+v", sum)
	}
	if r, err = app.FindRecordById("villages", "village00000001"); err != nil || r.GetString("name") != "Thôn Phúc Đình" {
		t.Errorf("record %v, %v", r, err)
	}
}

// rows wraps rows of persons into a folder with the household they need.
func rows(persons string) map[string]string {
	return map[string]string{"villages.csv": small["villages.csv"], "stations.csv": small["stations.csv"],
		"households.csv": small["households.csv"], "persons.csv": persons}
}

func TestABadRowIsToldAndStopsNothing(t *testing.T) {
	const header = "external,name,born,household,phone_number,identity_level\n"
	const good = "P1,Lan,1994,H1,,2\n"
	for _, c := range []struct{ who, row, code string }{
		{"no external id", ",Tư,1950,H1,,0\n", "no_external"},
		{"the same id twice", "P1,Tư,1950,H1,,0\n", "twice"},
		{"an unknown household", "P2,Tư,1950,H9,,0\n", "ref_missing"},
		{"no household", "P2,Tư,1950,,,0\n", "required"},
		{"no name", "P2,,1950,H1,,0\n", "required"},
		{"a name too long", "P2," + strings.Repeat("ư", 121) + ",1950,H1,,0\n", "too_long"},
		{"a day that is none", "P2,Tư,1950-02-30,H1,,0\n", "bad_date"},
		{"a bad phone number", "P2,Tư,1950,H1,12,0\n", "bad_number"},
		{"a level in words", "P2,Tư,1950,H1,,hai\n", "bad_number"},
		{"a level and a half", "P2,Tư,1950,H1,,1.5\n", "bad_number"},
		{"thousands with a dot", "P2,Tư,1950,H1,,1.000\n", "bad_number"},
		{"infinity", "P2,Tư,1950,H1,,Inf\n", "bad_number"},
		{"too few cells", "P2,Tư\n", "bad_row"},
		{"a lost quote", "P2,\"Tư,1950,H1,,0\n", "bad_row"},
		{"text behind a quote", "P2,\"Tư\"x,1950,H1,,0\n", "bad_row"},
		{"Windows letters", "P2,T\xfd,1950,H1,,0\n", "bad_utf8"},
		{"a damaged letter", "P2,T\uFFFD,1950,H1,,0\n", "bad_utf8"},
		{"a NUL", "P2,T\x00,1950,H1,,0\n", "bad_value"},
	} {
		t.Run(c.who, func(t *testing.T) {
			app := newApp(t)
			report, out := run(t, app, rows(header+good+c.row+"P3,Hoa,1980,H1,,1\n"))
			if n := count(t, app, "persons"); n != 2 {
				t.Errorf("%d persons, want the two around the bad row\n%s", n, out)
			}
			if len(report.Errors) != 1 || report.Errors[0].Code != c.code || report.Errors[0].Line != 3 || report.Errors[0].Sentence == "" {
				t.Errorf("errors %+v, want %s in line 3", report.Errors, c.code)
			}
			if !strings.Contains(out, "persons.csv:3 "+c.code+" ") {
				t.Errorf("told:\n%s", out)
			}
		})
	}
}

func TestARowThatMeetsAnothersUniqueCodeIsToldAlone(t *testing.T) {
	app := newApp(t)
	run(t, app, small)
	report, _ := run(t, app, map[string]string{"dossiers.csv": "external,person,procedure,status,code\n" +
		"X2,P1,1.001193,2,H05.PH-260101-0001\nX3,P1,1.001193,2,H05.PH-260101-0001\nX4,P1,1.001193,11,\nX5,P1,1.001193,2,H05.PH-260101-0002\n"})
	if len(report.Errors) != 2 || report.Errors[0].Code != "taken" || report.Errors[1].Code != "bad_status" || report.Total().New != 2 {
		t.Errorf("report %+v", report)
	}
}

func TestAWrongColumnIsToldAndNotDropped(t *testing.T) {
	app := newApp(t)
	for _, column := range []string{"phone", "search", "village", "id", "created"} {
		report, out := run(t, app, rows("external,name,household,"+column+"\nP1,Lan,H1,x\n"))
		if len(report.Errors) != 1 || report.Errors[0].Code != "unknown_column" {
			t.Errorf("column %s: %+v", column, report.Errors)
		}
		if !strings.Contains(out, "«"+column+"»") {
			t.Errorf("told:\n%s", out)
		}
	}
	report, _ := run(t, app, map[string]string{"villages.csv": small["villages.csv"], "household.csv": "external\nH1\n"})
	if len(report.Errors) == 0 || report.Errors[len(report.Errors)-1].Code != "unknown_file" {
		t.Errorf("a file of an unknown name: %+v", report.Errors)
	}
}

func TestEncodingsOfOneName(t *testing.T) {
	nfd := norm.NFD.String("Nguyễn Thị Hường")
	for _, c := range []struct{ who, file, text string }{
		{"plain", "persons.csv", "external,name,household\nP1,Nguyễn Thị Hường,H1\n"},
		{"BOM and CRLF", "persons.csv", "\ufeffexternal,name,household\r\nP1,Nguyễn Thị Hường,H1\r\n"},
		{"semicolons", "persons.csv", "external;name;household\nP1;Nguyễn Thị Hường;H1\n"},
		{"quotes and NFD", "persons.csv", "\"external\",\"name\",household\n\"P1\",\"" + nfd + "\",H1"},
		{"blank lines", "persons.csv", "external,name,household\n\n\r\nP1,Nguyễn Thị Hường,H1\n\n"},
		{"JSON", "persons.jsonl", `{"external":"P1","name":"Nguyễn Thị Hường","household":"H1"}`},
		{"JSON, BOM, CRLF, NFD", "persons.jsonl", "\ufeff{\"external\":\"P1\",\"name\":\"" + nfd + "\",\"household\":\"H1\"}\r\n"},
		{"JSON, escaped NFD", "persons.jsonl", `{"external":"P1","name":"Nguye\u0302\u0303n Thi\u0323 Hu\u031bo\u031b\u0300ng","household":"H1"}`},
	} {
		t.Run(c.who, func(t *testing.T) {
			app := newApp(t)
			files := rows("")
			delete(files, "persons.csv")
			files[c.file] = c.text
			_, out := run(t, app, files)
			r, err := app.FindRecordById("persons", load.ID("persons", "P1"))
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if name := r.GetString("name"); name != "Nguyễn Thị Hường" {
				t.Errorf("name %+q", name)
			}
		})
	}
}

func TestJSONRowsThatAreNone(t *testing.T) {
	for _, c := range []struct{ who, row, code string }{
		{"an array", `["P1"]`, "bad_row"},
		{"half an object", `{"external":"P1"`, "bad_row"},
		{"two objects", `{"external":"P1"} {}`, "bad_row"},
		{"a member twice", `{"external":"P1","name":"Lan","name":"Tư","household":"H1"}`, "bad_row"},
		{"a name that is a list", `{"external":"P1","name":["Lan"],"household":"H1"}`, "bad_value"},
		{"half a letter", `{"external":"P1","name":"\ud800","household":"H1"}`, "bad_utf8"},
		{"a NUL", `{"external":"P1","name":"a\u0000","household":"H1"}`, "bad_value"},
		{"more than 1 MB", `{"external":"P1","name":"` + strings.Repeat("a", 1<<20) + `"}`, "too_long"},
	} {
		t.Run(c.who, func(t *testing.T) {
			app := newApp(t)
			files := rows("")
			delete(files, "persons.csv")
			files["persons.jsonl"] = "\n" + c.row + "\n" + `{"external":"P3","name":"Hoa","household":"H1","born":1980}`
			report, out := run(t, app, files)
			if len(report.Errors) != 1 || report.Errors[0].Code != c.code || report.Errors[0].Line != 2 {
				t.Errorf("errors %+v, want %s in line 2\n%.400s", report.Errors, c.code, out)
			}
			if r, err := app.FindRecordById("persons", load.ID("persons", "P3")); err != nil || r.GetString("born") != "1980" {
				t.Errorf("the row behind it: %v %v", r, err)
			}
		})
	}
}

func TestAMistakeThatRunsThroughAFileIsToldThreeTimes(t *testing.T) {
	app := newApp(t)
	var text strings.Builder
	text.WriteString("external,name,household\n")
	for i := range 5000 {
		fmt.Fprintf(&text, "P%d,Lan,H9\n", i)
	}
	text.WriteString("P9999,,H1\n")
	report, out := run(t, app, rows(text.String()))
	if bad := report.Total().Bad; bad != 5001 || len(report.Errors) != 4 || !strings.Contains(out, "4.997") {
		t.Errorf("%d bad, %d kept\n%s", bad, len(report.Errors), out)
	}
}
