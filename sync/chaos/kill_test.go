package chaos

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"langso/hooks"
	"langso/phone"
	"langso/sync/journal"
	"langso/villagetest"
)

var (
	kills  = flag.Int("kills", 4, "how often the server process is killed")
	many   = flag.Int("phones", 8, "how many phones sync meanwhile")
	langso = flag.String("langso", "", "the program to kill; empty: the server's parts in a process of this test")
)

// child is the environment in which this test's binary is the server.
const child = "LANGSO_CHAOS_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(child); dir != "" {
		if err := serve(dir, os.Getenv(child+"_ADDRESS")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve is the server's parts as main puts them together.
func serve(dir, address string) error {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: journal.Connect})
	if err := app.Bootstrap(); err != nil {
		return err
	}
	c := hooks.Bind(app, hooks.Options{Domains: domains()})
	c.BindDashboard()
	return apis.Serve(app, apis.ServeConfig{HttpAddr: address})
}

// process is the server under the axe.
type process struct {
	t       *testing.T
	dir     string
	address string
	command *exec.Cmd
	said    sync.WaitGroup
}

// start begins the process and waits until it answers.
func (p *process) start() {
	p.t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), child+"="+p.dir, child+"_ADDRESS="+p.address)
	if *langso != "" {
		command = exec.Command(*langso, "serve", "--http", p.address, "--dir", p.dir)
	}
	said, err := command.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.said.Go(func() {
		for lines := bufio.NewScanner(said); lines.Scan(); {
			p.t.Log(lines.Text())
		}
	})
	p.command = command
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if r, err := http.Get("http://" + p.address + "/api/langso"); err == nil {
			_ = r.Body.Close()
			return
		}
		select {
		case <-ctx.Done():
			p.t.Fatal("the server does not answer")
		case <-tick.C:
		}
	}
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	p.said.Wait()
	_ = p.command.Wait() // it says "killed"
}

// TestKillNine kills a real server process under phones that write and sync all
// the time. What a phone was told is taken is there in the end, once.
func TestKillNine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := village(t, dir, *many)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, dir: dir, address: listener.Addr().String()}
	_ = listener.Close()
	var phones []*phone.Phone
	for i := range *many {
		phones = append(phones, enrolled(t, s, person(i), "http://"+p.address))
	}
	if err := s.Absorb(); err != nil {
		t.Fatal(err)
	}
	s.Stop()

	p.start()
	var acked atomic.Int64
	ctx, stop := context.WithCancel(context.Background())
	var working sync.WaitGroup
	for i, m := range phones {
		working.Go(func() { works(t, ctx, m, person(i), &acked) })
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	for range *kills {
		// Somewhere among the next edits, and then anywhere within an exchange.
		until := acked.Load() + 1 + int64(rnd.IntN(6**many))
		for deadline := time.Now().Add(time.Minute); acked.Load() < until && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond) // the clock of another process is no synctest's
		}
		time.Sleep(time.Duration(rnd.IntN(20)) * time.Millisecond)
		p.kill()
		p.start()
	}
	stop()
	working.Wait()
	for _, m := range phones {
		if _, err := m.Sync(context.Background()); err != nil {
			t.Errorf("with the server back: %v", err)
		}
	}
	p.kill()
	s = villagetest.At(t, dir, domains())
	nothingIsLost(t, s, phones)
	t.Logf("%d kills, %d phones, %d edits acknowledged", *kills, *many, acked.Load())
}

// enrolled is a phone that knows the server by its address.
func enrolled(t *testing.T, s *villagetest.Server, who, address string) *phone.Phone {
	t.Helper()
	p, err := phone.Open(filepath.Join(t.TempDir(), "phone"), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	key, err := p.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	id := s.Put(t, "phones", "", map[string]any{"person": who, "label": "Máy thử", "public_key": key})
	if err := p.Adopt(id, who); err != nil {
		t.Fatal(err)
	}
	return p
}

// works writes and syncs until told to stop.
func works(t *testing.T, ctx context.Context, p *phone.Phone, who string, acked *atomic.Int64) {
	for ctx.Err() == nil {
		if _, _, err := p.Create("drafts", draft(who, "lời")); err != nil {
			t.Error(err)
			return
		}
		if _, err := p.Add("products", product, map[string]float64{"stock": -1}); err != nil {
			t.Error(err)
			return
		}
		r, err := p.Sync(ctx)
		acked.Add(int64(len(r.Verdicts)))
		if err != nil { // the server is dead just now
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

// nothingIsLost: every edit has its verdict, taken creates are there, and the
// stock went down by the taken sales exactly.
func nothingIsLost(t *testing.T, s *villagetest.Server, phones []*phone.Phone) {
	t.Helper()
	there := map[string]bool{}
	records, err := s.App.FindAllRecords("drafts")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		there[r.Id] = true
	}
	sold, written := 0, 0
	for i, p := range phones {
		edits, err := p.Edits()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range edits {
			switch {
			case e.State != "taken" && e.State != "merged":
				t.Errorf("edit %d of phone %d is %s: %s", e.N, i, e.State, strings.TrimSpace(e.Verdict.Say))
			case e.Create != nil && !there[e.ID]:
				t.Errorf("edit %d of phone %d was taken and its record is not there", e.N, i)
			case e.Create != nil:
				written++
			default:
				sold++
			}
		}
	}
	if written != len(there) {
		t.Errorf("%d drafts were taken, %d are there", written, len(there))
	}
	r, err := s.App.FindRecordById("products", product)
	if err != nil {
		t.Fatal(err)
	}
	if got := 1_000_000 - r.GetInt("stock"); got != sold {
		t.Errorf("%d pieces left the stock, %d were told sold", got, sold)
	}
}
