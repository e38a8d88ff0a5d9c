package fcm_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"langso/apptest"
	"langso/commune"
	"langso/notify"
	"langso/notify/fcm"
	"langso/notify/fcmsim"
	"langso/sync/journal"
)

var (
	kills  = flag.Int("kills", 3, "how often the server is killed in the middle of a fan-out")
	phones = flag.Int("phones", 600, "how many phones the fan-out is for")
)

// The child of TestKilledInTheMiddle: a server's outbox over the folder of this
// setting, until nothing waits or it is killed.
const (
	childFolder = "LANGSO_OUTBOX_CHILD"
	childLater  = "LANGSO_OUTBOX_CHILD_LATER" // seconds that its clock is ahead
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(dir string) error {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: journal.Connect, DataMaxOpenConns: 8, DataMaxIdleConns: 4})
	if err := app.Bootstrap(); err != nil {
		return err
	}
	later, err := strconv.Atoi(os.Getenv(childLater))
	if err != nil {
		return err
	}
	now := func() time.Time { return time.Now().Add(time.Duration(later) * time.Second) }
	o := &notify.Outbox{App: app, Senders: []notify.Sender{fcm.FromEnv()}, Now: now}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan struct{})
	go func() { defer close(ended); o.Run(ctx) }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		s, err := o.Status()
		if err != nil {
			return err
		}
		if s.Waiting == 0 {
			stop()
			<-ended
			return apptest.End(app)
		}
	}
	return nil
}

// crowd makes n phones of one villager.
func crowd(t testing.TB, app core.App, n int) {
	t.Helper()
	put := func(coll, id string, fields map[string]any) { t.Helper(); apptest.Put(t, app, coll, id, fields) }
	put("villages", "village00000001", map[string]any{"name": "Thôn Đông"})
	put("households", "household000001", map[string]any{"name": "Lan", "village": "village00000001"})
	put("persons", "lan000000000000", map[string]any{"name": "Lan", "household": "household000001", "village": "village00000001"})
	err := app.RunInTransaction(func(tx core.App) error {
		q := tx.NonconcurrentDB().NewQuery(`INSERT INTO phones (id, person, label, public_key, transport, address, address_state)
			VALUES ({:id}, 'lan000000000000', 'Máy', {:id}, 'fcm', {:address}, 'ok')`).Prepare()
		defer q.Close()
		for i := range n {
			_, err := q.Bind(dbx.Params{"id": fmt.Sprintf("p%014d", i), "address": fmt.Sprintf("address-%d", i)}).Execute()
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func start(t testing.TB, o fcmsim.Options) *fcmsim.Sim {
	t.Helper()
	sim, err := fcmsim.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	return sim
}

// TestKilledInTheMiddle kills a real server process with kill -9 in the middle of
// a fan-out, over and over, while FCM refuses one in fifty: nobody is lost, no
// kill repeats more than one page, and no person sees a notice twice.
//
//	go test ./notify/fcm -run TestKilledInTheMiddle -kills 20 -phones 20000 -v
func TestKilledInTheMiddle(t *testing.T) {
	const page = 750 // the largest
	sim := start(t, fcmsim.Options{Seed: 1, Faults: fcmsim.Faults{Unavailable: .01, Quota: .01, RetryAfter: time.Second, Latency: 20 * time.Millisecond}})
	dir := apptest.Dir(t)
	app := apptest.Boot(t, dir)
	crowd(t, app, *phones)
	n := commune.Notice{To: commune.Commune, Key: "k", Kind: "test", Title: "Bão", Class: commune.Emergency}
	if err := notify.Raise(app, n, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := apptest.End(app); err != nil {
		t.Fatal(err)
	}
	env := childEnv(t, sim, dir)
	for i := range *kills + 1 {
		// The next server is later than the leases of the last.
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(env, childLater+"="+strconv.Itoa(40*i))
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if i == *kills {
			if err := cmd.Wait(); err != nil {
				t.Fatalf("the last server: %v", err)
			}
			break
		}
		killAt(t, cmd, sim, int64(*phones)*int64(i+1)/int64(*kills+1))
	}
	lost, seen := 0, 0
	for i := range *phones {
		p := sim.Phone(fmt.Sprintf("address-%d", i))
		if len(p.Received) == 0 {
			lost++
		}
		if len(p.Shown) > 1 || p.Shown[""] > 0 {
			seen++
		}
	}
	c := sim.Counts()
	doubled := int(c.Accepted) - *phones
	t.Logf("%d phones, %d kills: %d lost, %d wire duplicates (%.0f a kill), %d visible duplicates; %d times 503, %d times 429, %d requests",
		*phones, *kills, lost, doubled, float64(doubled)/float64(*kills), seen, c.Failed5xx, c.Refused429, c.Requests)
	if lost > 0 || seen > 0 || doubled > *kills*page {
		t.Errorf("%d lost, %d seen twice, %d wire duplicates", lost, seen, doubled)
	}
}

// childEnv are the settings of a server that talks to the simulator alone.
func childEnv(t testing.TB, sim *fcmsim.Sim, dir string) []string {
	t.Helper()
	own := t.TempDir()
	account, err := sim.Credentials()
	if err != nil {
		t.Fatal(err)
	}
	roots, credentials := filepath.Join(own, "roots.pem"), filepath.Join(own, "account.json")
	if err := errors.Join(sim.WriteRoots(roots), os.WriteFile(credentials, account, 0o600)); err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), childFolder+"="+dir, "SSL_CERT_FILE="+roots, "LANGSO_FCM_CREDENTIALS="+credentials, "FCM_ENDPOINT="+sim.URL)
}

// killAt kills the process when so many messages were accepted.
func killAt(t testing.TB, cmd *exec.Cmd, sim *fcmsim.Sim, accepted int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	err := sim.Await(ctx, accepted)
	if kill := cmd.Process.Kill(); err != nil || kill != nil {
		t.Fatalf("%d accepted, waiting for %d: %v, %v", sim.Counts().Accepted, accepted, err, kill)
	}
	_ = cmd.Wait() // killed: says so
}
