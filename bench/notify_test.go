package bench

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/commune"
	"langso/notify"
	"langso/notify/fcm"
	"langso/notify/fcmsim"
)

// province is how many phones a broadcast is enqueued and paged for; the figure
// in the report is for 1,000,000.
var province = flag.Int("province", 100_000, "phones of the broadcast benches")

// The simulated FCM runs in a process of its own, so that memory and
// connections are the server's alone: this binary again, with this setting.
const simLatency = "LANGSO_BENCH_FCM"

func init() {
	text := os.Getenv(simLatency)
	if text == "" {
		return
	}
	latency, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	sim, err := fcmsim.Start(fcmsim.Options{Quota: 100_000_000, Faults: fcmsim.Faults{Latency: latency}})
	if err != nil {
		panic(err)
	}
	roots, err := os.CreateTemp("", "langso-bench-roots")
	if err != nil {
		panic(err)
	}
	if err := sim.WriteRoots(roots.Name()); err != nil {
		panic(err)
	}
	account, err := sim.Credentials()
	if err != nil {
		panic(err)
	}
	fmt.Println(sim.URL)
	fmt.Println(roots.Name())
	fmt.Println(string(account))
	_, _ = io.Copy(io.Discard, os.Stdin) // until the bench ends
	os.Remove(roots.Name())
	os.Exit(0)
}

// service is a simulated FCM in another process.
type service struct {
	settings fcm.Settings
	client   *http.Client
}

func fcmOver(b *testing.B, latency time.Duration) *service {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), simLatency+"="+latency.String())
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	var said []string
	for len(said) < 3 && lines.Scan() {
		said = append(said, lines.Text())
	}
	if len(said) < 3 {
		b.Fatal("the simulated FCM did not start")
	}
	raw, err := os.ReadFile(said[1])
	if err != nil {
		b.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(raw)
	return &service{fcm.Settings{Endpoint: said[0], Credentials: []byte(said[2]), Roots: roots},
		&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}}
}

func (s *service) counts(b *testing.B) (c fcmsim.Counts) {
	b.Helper()
	resp, err := s.client.Get(s.settings.Endpoint + "/counts")
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&c); err != nil {
		b.Fatal(err)
	}
	return c
}

// crowd is a commune whose only villager has n phones.
func crowd(b testing.TB, n int) core.App {
	b.Helper()
	app := apptest.New(b)
	err := app.RunInTransaction(func(tx core.App) error {
		for _, sql := range []string{
			`INSERT INTO villages (id, name) VALUES ('village00000001', 'Thôn')`,
			`INSERT INTO households (id, name, village) VALUES ('household000001', 'Hộ', 'village00000001')`,
			`INSERT INTO persons (id, name, household, village, status) VALUES ('lan000000000000', 'Lan', 'household000001', 'village00000001', 'active')`,
		} {
			if _, err := tx.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
				return err
			}
		}
		q := tx.NonconcurrentDB().NewQuery(`INSERT INTO phones (id, person, label, public_key, transport, address, address_state)
			VALUES ({:id}, 'lan000000000000', 'Máy', {:id}, 'fcm', {:address}, 'ok')`).Prepare()
		defer q.Close()
		token := strings.Repeat("x", 150)
		for i := range n {
			if _, err := q.Bind(dbx.Params{"id": fmt.Sprintf("p%014d", i), "address": token + strconv.Itoa(i)}).Execute(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return app
}

func emergency(to commune.Circle, key string) commune.Notice {
	return commune.Notice{To: to, Key: key, Kind: "bench", Title: "Bão", Class: commune.Emergency}
}

// BenchmarkNoticeToAccepted is the time from a change to FCM's acceptance of its
// wake-up, on an idle server.
func BenchmarkNoticeToAccepted(b *testing.B) {
	s := fcmOver(b, 0)
	// FCM takes 240 messages a minute to one phone: so there are many, each a
	// person's.
	const persons = 200
	app := crowd(b, persons)
	for _, sql := range []string{
		`INSERT INTO persons (id, name, household, village, status) SELECT 'n' || substr(id, 2), 'Lan', 'household000001', 'village00000001', 'active' FROM phones`,
		`UPDATE phones SET person = 'n' || substr(id, 2)`,
	} {
		if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			b.Fatal(err)
		}
	}
	accepted := make(chan struct{}, 1)
	o := &notify.Outbox{App: app, Senders: []notify.Sender{&told{fcm.New(s.settings), accepted}}}
	ctx, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { o.Run(ctx) })
	defer running.Wait()
	defer stop()
	var times []time.Duration
	raise := func(i int) {
		start := time.Now()
		if err := notify.Raise(app, emergency(commune.Named("person", fmt.Sprintf("n%014d", (i+persons)%persons)), strconv.Itoa(i)), start); err != nil {
			b.Fatal(err)
		}
		<-accepted
		times = append(times, time.Since(start))
	}
	raise(-1) // opens the connection
	times = nil
	for i := 0; b.Loop(); i++ {
		raise(i)
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2])/1e6, "ms-p50")
	b.ReportMetric(float64(times[len(times)*99/100])/1e6, "ms-p99")
}

