// Package metrics counts what an operator watches, in the text format of
// Prometheus.
//
// Counting is a few additions in memory and always on; showing is off until a
// token is set. Figures that the database holds are read when they are asked
// for. No label names a person, a phone or a circle: whoever may read the
// figures must not learn who was ill.
package metrics

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	vm "github.com/VictoriaMetrics/metrics"
)

// set is ours alone: what other libraries count is not shown.
var set = vm.NewSet()

var (
	seconds       = set.NewPrometheusHistogramExt("langso_exchange_seconds", []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10})
	absorbSeconds = set.NewPrometheusHistogramExt("langso_absorb_seconds", []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5})
	up            = set.NewCounter("langso_exchange_bytes_up_total")
	down          = set.NewCounter("langso_exchange_bytes_down_total")
	mismatches    = set.NewCounter("langso_checksum_mismatches_total")
	repairs       = set.NewCounter("langso_checksum_repairs_total")
	raises        = set.NewCounter("langso_epoch_raises_total")
)

// Exchanged counts one exchange and the time it took. outcome is one of a few
// words of the program's own: "complete", "more", "retry", "failed".
func Exchanged(outcome string, took time.Duration) {
	set.GetOrCreateCounter(fmt.Sprintf("langso_exchanges_total{outcome=%q}", outcome)).Inc()
	seconds.Update(took.Seconds())
}

// Carried counts bytes of bodies as sent, up and down.
func Carried(bytesUp, bytesDown int) { up.Add(max(0, bytesUp)); down.Add(max(0, bytesDown)) }

// Judged counts one edit by its verdict.
func Judged(verdict string) {
	set.GetOrCreateCounter(fmt.Sprintf("langso_edits_total{verdict=%q}", verdict)).Inc()
}

// Absorbed counts one absorption and the time it took.
func Absorbed(took time.Duration) { absorbSeconds.Update(took.Seconds()) }

// Mismatched counts a phone whose sums were not the server's.
func Mismatched() { mismatches.Inc() }

// Repaired counts a phone that compared its records down to the damaged ones.
func Repaired() { repairs.Inc() }

// EpochRaised counts a history that was found to be another.
func EpochRaised() { raises.Inc() }

// Gauge is a figure as it is now.
type Gauge struct {
	Name  string // langso_…
	Value float64
}

// Handler shows everything to who knows the token, as a bearer. read gives the
// figures that are held elsewhere.
func Handler(token string, read func() ([]Gauge, error)) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(given)) // of one length, so that the time taken tells nothing
		if token == "" || !bearer || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		gauges, err := read()
		if err != nil {
			http.Error(w, "the database did not answer", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		write(w, gauges)
	})
}

func write(w io.Writer, gauges []Gauge) {
	for _, g := range gauges {
		vm.WriteGaugeFloat64(w, g.Name, g.Value)
	}
	set.WritePrometheus(w)
	vm.WriteProcessMetrics(w)
}
