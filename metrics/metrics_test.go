package metrics_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"langso/metrics"
)

func TestWhoMayRead(t *testing.T) {
	read := func() ([]metrics.Gauge, error) { return []metrics.Gauge{{"langso_journal_seq", 42}}, nil }
	for who, c := range map[string]struct {
		token, header string
		status        int
	}{
		"who knows the token":           {"s3cret", "Bearer s3cret", 200},
		"who knows a part of it":        {"s3cret", "Bearer s3cre", 401},
		"who knows more":                {"s3cret", "Bearer s3cret1", 401},
		"who says nothing":              {"s3cret", "", 401},
		"who forgets to say Bearer":     {"s3cret", "s3cret", 401},
		"anybody, where it is not set":  {"", "Bearer ", 401},
		"a stranger, where it is unset": {"", "", 401},
	} {
		r := httptest.NewRequest("GET", "/metrics", nil)
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		w := httptest.NewRecorder()
		metrics.Handler(c.token, read).ServeHTTP(w, r)
		if w.Code != c.status || (w.Code == 200) != strings.Contains(w.Body.String(), "langso_journal_seq 42") {
			t.Errorf("%s: %d %s", who, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Authorization", "Bearer t")
	w := httptest.NewRecorder()
	metrics.Handler("t", func() ([]metrics.Gauge, error) { return nil, errors.New("no") }).ServeHTTP(w, r)
	if w.Code != 503 {
		t.Errorf("without a database: %d", w.Code)
	}
}

func TestWhatIsShown(t *testing.T) {
	metrics.Exchanged("complete", 3*time.Millisecond)
	metrics.Carried(100, 400)
	metrics.Judged("taken")
	metrics.Absorbed(time.Millisecond)
	metrics.Mismatched()
	metrics.Repaired()
	metrics.EpochRaised()
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Authorization", "Bearer t")
	w := httptest.NewRecorder()
	metrics.Handler("t", func() ([]metrics.Gauge, error) { return nil, nil }).ServeHTTP(w, r)
	for _, line := range []string{
		`langso_exchanges_total{outcome="complete"} 1`, `langso_exchange_seconds_bucket{le="0.005"} 1`, `langso_exchange_bytes_up_total 100`, `langso_exchange_bytes_down_total 400`,
		`langso_edits_total{verdict="taken"} 1`, `langso_absorb_seconds_count 1`, `langso_checksum_mismatches_total 1`, `langso_checksum_repairs_total 1`, `langso_epoch_raises_total 1`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("no %s in\n%s", line, w.Body)
		}
	}
}
