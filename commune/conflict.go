package commune

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
)

// Policy says what becomes of a field that two people changed apart, that is:
// whose seq is above the edit's base and was written by another phone or by
// the server. Changed to the same value it is never a conflict.
type Policy struct {
	kind  string
	floor float64
}

// The policies. Sum is made by [SumAbove].
var (
	// Merge: different fields both stay; of the same field the later in server
	// order stays, and the verdict tells the phone what was there.
	Merge = Policy{}
	// AppendOnly: a record is written once. A later edit of it is refused; an
	// amendment is a record of its own that points at it.
	AppendOnly = Policy{kind: "append only"}
	// FirstWins: the value that stands is kept; the later writer is told it.
	FirstWins = Policy{kind: "first wins"}
	// Max: the greater value stays; the field only grows.
	Max = Policy{kind: "max"}
	// Min: the smaller value stays; the field only falls. What nobody has written
	// yet is not zero but free.
	Min = Policy{kind: "min"}
	// Set: of a list what one adds and another takes out apart both count. An edit
	// carries the difference, {"+":[…],"-":[…]}; one that carries a plain list
	// replaces, and apart takes nothing out.
	Set = Policy{kind: "set"}
	// Ask: nothing is written; both values wait for a person.
	Ask = Policy{kind: "ask"}
	// Steps: no edit may write it; a named action moves it.
	Steps = Policy{kind: "steps"}
)

// SumAbove: the edit carries a difference, differences add up, and one that
// would bring the field below floor is refused.
func SumAbove(floor float64) Policy { return Policy{kind: "sum", floor: floor} }

func (p Policy) String() string {
	switch p.kind {
	case "":
		return "merge"
	case "sum":
		return "sum above " + strconv.FormatFloat(p.floor, 'g', -1, 64)
	}
	return p.kind
}

// IsSum tells whether edits of the field carry differences.
func (p Policy) IsSum() bool { return p.kind == "sum" }

// IsSet tells whether edits of the field may carry what is added and taken out.
func (p Policy) IsSet() bool { return p.kind == "set" }

// IsAsk tells whether two values of the field wait for a person.
func (p Policy) IsAsk() bool { return p.kind == "ask" }

// Settled is what a policy made of one field.
type Settled struct {
	Value  any  // what is to stand; meaningful when Write
	Write  bool // Value differs from what stands
	Merged bool // another's value met this one: the verdict names the field
}

// Settle decides one field. theirs is what stands, mine what the edit brings
// (for a sum: the difference), apart whether somebody else changed the field
// since the edit's base. Values are as decoded from JSON. It is a pure
// function; an error is a [Refusal] or a [Parking].
func (p Policy) Settle(field string, theirs, mine any, apart bool) (Settled, error) {
	switch p.kind {
	case "sum":
		have, delta := number(theirs), number(mine)
		sum := have + delta
		if math.IsNaN(sum) || math.IsInf(sum, 0) {
			return Settled{}, Refuse("bad_number", "Số không đọc được, xin nhập lại.")
		}
		if sum < p.floor && delta < 0 {
			return Settled{}, Refuse("stock_short", "Chỉ còn %s, không đủ %s.", plain(have), plain(-delta))
		}
		return Settled{Value: sum, Write: delta != 0, Merged: apart}, nil
	case "max":
		if number(mine) <= number(theirs) {
			return Settled{Value: theirs, Merged: apart && !Same(theirs, mine)}, nil
		}
		return Settled{Value: mine, Write: true, Merged: apart}, nil
	case "min":
		if !Empty(theirs) && number(mine) >= number(theirs) {
			return Settled{Value: theirs, Merged: apart && !Same(theirs, mine)}, nil
		}
		return Settled{Value: mine, Write: !Same(theirs, mine), Merged: apart && !Same(theirs, mine)}, nil
	case "set":
		return settleSet(theirs, mine, apart)
	case "first wins":
		if !Empty(theirs) {
			return Settled{Value: theirs, Merged: !Same(theirs, mine)}, nil
		}
		return Settled{Value: mine, Write: !Same(theirs, mine)}, nil
	case "steps":
		return Settled{}, Refuse("by_action_only", "Mục này không sửa trực tiếp được. Mời bác bấm nút việc cần làm.")
	case "append only":
		return Settled{}, Refuse("append_only", "Mục đã ghi thì không sửa. Hãy ghi một mục đính chính.")
	}
	if Same(theirs, mine) {
		return Settled{Value: theirs}, nil
	}
	if p.kind == "ask" && apart {
		return Settled{}, Park("needs_person", "Có hai giá trị khác nhau, người phụ trách sẽ xem và chọn.")
	}
	return Settled{Value: mine, Write: true, Merged: apart}, nil
}

// Same tells whether two values are equal as JSON: 1 and 1.0 are, and an absent
// value equals the zero of its kind.
func Same(a, b any) bool {
	a, b = canon(a), canon(b)
	if Empty(a) && Empty(b) {
		return true
	}
	return reflect.DeepEqual(a, b)
}

// Empty tells whether a value is the zero of its kind.
func Empty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case string:
		return x == ""
	case bool:
		return !x
	case float64:
		return x == 0
	case int:
		return x == 0
	case int64:
		return x == 0
	case []any:
		return len(x) == 0
	case []string:
		return len(x) == 0
	case map[string]any:
		return len(x) == 0
	}
	return false
}

func canon(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var out any
	if json.Unmarshal(raw, &out) != nil {
		return v
	}
	return out
}

func number(v any) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case int:
		return float64(x)
	case int64:
		return float64(x)
	case json.Number:
		f, _ := x.Float64()
		return f
	case string:
		f, _ := strconv.ParseFloat(x, 64)
		return f
	}
	return 0
}

// plain writes a number as a Vietnamese reader expects it: 3, 2,5.
func plain(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	for i := range s {
		if s[i] == '.' {
			return s[:i] + "," + s[i+1:]
		}
	}
	return s
}

var _ fmt.Stringer = Policy{}
