package phone

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"testing"

	"langso/sync/wire"
)

// says answers each request with the next of some answers and keeps what was asked.
type says struct {
	answers [][]byte
	asked   []*http.Request
	bodies  [][]byte
}

func (s *says) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if len(s.bodies) == len(s.answers) {
		return nil, io.ErrUnexpectedEOF
	}
	s.asked, s.bodies = append(s.asked, r), append(s.bodies, body)
	return answered(s.answers[len(s.bodies)-1]), nil
}

func TestVectorsOfComparisons(t *testing.T) {
	type vector struct {
		Name    string
		Before  written
		Meeting []struct {
			Check  json.RawMessage
			Answer []json.RawMessage
		}
		Mismatches int
	}
	for _, v := range vectors[vector](t, "compare.json") {
		t.Run(v.Name, func(t *testing.T) {
			p, road := v.Before.phone(t), &says{}
			for _, step := range v.Meeting {
				road.answers = append(road.answers, answerText(t, step.Answer, "").Bytes())
			}
			p.client.Transport, p.json = road, true
			if err := p.Adopt("phone0000000001", "lan000000000000"); err != nil {
				t.Fatal(err)
			}
			report, err := p.Sync(t.Context())
			if err != nil || !report.Complete || report.Mismatches != v.Mismatches {
				t.Errorf("%+v, %v", report, err)
			}
			for i, body := range road.bodies {
				if e := road.asked[i].Header.Get("Content-Encoding"); e != "" {
					if body, err = wire.Unpack(body, e, wire.MaxBody); err != nil {
						t.Fatal(err)
					}
				}
				var ask struct{ Check any }
				if err := json.Unmarshal(body, &ask); err != nil {
					t.Fatal(err)
				}
				if want := plain(t, v.Meeting[i].Check); !reflect.DeepEqual(plain(t, ask.Check), want) {
					raw, _ := json.Marshal(ask.Check)
					t.Errorf("ask %d says %s\nwant %s", i+1, raw, v.Meeting[i].Check)
				}
			}
			if len(road.bodies) != len(v.Meeting) {
				t.Errorf("%d asks, want %d", len(road.bodies), len(v.Meeting))
			}
			if due, err := getMeta(p.db, "check"); due != "" || err != nil {
				t.Errorf("still due: %q, %v", due, err)
			}
		})
	}
}

// answered is an answer in the text form.
func answered(body []byte) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {wire.ContentAnswer}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body))}
}
