package notify

import (
	"flag"
	"syscall"
	"testing"
	"time"

	"langso/commune"
)

var crowd = flag.Int("crowd", 100_000, "phones of BenchmarkDatabaseOfABroadcast")

// BenchmarkDatabaseOfABroadcast is all that a broadcast asks of the database, with
// the network left out: to count, read and write its pages. It counts computing
// time, which a busy computer changes little.
func BenchmarkDatabaseOfABroadcast(b *testing.B) {
	app := newApp(b)
	villagers(b, app, "lan")
	for _, sql := range []string{
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {:crowd}) INSERT INTO persons (id, name, household, village, status)
			SELECT printf('n%014d', i * 7919 % 1000003), 'Lan', household, village, 'active' FROM n, (SELECT household, village FROM persons LIMIT 1)`,
		`INSERT INTO phones (id, person, label, public_key, transport, address, address_state)
			SELECT 'p' || substr(id, 2), id, 'Máy', 'ed25519:' || hex(randomblob(22)), 'fcm', hex(randomblob(75)), 'ok' FROM persons WHERE id LIKE 'n%'`,
		`INSERT INTO notice_choices (id, person, digest) SELECT id, id, '18:00' FROM persons WHERE id LIKE 'n%7'`, // a tenth chose
	} {
		if _, err := app.NonconcurrentDB().NewQuery(sql).Bind(params{"crowd": *crowd}).Execute(); err != nil {
			b.Fatal(err)
		}
	}
	for name, class := range map[string]commune.Class{"emergency": commune.Emergency, "needed": commune.Needed} {
		b.Run(name, func(b *testing.B) {
			k := &clock{now: day}
			o := newOutbox(app, k, &fake{})
			o.setup()
			o.window.Store(maxWindow)
			buckets, err := o.open()
			if err != nil {
				b.Fatal(err)
			}
			var use time.Duration
			for i := 0; b.Loop(); i++ {
				tell(b, app, "commune", name+time.Duration(i).String(), class, k.Now())
				k.add(5 * time.Second)
				before := computed(b)
				w := &batch{outbox: o, worker: newWorker(), buckets: buckets}
				jobs, err := lease(app, pressing, w.worker, 1, k.Now())
				if err != nil || len(jobs) != 1 {
					b.Fatal(len(jobs), err)
				}
				if _, err := w.spread(jobs[0]); err != nil {
					b.Fatal(err)
				}
				var next ahead
				for more := true; more; {
					var phones []target
					if phones, more, err = next.page(o, jobs[0], heard{}); err != nil {
						b.Fatal(err)
					}
					if more, err = w.settle(jobs[0], phones, make([]error, len(phones)), more); err != nil {
						b.Fatal(err)
					}
				}
				use += computed(b) - before
				k.add(48 * time.Hour)
				if _, err := app.NonconcurrentDB().NewQuery(`DELETE FROM deliveries`).Execute(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(use.Seconds()/float64(b.N)/float64(*crowd)*1e6, "cpu-s/million")
		})
	}
}

func computed(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
