package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// nested is a value of so many lists in each other.
func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// An edit that no parser would take, in the midst of others: it is found with its
// number and its bytes, and the others are what they were.
func TestOneDeepEditDoesNotSpoilTheAsk(t *testing.T) {
	edit := func(n, depth int) string {
		return fmt.Sprintf(`{"n":%d,"coll":"drafts","id":"draft0000000001","change":{"note":"[[{ \"]","data":%s}}`, n, nested(depth))
	}
	for who, c := range map[string]struct {
		depth int
		err   error
	}{
		"nobody nests":           {0, nil},
		"as deep as may be":      {MaxNested, nil},
		"one deeper":             {MaxNested + 1, ErrEditDeep},
		"as a parser takes":      {9_000, ErrEditDeep},
		"deeper than any parser": {20_000, ErrEditDeep},
		"a whole edit of depth":  {(MaxEdit - 200) / 2, ErrEditDeep},
	} {
		middle := edit(2, c.depth)
		if c.depth == 0 {
			middle = strings.Replace(edit(2, 1), "[]}}", "0}}", 1)
		}
		ask, err := DecodeAsk([]byte(`{"v":1,"edits":[` + edit(1, 1) + ` , ` + middle + `,` + edit(3, 2) + `],"cursor":7,"want":5000}`))
		if err != nil {
			t.Errorf("%s: %v", who, err)
			continue
		}
		var numbers []int64
		var errs []error
		for _, raw := range ask.Edits {
			n, _ := EditNumber(raw)
			_, err := DecodeEdit(raw)
			numbers, errs = append(numbers, n), append(errs, err)
		}
		if ask.Cursor != 7 || !slices.Equal(numbers, []int64{1, 2, 3}) || errs[0] != nil || errs[2] != nil || !errors.Is(errs[1], c.err) {
			t.Errorf("%s: %v %v", who, numbers, errs)
		}
		if string(ask.Edits[1]) != middle {
			t.Errorf("%s: the edit became %.80s", who, ask.Edits[1])
		}
	}
	// A number is not taken from within.
	for _, raw := range []string{`{"change":{"n":5,"x":` + nested(20_000) + `}}`, `{"a":[{"n":5}],"b":` + nested(20_000) + `}`, nested(20_000), `{"n":1,"x":` + strings.Repeat("[", 20_000)} {
		if n, ok := EditNumber(json.RawMessage(raw)); ok && !strings.HasPrefix(raw, `{"n"`) {
			t.Errorf("%.30s… has number %d", raw, n)
		}
	}
	for _, body := range []string{`{"v":1,"edits":` + nested(20_000) + `}`, `{"v":1,"x":` + nested(20_000) + `}`, `{"v":1,"edits":[` + strings.Repeat("[", 20_000), nested(20_000)} {
		if ask, err := DecodeAsk([]byte(body)); err == nil && len(ask.Edits) > 1 {
			t.Errorf("%.30s… is an ask of %d edits", body, len(ask.Edits))
		}
	}
}
