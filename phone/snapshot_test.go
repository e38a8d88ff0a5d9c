package phone

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"langso/sync/wire"
)

// snapshotLines is the file of a vector.
func snapshotLines(t *testing.T, lines []json.RawMessage) []byte {
	t.Helper()
	var text bytes.Buffer
	for _, l := range lines {
		if err := json.Compact(&text, l); err != nil {
			t.Fatal(err)
		}
		text.WriteByte('\n')
	}
	return text.Bytes()
}

// values are records as values, however their JSON is spelled.
func values(t *testing.T, records any) (out any) {
	t.Helper()
	raw, err := json.Marshal(records)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSnapshotVectors(t *testing.T) {
	type file struct {
		Name    string
		Lines   []json.RawMessage
		Records map[string]map[string]writtenEntry
	}
	for i, v := range vectors[file](t, "snapshot.json") {
		t.Run(v.Name, func(t *testing.T) {
			p := written{}.phone(t)
			plain := snapshotLines(t, v.Lines)
			_, n, err := p.load(plain, "", "")
			if v.Records == nil && !errors.Is(err, ErrFile) || v.Records != nil && err != nil {
				t.Fatalf("%d records: %v", n, err)
			}
			if got, want := values(t, write(t, p).Records), values(t, v.Records); !reflect.DeepEqual(got, want) {
				t.Errorf("the phone has\n%v, want\n%v", got, want)
			}
			if i > 0 {
				return
			}
			// The first is as the server writes it.
			head, parts, err := wire.ReadSnapshot(plain)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := wire.WriteSnapshot(*head, parts); err != nil || !bytes.Equal(again, plain) {
				t.Errorf("written again it is\n%s, want\n%s: %v", again, plain, err)
			}
		})
	}
}
