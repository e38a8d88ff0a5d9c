package notify

import (
	"fmt"
	"testing"
	"time"
)

// TestBroadcastsWriteNoRowAPhone, also right after a start, and yet however the
// starts fall no phone gets more than FCM lets through.
func TestBroadcastsWriteNoRowAPhone(t *testing.T) {
	app := newApp(t)
	k := &clock{now: day}
	b, err := openBuckets(app, k.Now())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		for p := range 100 {
			if ok, _ := b.take(fmt.Sprint(p), k.Now()); !ok {
				t.Fatalf("the broadcast %d did not reach everybody", i)
			}
		}
		if n := len(b.lowered()); n != 0 {
			t.Errorf("%d phones have rows after the broadcast %d", n, i)
		}
	}
	b.take("7", k.Now())
	if n := len(b.lowered()); n != 1 {
		t.Errorf("%d phones have rows, want the one that was woken thrice", n)
	}
}

func TestNoOrderOfStartsLetsMoreThrough(t *testing.T) {
	for name, every := range map[string]int{"never restarted": 1 << 30, "after each wake-up": 1, "after three": 3, "after seven": 7} {
		t.Run(name, func(t *testing.T) {
			app := newApp(t)
			k := &clock{now: day}
			real, at := bucketSize, k.Now() // as FCM has it
			var b *buckets
			through, longest, last := 0, time.Duration(0), k.Now()
			for i := range 3 * 360 { // three hours
				if i%every == 0 {
					var err error
					if b, err = openBuckets(app, k.Now()); err != nil {
						t.Fatal(err)
					}
				}
				real, at = min(bucketSize, real+k.Now().Sub(at).Seconds()/bucketRefill), k.Now()
				if ok, _ := b.take("lan", k.Now()); ok {
					if real--; real < -.01 {
						t.Fatalf("FCM would hold wake-up %d", through)
					}
					through++
					longest, last = max(longest, k.Now().Sub(last)), k.Now()
					low := b.lowered()
					if err := saveBuckets(app, low); err != nil {
						t.Fatal(err)
					}
					b.written(low)
				}
				k.add(10 * time.Second)
			}
			if through < 60 || longest > 10*time.Minute { // one in three minutes alone would be 60
				t.Errorf("%d went in three hours, once none for %s", through, longest)
			}
		})
	}
}
