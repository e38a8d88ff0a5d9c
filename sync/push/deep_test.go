package push_test

import (
	"strings"
	"testing"

	"langso/sync/wire"
)

// An edit whose value is nested too deeply is refused with its number, and what
// stands beside it is judged.
func TestADeepValue(t *testing.T) {
	for who, depth := range map[string]int{"a little": wire.MaxNested + 1, "beyond any parser": 20_000} {
		s := newScene(t)
		deep := `{"n":2,"coll":"announcements","id":"announce0000002","create":{"title":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}}`
		ask, err := wire.DecodeAsk([]byte(`{"v":1,"edits":[` + create(1, "một") + `,` + deep + `,` + create(3, "ba") + `]}`))
		if err != nil {
			t.Fatalf("%s: %v", who, err)
		}
		edits := []string{}
		for _, e := range ask.Edits {
			edits = append(edits, string(e))
		}
		got := s.push(edits...)
		if got[1].Is != wire.Taken || got[3].Is != wire.Taken || got[2].Is != wire.Refused || got[2].Code != "bad_value" || s.phone.Acked != 3 {
			t.Errorf("%s: %+v", who, got)
		}
		if again := s.push(edits...); again[2].Is != wire.Known || again[2].Was != wire.Refused || s.count() != 2 {
			t.Errorf("%s, sent again: %+v", who, again)
		}
		s.phone.Blocked = true
		if last := s.push(strings.Replace(deep, `"n":2`, `"n":4`, 1)); last[4].Code != "bad_value" {
			t.Errorf("%s, of a blocked phone: %+v", who, last)
		}
	}
}