// told is a sender that says when a wake-up was accepted.
type told struct {
	*fcm.Sender
	accepted chan struct{}
}

func (t *told) Send(ctx context.Context, d notify.Delivery) error {
	err := t.Sender.Send(ctx, d)
	if err == nil {
		t.accepted <- struct{}{}
	}
	return err
}

// BenchmarkFanOut sends an emergency to every phone of a commune at FCM's usual
// latency.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{10_000, 40_000} {
		b.Run(fmt.Sprintf("phones=%d", n), func(b *testing.B) {
			app := crowd(b, n)
			s := fcmOver(b, 60*time.Millisecond)
			// A server that has been in use has read its tables before: what SQLite
			// keeps of them has a limit of its own and is not the sender's.
			warm := &notify.Outbox{App: app, Senders: []notify.Sender{nowhere{}}}
			if err := errors.Join(notify.Raise(app, emergency(commune.Commune, "warm"), time.Now()), warm.Pass(b.Context())); err != nil {
				b.Fatal(err)
			}
			var took time.Duration
			var most int64
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				if err := notify.Raise(app, emergency(commune.Commune, strconv.Itoa(i)), time.Now()); err != nil {
					b.Fatal(err)
				}
				o := &notify.Outbox{App: app, Senders: []notify.Sender{fcm.New(s.settings)}}
				runtime.GC()
				debug.FreeOSMemory()
				before := resident(b)
				peak := watch(b)
				b.StartTimer()
				start := time.Now()
				if err := o.Pass(b.Context()); err != nil {
					b.Fatal(err)
				}
				took += time.Since(start)
				most = max(most, peak()-before)
			}
			c := s.counts(b)
			if want := int64(n * b.N); c.Accepted != want {
				b.Fatalf("%d accepted, want %d", c.Accepted, want)
			}
			b.ReportMetric(float64(n*b.N)/took.Seconds(), "msgs/s")
			b.ReportMetric(took.Seconds()/float64(b.N), "s/fan-out")
			b.ReportMetric(float64(c.Conns-1)/float64(b.N), "connections")
			b.ReportMetric(float64(most)/(1<<20), "MiB-growth")
		})
	}
}

