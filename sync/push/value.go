package push

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"langso/commune"
)

// value reads a field's new value. PocketBase would quietly make 0 of a text in
// a number field; here a value of the wrong kind is refused.
func (w *writing) value(coll *core.Collection, field string, raw json.RawMessage) (any, error) {
	f := coll.Fields.GetByName(field)
	if f == nil || f.GetHidden() {
		return nil, commune.Park("unknown_field", "Máy chủ chưa biết ô này, sẽ nhận khi được nâng cấp.")
	}
	_, routed := w.decl.Routes[field]
	if routed || field == "id" || f.Type() == core.FieldTypeAutodate || f.Type() == core.FieldTypeFile || slices.Contains(w.decl.ServerFields, field) {
		return nil, errAction
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, badValue(f)
	}
	if v == nil {
		return zero(f), nil
	}
	ok := false
	switch f := f.(type) {
	case *core.NumberField:
		var n float64
		n, ok = v.(float64)
		ok = ok && !math.IsNaN(n) && math.Abs(n) <= 1<<53
	case *core.BoolField:
		_, ok = v.(bool)
	case *core.JSONField, *core.GeoPointField:
		return types.JSONRaw(raw), nil
	case *core.SelectField:
		ok = texts(v, f.MaxSelect > 1)
	case *core.RelationField:
		ok = texts(v, f.MaxSelect > 1)
	case *core.DateField:
		var s string
		if s, ok = v.(string); ok && s != "" {
			d, err := types.ParseDateTime(s)
			ok = err == nil && !d.IsZero()
		}
	default:
		_, ok = v.(string)
	}
	if !ok {
		return nil, badValue(f)
	}
	return v, nil
}

func texts(v any, many bool) bool {
	if _, one := v.(string); one {
		return true
	}
	list, ok := v.([]any)
	return ok && many && !slices.ContainsFunc(list, func(x any) bool { _, text := x.(string); return !text })
}

func zero(f core.Field) any {
	switch f.Type() {
	case core.FieldTypeNumber:
		return 0
	case core.FieldTypeBool:
		return false
	case core.FieldTypeJSON:
		return types.JSONRaw("null")
	}
	return ""
}

func badValue(f core.Field) error {
	return commune.Refuse("bad_value", "Ô «%s» không nhận giá trị này.", f.GetName())
}

// plainValue is what stands in a field, as decoded from JSON.
func plainValue(r *core.Record, field string) any {
	raw, err := json.Marshal(r.Get(field))
	if err != nil {
		return nil
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	return v
}

// invalid makes a refusal of PocketBase's validation errors: which fields, in
// the words of their help texts' first part.
func invalid(err error) *commune.Refusal {
	var all validation.Errors
	if !errors.As(err, &all) {
		return nil
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return &commune.Refusal{Code: "bad_value", Sentence: "Ô «" + strings.Join(names, "», «") + "» trống hoặc không hợp lệ."}
}
