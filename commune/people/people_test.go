package people_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"langso/commune"
	"langso/commune/communetest"
	"langso/commune/people"
)

// hamlet is one village with the household of Lan, her son Nam (12) and her
// mother Sen.
func hamlet(t *testing.T) *communetest.Commune {
	c := communetest.New(t, people.Domain)
	c.Put("stations", "tram", map[string]any{"name": "Trạm Phúc Hòa"})
	c.Put("villages", "phuc", map[string]any{"name": "Thôn Phúc", "station": communetest.ID("tram")})
	c.Put("households", "ho", map[string]any{"name": "Nguyễn Thị Lan", "village": communetest.ID("phuc")})
	for id, born := range map[string]string{"lan": "1984-05-21", "nam": "2014-09-02", "sen": "1950"} {
		c.Put("persons", id, map[string]any{"name": "Người " + id, "born": born, "household": communetest.ID("ho"), "identity_level": 2})
	}
	return c
}

func TestFold(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"Nguyễn Thị Đào", "nguyen thi dao"},
		{"NGUYỄN THỊ ĐÀO", "nguyen thi dao"},
		{"Nguyễn Thị Đào", "nguyen thi dao"}, // decomposed (NFD)
		{"  Lê   Văn\tƯớc ", "le van uoc"},
		{"Ỷ Ỵ ỹ ợ ặ ẫ ị", "y y y o a a i"},
		{"", ""},
	} {
		if got := people.Fold(c.name); got != c.want {
			t.Errorf("fold of %q is %q, want %q", c.name, got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"0912345678", "+84912345678"},
		{"0912 345 678", "+84912345678"},
		{"(+84) 912.345-678", "+84912345678"},
		{"84912345678", "+84912345678"},
		{"+840912345678", "+84912345678"},
		{"02043856789", "+842043856789"},
		{"0842345678", "+84842345678"}, // 084 is a network's prefix
		{"", ""}, {"0", ""}, {"091234567", ""}, {"09123456789", ""}, {"0112345678", ""},
		{"+44912345678", ""}, {"912345678", ""}, {"09123４5678", ""}, {"0912345678x", ""}, {"++84912345678", ""},
	} {
		got, ok := people.Number(c.typed)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("number %q is %q %v, want %q", c.typed, got, ok, c.want)
		}
		if again, _ := people.Number(got); again != got {
			t.Errorf("number %q read again is %q", got, again)
		}
	}
}

