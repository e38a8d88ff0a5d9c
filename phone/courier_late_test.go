package phone

import (
	"encoding/json"
	"testing"

	"langso/sync/wire"
)

// Verdicts that come late are believed only of the very edits that were carried,
// in the history that they were carried in; and `acked` of a late answer is not
// believed at all.
func TestWhichLateVerdictsCount(t *testing.T) {
	for name, c := range map[string]struct {
		epoch string
		body  string // of edit 1 now
		want  string
	}{
		"nothing happened between":     {"k3v9", `{"n":1,"do":"x"}`, "taken"},
		"the server's history changed": {"m1", `{"n":1,"do":"x"}`, "waiting"},
		"the number is another edit's": {"k3v9", `{"n":1,"do":"y"}`, "waiting"},
	} {
		t.Run(name, func(t *testing.T) {
			p := written{Epoch: c.epoch, Cursor: 5, N: 2, Edits: []writtenEdit{
				{Edit: json.RawMessage(c.body)},
				{Edit: json.RawMessage(`{"n":2,"do":"z"}`), Verdict: &wire.Verdict{N: 2, Is: wire.Refused, Code: "x"}},
			}}.phone(t)
			b := &bundle{ask: &wire.Ask{Epoch: "k3v9"}, edits: []carriedEdit{{1, hashOf([]byte(`{"n":1,"do":"x"}`))}}}
			acked := int64(1)
			text, err := wire.Write([]wire.Line{{Verdicts: []wire.Verdict{{N: 1, Is: wire.Taken}, {N: 2, Is: wire.Taken}}, Acked: &acked}, {Complete: &wire.Complete{Cursor: 1, Epoch: "k3v9"}}})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.keepVerdicts(b, text.Body, &Report{}); err != nil {
				t.Fatal(err)
			}
			edits, err := p.Edits()
			if err != nil || len(edits) != 2 {
				t.Fatal(edits, err)
			}
			if edits[0].State != c.want || edits[1].State != "refused" {
				t.Errorf("they are %s and %s", edits[0].State, edits[1].State)
			}
			if cursor, err := getNumber(p.db, "cursor"); err != nil || cursor != 5 {
				t.Errorf("the cursor went to %d: %v", cursor, err)
			}
		})
	}
}
