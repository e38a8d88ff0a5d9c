package load

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
	"golang.org/x/text/unicode/norm"

	"langso/commune"
)

// value reads a cell into what PocketBase holds in a field of the column's form. A
// reference stays the external id that the file gives.
func (c *column) value(v any) (any, error) {
	switch c.form {
	case number:
		return c.number(v)
	case yesno:
		return c.yesno(v)
	case data:
		return c.data(v)
	}
	s, err := c.text(v)
	if err != nil {
		return nil, err
	}
	switch c.form {
	case reference, list:
		return strings.TrimSpace(s), nil
	case date:
		at, err := types.ParseDateTime(s)
		if s != "" && (err != nil || at.IsZero()) {
			return nil, c.bad("bad_date", "không phải là ngày giờ, dạng 2026-11-24 06:10:00.000Z")
		}
		return at, nil
	}
	return s, nil
}

func (c *column) bad(code, what string) error {
	return commune.Refuse(code, "Cột «%s»: %s.", c.name, what)
}

// text reads texts, and numbers where a text is wanted: born: 1984.
func (c *column) text(v any) (string, error) {
	switch x := v.(type) {
	case nil:
		return "", nil
	case string:
		return c.clean(x)
	case Loose:
		return c.clean(string(x))
	case int:
		return strconv.Itoa(x), nil
	case json.RawMessage:
		switch x = bytes.TrimSpace(x); {
		case len(x) == 0 || string(x) == "null":
			return "", nil
		case x[0] == '"':
			var s string
			if json.Unmarshal(x, &s) != nil {
				return "", c.bad("bad_value", "không đọc được")
			}
			return c.clean(s)
		case x[0] == '-' || x[0] >= '0' && x[0] <= '9':
			return string(x), nil
		}
	}
	return "", c.bad("bad_value", "phải là chữ")
}

// clean composes letters and accents (NFC): two spellings of one name are equal.
// Text that an earlier tool damaged is refused, not stored.
func (c *column) clean(s string) (string, error) {
	if !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) {
		return "", c.bad("bad_utf8", "có ký tự hỏng, tệp phải ở dạng UTF-8")
	}
	if strings.IndexByte(s, 0) >= 0 {
		return "", c.bad("bad_value", "có ký tự rỗng")
	}
	if norm.NFC.IsNormalString(s) {
		return s, nil
	}
	return norm.NFC.String(s), nil
}

// grouped matches 45.000 and 1.250.000: forty-five, or forty-five thousand?
var grouped = regexp.MustCompile(`^-?\d{1,3}([.,]\d{3})+$`)

func (c *column) number(v any) (any, error) {
	s, typed := "", false // typed: the file itself says that it is a number
	switch x := v.(type) {
	case nil:
		return 0.0, nil
	case int:
		return float64(x), nil
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, c.bad("bad_number", "không phải là số")
		}
		return x, nil
	case string:
		s = strings.TrimSpace(x)
	case Loose:
		s = strings.TrimSpace(string(x))
	case json.RawMessage:
		s = strings.TrimSpace(string(x))
		if s == "null" {
			return 0.0, nil
		}
		quoted, err := strconv.Unquote(s)
		if err == nil {
			s = strings.TrimSpace(quoted)
		}
		typed = err != nil
	default:
		return nil, c.bad("bad_number", "phải là số")
	}
	if s == "" {
		return 0.0, nil
	}
	if !typed && grouped.MatchString(s) {
		return nil, c.bad("bad_number", "số phải viết liền, không chấm phẩy phân nhóm: 45000 chứ không 45.000")
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || strings.ContainsAny(s, "xXpP_") {
		return nil, c.bad("bad_number", "không phải là số")
	}
	return f, nil
}

func (c *column) yesno(v any) (any, error) {
	s := ""
	switch x := v.(type) {
	case nil:
		return false, nil
	case bool:
		return x, nil
	case string:
		s = x
	case Loose:
		s = string(x)
	case json.RawMessage:
		s = strings.Trim(string(x), `"`)
	}
	switch norm.NFC.String(strings.ToLower(strings.TrimSpace(s))) {
	case "true", "1", "có":
		return true, nil
	case "", "null", "false", "0", "không":
		return false, nil
	}
	return nil, c.bad("bad_value", "phải là true hoặc false")
}

func (c *column) data(v any) (any, error) {
	raw, is := v.(json.RawMessage)
	if !is {
		switch x := v.(type) {
		case nil:
		case Loose:
			raw = json.RawMessage(x)
		case string:
			raw = json.RawMessage(x)
		default:
			return nil, c.bad("bad_value", "phải là JSON")
		}
	}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage(nil), nil // as PocketBase stores a field that nobody gave
	}
	if !json.Valid(raw) {
		return nil, c.bad("bad_value", "không phải là JSON đúng")
	}
	if bytes.IndexByte(raw, '\\') >= 0 {
		// Escapes may hide letters that are to be composed, and broken ones.
		var any any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&any); err != nil {
			return nil, c.bad("bad_value", "không phải là JSON đúng")
		}
		var err error
		if raw, err = writeJSON(any); err != nil {
			return nil, err
		}
	}
	if bytes.Contains(raw, []byte(`\u0000`)) {
		return nil, c.bad("bad_value", "có ký tự rỗng")
	}
	if !utf8.Valid(raw) || bytes.ContainsRune(raw, utf8.RuneError) {
		return nil, c.bad("bad_utf8", "có ký tự hỏng, tệp phải ở dạng UTF-8")
	}
	if !norm.NFC.IsNormal(raw) {
		raw = norm.NFC.Bytes(raw)
	}
	return raw, nil
}

func writeJSON(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// stored turns a read value into what a record holds for the field.
func (c *column) stored(r *core.Record, v any) any {
	switch x := v.(type) {
	case json.RawMessage:
		return types.JSONRaw(x)
	case string, float64, bool, types.DateTime:
		return x
	}
	prepared, _ := c.PrepareValue(r, v)
	return prepared
}

// same tells whether two stored values are equal.
func same(a, b any) bool {
	x, isJSON := a.(types.JSONRaw)
	if !isJSON {
		return a == b
	}
	y, _ := b.(types.JSONRaw)
	if bytes.Equal(x, y) {
		return true
	}
	if len(x) == 0 || len(y) == 0 {
		return string(x)+string(y) == "null" // one is absent, the other says so
	}
	var p, q any
	return json.Unmarshal(x, &p) == nil && json.Unmarshal(y, &q) == nil && commune.Same(p, q)
}