func TestPersons(t *testing.T) {
	c := hamlet(t)
	officer := communetest.As("mai", "duty:onestop")
	for _, k := range []struct {
		name   string
		fields map[string]any
		want   string
	}{
		{"officer writes a villager", map[string]any{"name": " Vũ  Văn Đức ", "born": "1990-02-28", "phone_number": "0912 345 678"}, ""},
		{"a year is enough", map[string]any{"name": "Cụ Tý", "born": "1931"}, ""},
		{"nothing known", map[string]any{"name": "Cụ Tý"}, ""},
		{"no name", map[string]any{"name": "  "}, "name_missing"},
		{"a bell in the name", map[string]any{"name": "Vũ\x07Đức"}, "bad_name"},
		{"30 February", map[string]any{"name": "Vũ Đức", "born": "1990-02-30"}, "bad_date"},
		{"born tomorrow", map[string]any{"name": "Vũ Đức", "born": "2026-11-25"}, "bad_date"},
		{"born next year", map[string]any{"name": "Vũ Đức", "born": "2027"}, "bad_date"},
		{"born in words", map[string]any{"name": "Vũ Đức", "born": "năm Tý"}, "bad_date"},
		{"born before everybody", map[string]any{"name": "Vũ Đức", "born": "1600"}, "bad_date"},
		{"a number too short", map[string]any{"name": "Vũ Đức", "phone_number": "0912"}, "bad_number"},
		{"level 9", map[string]any{"name": "Vũ Đức", "identity_level": 9}, "bad_level"},
	} {
		k.fields["household"], k.fields["why"] = communetest.ID("ho"), "xem căn cước" // the same villager over and over
		communetest.Judged(t, k.name, c.Write(officer, "persons", "duc", k.fields), k.want)
	}
	duc := c.Get("persons", "duc")
	for field, want := range map[string]string{"search": "cu ty", "status": "active", "phone_number": "+84912345678", "village": communetest.ID("phuc"), "station": communetest.ID("tram")} {
		if got := duc.GetString(field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	communetest.Refused(t, "officer deletes a villager", c.Delete(officer, "persons", "duc"), "keep_person")
}

func TestGuardiansAndDuties(t *testing.T) {
	c := hamlet(t)
	lan, nam, phuc := communetest.ID("lan"), communetest.ID("nam"), communetest.ID("phuc")
	for i, k := range []struct {
		name, collection string
		fields           map[string]any
		want             string
	}{
		{"a mother", "guardians", map[string]any{"person": nam, "guardian": lan, "kind": "parent"}, ""},
		{"of oneself", "guardians", map[string]any{"person": nam, "guardian": nam, "kind": "parent"}, "same_person"},
		{"without a reason", "guardians", map[string]any{"person": nam, "guardian": lan}, "kind_missing"},
		{"until a day that is none", "guardians", map[string]any{"person": nam, "guardian": lan, "kind": "guardian", "to": "2026-13-01"}, "bad_date"},
		{"ends before it begins", "guardians", map[string]any{"person": nam, "guardian": lan, "kind": "guardian", "from": "2026-11-24", "to": "2026-11-20"}, "days_upside_down"},
		{"a village's health worker", "duties", map[string]any{"person": lan, "role": "village_health", "place": phuc}, ""},
		{"of nowhere", "duties", map[string]any{"person": lan, "role": "village_health"}, "place_missing"},
		{"of a place that is none", "duties", map[string]any{"person": lan, "role": "station", "place": phuc}, "place_unknown"},
		{"no role", "duties", map[string]any{"person": lan}, "place_missing"},
		{"a one-stop officer", "duties", map[string]any{"person": lan, "role": "onestop", "from": "2026-11-01", "to": "2026-11-30"}, ""},
	} {
		communetest.Judged(t, k.name, c.Write(commune.Author{Admin: "root"}, k.collection, string(rune('a'+i)), k.fields), k.want)
	}
}

func TestStanding(t *testing.T) {
	c := hamlet(t)
	lan, nam, sen := communetest.ID("lan"), communetest.ID("nam"), communetest.ID("sen")
	tram, phuc := communetest.ID("tram"), communetest.ID("phuc")
	c.Put("guardians", "g1", map[string]any{"person": nam, "guardian": lan, "kind": "parent"})
	c.Put("guardians", "g2", map[string]any{"person": sen, "guardian": lan, "kind": "granted", "from": "2026-11-24", "to": "2026-11-25"})
	c.Put("duties", "d1", map[string]any{"person": lan, "role": "village_health", "place": phuc, "to": "2026-11-24"})
	c.Put("duties", "d2", map[string]any{"person": lan, "role": "station", "place": tram, "from": "2026-11-25"})
	c.Put("duties", "d3", map[string]any{"person": lan, "role": "broadcast", "from": "2027-01-01"})

	home := []string{"commune", "household:" + communetest.ID("ho"), "market"}
	with := func(more ...string) []string {
		all := append(slices.Clone(home), more...)
		slices.Sort(all)
		return all
	}
	for _, k := range []struct {
		name, person, now string
		want              []string
	}{
		{"the last minute before the grant", "lan", "2026-11-23T23:59:59+07:00",
			with("person:"+lan, "village:"+phuc, "market18", "guardian:"+nam, "village-health:"+phuc)},
		{"its first moment", "lan", "2026-11-24T00:00:00+07:00",
			with("person:"+lan, "village:"+phuc, "market18", "guardian:"+nam, "guardian:"+sen, "village-health:"+phuc)},
		{"the next day at the station", "lan", "2026-11-25T00:00:00+07:00",
			with("person:"+lan, "village:"+phuc, "market18", "guardian:"+nam, "guardian:"+sen, "station:"+tram)},
		{"the grant is over", "lan", "2026-11-26T00:00:00+07:00",
			with("person:"+lan, "village:"+phuc, "market18", "guardian:"+nam, "station:"+tram)},
		{"the last moment before Nam is 18", "lan", "2032-09-01T23:59:59+07:00",
			with("person:"+lan, "village:"+phuc, "market18", "guardian:"+nam, "station:"+tram, "duty:broadcast")},
		{"Nam is 18", "lan", "2032-09-02T00:00:00+07:00",
			with("person:"+lan, "village:"+phuc, "market18", "station:"+tram, "duty:broadcast")},
		{"Nam at 17", "nam", "2032-09-01T23:59:59+07:00", with("person:"+nam, "village:"+phuc)},
		{"Nam at 18", "nam", "2032-09-02T00:00:00+07:00", with("person:"+nam, "village:"+phuc, "market18")},
		{"a year alone, 1968", "sen", "1968-12-31T23:59:59+07:00", with("person:"+sen, "village:"+phuc)},
		{"a year alone, 1969", "sen", "1969-01-01T00:00:00+07:00", with("person:"+sen, "village:"+phuc, "market18")},
		{"a stranger", "nobody", "2026-11-24T00:00:00+07:00", nil},
	} {
		now, err := time.Parse(time.RFC3339, k.now)
		if err != nil {
			t.Fatal(err)
		}
		c.Now = now
		if got := c.Standing(k.person); !slices.Equal(got, k.want) {
			t.Errorf("%s: stands in\n%v, want\n%v", k.name, got, k.want)
		}
	}
}

func TestStandingOfWhoIsNotHere(t *testing.T) {
	c := hamlet(t)
	lan := communetest.ID("lan")
	c.Put("duties", "d1", map[string]any{"person": lan, "role": "onestop"})
	c.Put("persons", "lan", map[string]any{"status": "moved"})
	if got := c.Standing("lan"); !slices.Equal(got, []string{"person:" + lan}) {
		t.Errorf("who has moved stands in %v", got)
	}
	c.Put("persons", "lan", map[string]any{"status": "dead"})
	if got := c.Standing("lan"); len(got) != 0 {
		t.Errorf("who is dead stands in %v", got)
	}
	c.Put("persons", "sen", map[string]any{"identity_level": 1})
	if got := c.Standing("sen"); slices.Contains(got, "market18") {
		t.Errorf("an unchecked birth date opens market18: %v", got)
	}
}

// What the SQL console may leave behind must not give a standing for ever.
func TestStandingFailsClosed(t *testing.T) {
	c := hamlet(t)
	lan, nam := communetest.ID("lan"), communetest.ID("nam")
	c.Put("guardians", "g1", map[string]any{"person": nam, "guardian": lan, "kind": "guardian"})
	c.Put("duties", "d1", map[string]any{"person": lan, "role": "onestop"})
	for _, sql := range []string{
		`UPDATE guardians SET "to" = 'hết năm'`, `UPDATE duties SET "from" = '24/11/2026' WHERE role = 'onestop'`,
	} {
		if _, err := c.App.DB().NewQuery(sql).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	for _, circle := range c.Standing("lan") {
		if strings.HasPrefix(circle, "guardian:") || strings.HasPrefix(circle, "duty:") || strings.HasPrefix(circle, "stall:") {
			t.Errorf("stands in %s by days that cannot be read", circle)
		}
	}
}

func TestGrant(t *testing.T) {
	c := hamlet(t)
	lan, sen := communetest.As("lan"), communetest.As("sen")
	c.Put("persons", "lan", map[string]any{"phone_number": "0912345678"})
	care := "guardian:" + communetest.ID("sen")

	told, err := c.Do(sen, "people.grant", map[string]any{"number": "0912 345 678"})
	communetest.Judged(t, "Sen lets Lan care for her", err, "")
	if !slices.Contains(c.Standing("lan"), care) {
		t.Fatalf("Lan stands in %v, want %s", c.Standing("lan"), care)
	}
	again, err := c.Do(sen, "people.grant", map[string]any{"guardian": communetest.ID("lan"), "to": "2026-12-31"})
	communetest.Judged(t, "Sen asks again", err, "")
	if told["id"] != again["id"] {
		t.Errorf("asking twice made two records: %v %v", told, again)
	}
	for _, k := range []struct {
		name string
		args map[string]any
		want string
	}{
		{"herself", map[string]any{"guardian": communetest.ID("sen")}, "same_person"},
		{"nobody", map[string]any{"guardian": communetest.ID("x")}, "not_found"},
		{"a number of nobody", map[string]any{"number": "0988888888"}, "not_found"},
		{"a number that is none", map[string]any{"number": "115"}, "bad_number"},
		{"until yesterday", map[string]any{"guardian": communetest.ID("lan"), "to": "2026-11-23"}, "bad_date"},
		{"of another shape", map[string]any{"guardian": 7}, "bad_args"},
	} {
		_, err := c.Do(sen, "people.grant", k.args)
		communetest.Refused(t, k.name, err, k.want)
	}
	c.Put("persons", "nam", map[string]any{"phone_number": "0912345678"})
	_, err = c.Do(sen, "people.grant", map[string]any{"number": "0912345678"})
	communetest.Refused(t, "a shared number", err, "several_persons")

	_, err = c.Do(lan, "people.revoke_grant", told)
	communetest.Refused(t, "Lan revokes what is Sen's", err, "not_found")
	_, err = c.Do(sen, "people.revoke_grant", told)
	communetest.Judged(t, "Sen takes it back", err, "")
	if slices.Contains(c.Standing("lan"), care) {
		t.Errorf("Lan still cares for Sen: %v", c.Standing("lan"))
	}
	_, err = c.Do(sen, "people.revoke_grant", told)
	communetest.Judged(t, "Sen takes it back twice", err, "")

	c.Put("guardians", "g9", map[string]any{"person": communetest.ID("nam"), "guardian": communetest.ID("lan"), "kind": "parent"})
	_, err = c.Do(communetest.As("nam"), "people.revoke_grant", map[string]any{"id": communetest.ID("g9")})
	communetest.Refused(t, "a child dismisses the mother", err, "by_officer_only")
}

// TestACorrectionKeepsItsReason: who somebody is changes with a reason that stays,
// and the person is told; what was missing is filled in without one.
func TestACorrectionKeepsItsReason(t *testing.T) {
	c := hamlet(t)
	officer := communetest.As("sen", "duty:onestop")
	write := func(who commune.Author, fields map[string]any) error { return c.Write(who, "persons", "lan", fields) }
	list := func() (all []people.Correction) {
		t.Helper()
		if err := c.Get("persons", "lan").UnmarshalJSONField("corrections", &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	communetest.Judged(t, "without a reason", write(officer, map[string]any{"born": "1984-05-12"}), "why_missing")
	communetest.Judged(t, "blanks are no reason", write(officer, map[string]any{"name": "Lan", "why": "  "}), "why_missing")
	communetest.Judged(t, "what was missing", write(officer, map[string]any{"sex": "nữ"}), "")
	communetest.Judged(t, "what is not who she is", write(officer, map[string]any{"phone_number": "0912345678"}), "")
	communetest.Judged(t, "a reason for nothing", write(officer, map[string]any{"phone_number": "0912345679", "why": "đổi số"}), "")
	if len(list()) != 0 || len(c.Notices) != 0 {
		t.Fatalf("corrections %+v, notices %+v, though nothing was corrected", list(), c.Notices)
	}

	communetest.Judged(t, "with the papers", write(officer, map[string]any{"born": "1984-05-12", "name": "Nguyễn Thị Lan", "why": " giấy khai sinh số 12 "}), "")
	communetest.Judged(t, "the dashboard empties the list", write(commune.Author{Admin: "root"}, map[string]any{"corrections": []any{}}), "")
	communetest.Judged(t, "and corrects, too", write(commune.Author{Admin: "root"}, map[string]any{"sex": "nam"}), "")
	all := list()
	if len(all) != 2 {
		t.Fatalf("corrections %+v, want two", all)
	}
	if k := all[0]; k.By != communetest.ID("sen") || k.Who != "Người sen" || k.Why != "giấy khai sinh số 12" || k.Was["born"] != "1984-05-21" || k.Now["born"] != "1984-05-12" ||
		k.Was["name"] != "Người lan" || k.Now["name"] != "Nguyễn Thị Lan" || len(k.Was) != 2 || k.At == "" {
		t.Errorf("the first is %+v", k)
	}
	if k := all[1]; k.By != "" || k.Was["sex"] != "nữ" || k.Now["sex"] != "nam" {
		t.Errorf("the second is %+v", k)
	}
	if why := c.Get("persons", "lan").GetString("why"); why != "" {
		t.Errorf("the next correction would bear the reason %q", why)
	}
	if len(c.Notices) != 1 || c.Notices[0].To != commune.Named("person", communetest.ID("lan")) || strings.Contains(c.Notices[0].Body, "1984") {
		t.Errorf("notices %+v, want one to Lan without a value", c.Notices)
	}
	communetest.Judged(t, "a child's", c.Write(officer, "persons", "nam", map[string]any{"born": "2014-02-09", "why": "giấy chứng sinh"}), "")
	if len(c.Notices) != 3 || c.Notices[2].To != commune.Named("guardian", communetest.ID("nam")) {
		t.Errorf("notices %+v, want those who care for the child told as well", c.Notices)
	}
}

// TestNoCorrectionIsForgotten: a reason that was given is not pushed out by later
// ones; there is an end to them instead.
func TestNoCorrectionIsForgotten(t *testing.T) {
	c := hamlet(t)
	officer := communetest.As("sen", "duty:onestop")
	for i := range 201 {
		want := ""
		if i == 200 {
			want = "too_many_corrections"
		}
		communetest.Judged(t, "the next", c.Write(officer, "persons", "lan", map[string]any{"name": fmt.Sprintf("Lan %d", i), "why": fmt.Sprintf("giấy %d", i)}), want)
	}
	var all []people.Correction
	if err := c.Get("persons", "lan").UnmarshalJSONField("corrections", &all); err != nil || len(all) != 200 || all[0].Why != "giấy 0" {
		t.Errorf("%d corrections are kept, the first %+v (%v)", len(all), all[0], err)
	}
}
