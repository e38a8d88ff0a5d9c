package commune

import (
	"slices"
	"sort"
	"strings"
)

// Circle is a set of people who share records: "person:p1", "village:v1",
// "commune". The part before the colon is its kind, the part after its name;
// a circle without a name is one of a kind.
type Circle string

// The circles that are one of a kind.
const (
	Commune  Circle = "commune"  // everybody who is signed in
	Market   Circle = "market"   // everybody, for goods that anyone may see
	Market18 Circle = "market18" // adults by a checked birth date (Law 44/2019 on alcohol)
)

// Named makes the circle of a kind and a name.
func Named(kind, name string) Circle { return Circle(kind + ":" + name) }

// Kind returns the part before the colon.
func (c Circle) Kind() string { k, _, _ := strings.Cut(string(c), ":"); return k }

// Name returns the part after the colon.
func (c Circle) Name() string { _, n, _ := strings.Cut(string(c), ":"); return n }

// Fields reads a record's fields: what a circle rule may look at.
type Fields interface {
	GetString(field string) string
	GetBool(field string) bool
	GetStringSlice(field string) []string
}

// Rule puts a record into circles by its own fields alone.
type Rule struct {
	kind   string // "" with field: the field holds the whole circle
	field  string // "" : the one circle `kind`; "id": the record itself
	when   string // field that must be true
	unless string // field that must be false or empty
}

// Circles are rules; a record is in the circles of all of them.
type Circles []Rule

// Everyone is the circle of all who are signed in.
func Everyone() Rule { return Rule{kind: string(Commune)} }

// One is a circle that is one of its kind: One("market").
func One(c Circle) Rule { return Rule{kind: string(c)} }

// In is the circle "<kind>:<value of field>". A field that holds several ids
// gives several circles, an empty field none.
func In(kind, field string) Rule { return Rule{kind: kind, field: field} }

// Person is the circle of the one person whose id stands in field.
func Person(field string) Rule { return In("person", field) }

// Guardian is the circle of those who care for the person in field.
func Guardian(field string) Rule { return In("guardian", field) }

// Household is the circle of the household in field.
func Household(field string) Rule { return In("household", field) }

// Village is the circle of the villagers of the village in field.
func Village(field string) Rule { return In("village", field) }

// Stall is the circle of the seller and clerks of the stall in field.
func Stall(field string) Rule { return In("stall", field) }

// Station is the circle of the health station's staff on duty.
func Station(field string) Rule { return In("station", field) }

// VillageHealth is the circle of the health workers on duty in a village.
func VillageHealth(field string) Rule { return In("village-health", field) }

// VillageHead is the circle of the head of a village.
func VillageHead(field string) Rule { return In("village-head", field) }

// Duty is the circle of all officers on a duty: Duty("onestop").
func Duty(role string) Rule { return Rule{kind: "duty:" + role} }

// Stated is the circle that the field itself spells out; a list spells out several.
func Stated(field string) Rule { return Rule{field: field} }

// When narrows the rule to records whose field is true or not empty.
func (r Rule) When(field string) Rule { r.when = field; return r }

// Unless narrows the rule to records whose field is false or empty.
func (r Rule) Unless(field string) Rule { r.unless = field; return r }

func (r Rule) String() string {
	s := r.kind
	switch {
	case r.kind == "":
		s = "as " + r.field + " says"
	case r.field != "":
		s += "(" + r.field + ")"
	}
	if r.when != "" {
		s += " when " + r.when
	}
	if r.unless != "" {
		s += " unless " + r.unless
	}
	return s
}

// Of returns the circles of a record, sorted, each once.
func (cs Circles) Of(f Fields) []Circle {
	var out []Circle
	for _, r := range cs {
		if r.when != "" && !truthy(f, r.when) || r.unless != "" && truthy(f, r.unless) {
			continue
		}
		switch {
		case r.field == "":
			out = append(out, Circle(r.kind))
		case r.kind == "":
			for _, v := range f.GetStringSlice(r.field) {
				if v != "" {
					out = append(out, Circle(v))
				}
			}
		default:
			for _, v := range f.GetStringSlice(r.field) {
				if v != "" {
					out = append(out, Named(r.kind, v))
				}
			}
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return slices.Compact(out)
}

// Uses lists the fields that the rules look at, sorted.
func (cs Circles) Uses() []string {
	var out []string
	for _, r := range cs {
		for _, f := range []string{r.field, r.when, r.unless} {
			if f != "" && f != "id" {
				out = append(out, f)
			}
		}
	}
	sort.Strings(out)
	return slices.Compact(out)
}

func truthy(f Fields, field string) bool {
	s := f.GetString(field)
	return s != "" && s != "false" && s != "0"
}

func (cs Circles) String() string {
	words := make([]string, len(cs))
	for i, r := range cs {
		words[i] = r.String()
	}
	return strings.Join(words, ", ")
}
