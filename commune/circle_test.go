package commune_test

import (
	"slices"
	"strings"
	"testing"

	"langso/commune"
)

// fields is a record made of texts; several values stand apart by spaces.
type fields map[string]string

func (f fields) GetString(name string) string        { return f[name] }
func (f fields) GetBool(name string) bool            { return f[name] == "true" }
func (f fields) GetStringSlice(name string) []string { return strings.Fields(f[name]) }

func TestCirclesOfARecord(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules commune.Circles
		of    fields
		want  []commune.Circle
	}{
		{"everybody", commune.Circles{commune.Everyone()}, nil, []commune.Circle{"commune"}},
		{"its person", commune.Circles{commune.Person("person")}, fields{"person": "p1"}, []commune.Circle{"person:p1"}},
		{"nobody yet", commune.Circles{commune.Person("person")}, fields{}, nil},
		{"the record itself", commune.Circles{commune.Household("id")}, fields{"id": "h1"}, []commune.Circle{"household:h1"}},
		{"several", commune.Circles{commune.In("village", "villages")}, fields{"villages": "v2 v1"}, []commune.Circle{"village:v1", "village:v2"}},
		{"each once, sorted", commune.Circles{commune.Stall("b"), commune.Duty("onestop"), commune.Stall("a")}, fields{"a": "s1", "b": "s1"},
			[]commune.Circle{"duty:onestop", "stall:s1"}},
		{"as it says", commune.Circles{commune.Stated("circle")}, fields{"circle": "guardian:p9"}, []commune.Circle{"guardian:p9"}},
		{"says nothing", commune.Circles{commune.Stated("circle")}, fields{}, nil},
		{"goods for adults", commune.Circles{commune.One(commune.Market).Unless("adult"), commune.One(commune.Market18).When("adult")},
			fields{"adult": "true"}, []commune.Circle{"market18"}},
		{"goods for all", commune.Circles{commune.One(commune.Market).Unless("adult"), commune.One(commune.Market18).When("adult")},
			fields{"adult": "false"}, []commune.Circle{"market"}},
		{"one village", commune.Circles{commune.Village("village").When("village"), commune.Everyone().Unless("village")},
			fields{"village": "v1"}, []commune.Circle{"village:v1"}},
		{"the whole commune", commune.Circles{commune.Village("village").When("village"), commune.Everyone().Unless("village")},
			fields{}, []commune.Circle{"commune"}},
	} {
		if got := c.rules.Of(c.of); !slices.Equal(got, c.want) {
			t.Errorf("%s: circles %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCirclesUseFields(t *testing.T) {
	rules := commune.Circles{commune.Person("id"), commune.Village("village").When("shown"), commune.Stall("stall").Unless("shy"), commune.Village("village")}
	want := []string{"shown", "shy", "stall", "village"}
	if got := rules.Uses(); !slices.Equal(got, want) {
		t.Errorf("uses %v, want %v", got, want)
	}
}

// Two circles are one only if kind and name are: else one household would read
// another's records.
func FuzzCircleKeysNeverCollide(f *testing.F) {
	f.Add("person", "p1", "person", "p2")
	f.Add("village", "-health:v1", "village-health", "v1")
	f.Add("duty", "a:b", "duty", "a")
	f.Add("a", ":b", "a", "b")
	f.Fuzz(func(t *testing.T, kind1, name1, kind2, name2 string) {
		if strings.Contains(kind1, ":") || strings.Contains(kind2, ":") {
			t.Skip("a kind is a word")
		}
		a, b := commune.Named(kind1, name1), commune.Named(kind2, name2)
		if (a == b) != (kind1 == kind2 && name1 == name2) {
			t.Errorf("%q %q and %q %q collide", kind1, name1, kind2, name2)
		}
		if a.Kind() != kind1 || a.Name() != name1 {
			t.Errorf("%q reads back as %q and %q", a, a.Kind(), a.Name())
		}
		if name1 != "" && (a == commune.Commune || a == commune.Market || a == commune.Market18) {
			t.Errorf("%q is a circle that is one of a kind", a)
		}
	})
}

func TestOwnerOfARecord(t *testing.T) {
	for _, c := range []struct {
		name, owner string
		of          fields
		want        string
	}{
		{"the person's own record", "", fields{"id": "person000000001"}, "person000000001"},
		{"an entry", "person", fields{"id": "e1", "person": "person000000001"}, "person000000001"},
		{"a notice to a person", "circle", fields{"circle": "person:person000000001"}, "person000000001"},
		{"a notice to who cares for a person", "circle", fields{"circle": "guardian:person000000001"}, "person000000001"},
		{"a notice to a village", "circle", fields{"circle": "village:v1"}, ""},
		{"a notice to all", "circle", fields{"circle": "commune"}, ""},
		{"nobody", "person", fields{"id": "e1"}, ""},
	} {
		if got := (commune.Collection{Owner: c.owner}).OwnerOf(c.of); got != c.want {
			t.Errorf("%s: owner %q, want %q", c.name, got, c.want)
		}
	}
}