// resident is the memory that the process holds.
func resident(b *testing.B) int64 {
	b.Helper()
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("no /proc")
	}
	pages, err := strconv.ParseInt(strings.Fields(string(raw))[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// watch notes the most memory that the process holds until it is asked.
func watch(b *testing.B) (peak func() int64) {
	var most atomic.Int64
	ctx, stop := context.WithCancel(b.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			most.Store(max(most.Load(), resident(b)))
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return func() int64 { stop(); watching.Wait(); return most.Load() }
}

// BenchmarkBroadcast is what a broadcast to many phones costs before and beside
// the network: to enqueue, and to page through.
func BenchmarkBroadcast(b *testing.B) {
	app := crowd(b, *province)
	i := 0
	var first, firstUse time.Duration
	enqueue := func(b *testing.B) (took, use time.Duration) {
		i++
		before, start := computing(b), time.Now()
		if err := notify.Raise(app, emergency(commune.Commune, "e"+strconv.Itoa(i)), time.Now()); err != nil {
			b.Fatal(err)
		}
		return time.Since(start), computing(b) - before
	}
	b.Run("enqueue", func(b *testing.B) {
		// The log of what crowd wrote is put away by whoever writes next: that is
		// not the notice's work.
		if _, err := app.NonconcurrentDB().NewQuery(`PRAGMA wal_checkpoint(TRUNCATE)`).Execute(); err != nil {
			b.Fatal(err)
		}
		if first == 0 {
			first, firstUse = enqueue(b) // statements are compiled, pages are cold
		}
		var most, use, mostUse time.Duration
		for b.Loop() {
			took, used := enqueue(b)
			most, mostUse, use = max(most, took), max(mostUse, used), use+used
		}
		b.ReportMetric(first.Seconds()*1e3, "ms-first")
		b.ReportMetric(firstUse.Seconds()*1e3, "cpu-ms-first")
		b.ReportMetric(most.Seconds()*1e3, "ms-most")
		b.ReportMetric(mostUse.Seconds()*1e3, "cpu-ms-most")
		b.ReportMetric(use.Seconds()*1e3/float64(b.N), "cpu-ms")
	})
	if _, err := app.NonconcurrentDB().NewQuery(`DELETE FROM deliveries`).Execute(); err != nil {
		b.Fatal(err)
	}
	noon := time.Date(2026, 11, 24, 12, 1, 0, 0, commune.Zone)
	for name, class := range map[string]commune.Class{"emergency": commune.Emergency, "information": commune.Information} {
		b.Run(name, func(b *testing.B) {
			var pages int
			var database time.Duration
			woken := 0
			before := computing(b)
			for b.Loop() {
				i++
				n := emergency(commune.Commune, strconv.Itoa(i))
				n.Class = class
				if err := notify.Raise(app, n, noon); err != nil {
					b.Fatal(err)
				}
				o := &notify.Outbox{App: app, Senders: []notify.Sender{nowhere{}}, Now: func() time.Time { return noon.Add(2 * time.Minute) }}
				if err := o.Pass(b.Context()); err != nil {
					b.Fatal(err)
				}
				n1, d := o.Cost()
				pages, database = pages+n1, database+d
				woken++
			}
			millions := float64(*province) * float64(woken) / 1e6
			b.ReportMetric(b.Elapsed().Seconds()/millions, "s/million")
			b.ReportMetric(database.Seconds()/millions, "database-s/million")
			b.ReportMetric((computing(b)-before).Seconds()/millions, "cpu-s/million")
			b.ReportMetric(float64(pages)/millions, "transactions/million")
		})
	}
}

// computing is how long the process has computed, on all cores: on a busy
// computer it says more than the clock.
func computing(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// nowhere is a road that costs nothing.
type nowhere struct{}

func (nowhere) Name() string                                { return "fcm" }
func (nowhere) Send(context.Context, notify.Delivery) error { return nil }

// BenchmarkBusyRecord plays ten minutes in which somebody changes one record a
// hundred times a minute.
func BenchmarkBusyRecord(b *testing.B) {
	var mu sync.Mutex
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, commune.Zone)
	now := func() time.Time { mu.Lock(); defer mu.Unlock(); return at }
	for b.Loop() {
		app := crowd(b, 1)
		sim, err := fcmsim.Start(fcmsim.Options{Now: now, Open: true})
		if err != nil {
			b.Fatal(err)
		}
		o := &notify.Outbox{App: app, Senders: []notify.Sender{fcm.New(fcm.Settings{Endpoint: sim.URL, Roots: sim.Roots()})}, Now: now}
		for range 1000 {
			if err := notify.Nudge(app, commune.Named("person", "lan000000000000"), now()); err != nil {
				b.Fatal(err)
			}
			mu.Lock()
			at = at.Add(600 * time.Millisecond)
			mu.Unlock()
			if err := o.Pass(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		c := sim.Counts()
		b.ReportMetric(float64(c.Accepted)/10, "wake-ups/min")
		b.ReportMetric(float64(c.Throttled), "throttled")
		if err := sim.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
