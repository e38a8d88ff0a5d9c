package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"langso/phone"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// langso is a commune: the program itself, built from this repository and
// serving the demo in a folder of its own, and phones of one of its people. All
// engines take their records from a phone of it.
type langso struct {
	program, dir, address string
	db                    *sql.DB // beside the server, as the dashboard's console would
	server                *exec.Cmd
	said                  *tail // by the server: codes are texts that it prints
	person, number        string
	phones                int
	browser               bool // phones are those of the browser
	bench                 *Bench
}

// newLangso makes the commune, ready to serve.
func newLangso(ctx context.Context, repo, dir string) (*langso, error) {
	l := &langso{program: filepath.Join(dir, "langso"), dir: filepath.Join(dir, "commune")}
	build := exec.CommandContext(ctx, "go", "build", "-o", l.program, ".")
	build.Dir = repo
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build langso: %w\n%s", err, out)
	}
	if err := l.serve(ctx, "--demo", "--demo-households", "250"); err != nil {
		return nil, err
	}
	if err := l.stop(); err != nil {
		return nil, err
	}
	if err := l.equip(); err != nil {
		return nil, fmt.Errorf("equip villager: %w", err)
	}
	// The file for new phones is made in the background; here it must be there
	// before the first phone comes.
	snapshot := exec.CommandContext(ctx, l.program, "snapshot", filepath.Join(dir, "snapshot"), "--dir", l.dir)
	if out, err := snapshot.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make snapshot file: %w\n%s", err, out)
	}
	return l, l.db.Close()
}

// copy is the same commune in a folder of its own, served.
func (l *langso) copy(ctx context.Context, name string) (*langso, error) {
	c := &langso{program: l.program, dir: filepath.Join(filepath.Dir(l.dir), name, "commune"), person: l.person, number: l.number, bench: l.bench}
	if err := os.CopyFS(c.dir, os.DirFS(l.dir)); err != nil {
		return nil, err
	}
	// Without its mark, which stands beside the folder, a copy is a restored backup.
	mark, err := os.ReadFile(l.dir + ".mark")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(c.dir+".mark", mark, 0o600); err != nil {
		return nil, err
	}
	if err := c.open(); err != nil {
		return nil, err
	}
	return c, c.serve(ctx)
}

// open opens the database beside the server.
func (l *langso) open() (err error) {
	l.db, err = sql.Open("sqlite", filepath.Join(l.dir, "data.db")+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(ON)&_pragma=recursive_triggers(ON)")
	return err
}

// serve starts the server on a free port and returns when it answers.
func (l *langso) serve(ctx context.Context, more ...string) error {
	var err error
	if l.address, err = freeAddress(); err != nil {
		return err
	}
	l.said = &tail{}
	l.server = exec.Command(l.program, append([]string{"serve", "--dir", l.dir, "--http", l.address}, more...)...)
	l.server.Stdout, l.server.Stderr = l.said, l.said
	if err := l.server.Start(); err != nil {
		return err
	}
	if err := waitFor(ctx, 3*time.Minute, func() bool { return answers("http://" + l.address + "/api/health") }); err != nil {
		return fmt.Errorf("start langso: %w\n%s", err, l.said)
	}
	return nil
}

func (l *langso) stop() error {
	if l.server == nil {
		return nil
	}
	p := l.server
	l.server = nil
	return terminate(p)
}

// equip gives the villager with the longest health book exactly the workload: 60
// health entries, 10 dossiers and 40 orders of their own.
func (l *langso) equip() error {
	if err := l.open(); err != nil {
		return err
	}
	if err := l.db.QueryRow(`SELECT person FROM health_entries GROUP BY person ORDER BY count(*) DESC, person LIMIT 1`).Scan(&l.person); err != nil {
		return err
	}
	for _, want := range []struct {
		table, owner string
		n            int
	}{{"health_entries", "person", 60}, {"dossiers", "person", 10}, {"orders", "buyer", 40}} {
		for _, q := range []string{
			`UPDATE %[1]s SET %[2]s = ?1 WHERE id IN (SELECT id FROM %[1]s WHERE %[2]s != ?1 ORDER BY id LIMIT max(0, ?2 - (SELECT count(*) FROM %[1]s WHERE %[2]s = ?1)))`,
			`DELETE FROM %[1]s WHERE %[2]s = ?1 AND id NOT IN (SELECT id FROM %[1]s WHERE %[2]s = ?1 ORDER BY id LIMIT ?2)`,
		} {
			if _, err := l.db.Exec(fmt.Sprintf(q, want.table, want.owner), l.person, want.n); err != nil {
				return err
			}
		}
	}
	if _, err := l.db.Exec(`UPDATE persons SET phone_number = '+84530999001' WHERE id = ? AND phone_number = ''`, l.person); err != nil {
		return err
	}
	return l.db.QueryRow(`SELECT phone_number FROM persons WHERE id = ?`, l.person).Scan(&l.number)
}

// records are what a phone of the villager holds after its first sync.
func (l *langso) records(ctx context.Context) (_ []Record, err error) {
	c, err := l.copy(ctx, "source")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	p, err := c.goPhone(ctx, c.address)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	if err := p.Sync(ctx, nil); err != nil {
		return nil, err
	}
	return p.Held(ctx)
}

func (l *langso) Address() string { return l.address }

// Change writes into the tables by SQL: triggers see it.
func (l *langso) Change(_ context.Context, all []Record) error {
	for _, r := range all {
		for k, v := range r.Fields {
			if v == nil {
				v = ""
			}
			if _, err := l.db.Exec(`UPDATE `+r.Coll+` SET "`+k+`" = ? WHERE id = ?`, v, r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *langso) Missing(_ context.Context, all []Record) (int, error) {
	n := len(all)
	for _, r := range all {
		var there int
		if err := l.db.QueryRow(`SELECT count(*) FROM `+r.Coll+` WHERE id = ?`, r.ID).Scan(&there); err != nil {
			return 0, err
		}
		n -= there
	}
	return n, nil
}

func (l *langso) Phone(ctx context.Context, address string) (Phone, error) {
	if l.browser {
		return l.jsPhone(ctx, address)
	}
	return l.goPhone(ctx, address)
}

func (l *langso) Close() error { return joinClose(l.db.Close, l.stop) }

var code = regexp.MustCompile(`mã đăng nhập của bác là (\d{6})`)

// code lets the phone ask for a code and returns the one that the server texts.
// The minute that a number has to wait for its next is taken away.
func (l *langso) code(ctx context.Context, ask func() error) (string, error) {
	if _, err := l.db.Exec(`DELETE FROM sign_in_codes`); err != nil {
		return "", err
	}
	texts := func() [][]string { return code.FindAllStringSubmatch(l.said.String(), -1) }
	before := len(texts())
	if err := ask(); err != nil {
		return "", err
	}
	if err := waitFor(ctx, 10*time.Second, func() bool { return len(texts()) > before }); err != nil {
		return "", errors.New("the server texted no code")
	}
	all := texts()
	return all[len(all)-1][1], nil
}

// goPhone signs a native phone in, as a villager does.
func (l *langso) goPhone(ctx context.Context, address string) (*goPhone, error) {
	l.phones++
	t := &http.Transport{DisableCompression: true}
	p, err := phone.Open(filepath.Join(l.dir, "..", fmt.Sprintf("phone%d", l.phones)), "http://"+address, phone.WithTransport(t))
	if err != nil {
		return nil, err
	}
	code, err := l.code(ctx, func() error { return p.Code(ctx, l.number) })
	if err != nil {
		return nil, err
	}
	choices, err := p.SignIn(ctx, l.number, code, l.person, "bench")
	if err == nil && len(choices) > 0 {
		err = errors.New("the number is not the person's alone")
	}
	return &goPhone{p, t}, err
}

// goPhone is the native phone.
type goPhone struct {
	*phone.Phone
	transport *http.Transport
}

func (p *goPhone) Sync(ctx context.Context, _ []Record) error {
	r, err := p.Phone.Sync(ctx)
	if err != nil {
		return err
	}
	for _, v := range r.Verdicts {
		if v.Is != "taken" {
			return fmt.Errorf("edit %d is %s", v.N, v.Is)
		}
	}
	if !r.Complete {
		return fmt.Errorf("not complete")
	}
	return nil
}

func (p *goPhone) Rest(context.Context) error {
	p.transport.CloseIdleConnections()
	return nil
}

func (p *goPhone) Edit(_ context.Context, all []Record) error {
	for _, r := range all {
		if _, err := p.CreateAs(r.Coll, r.ID, phone.Values(r.Fields)); err != nil {
			return err
		}
	}
	return nil
}

func (p *goPhone) Held(context.Context) ([]Record, error) {
	colls, err := p.Collections()
	if err != nil {
		return nil, err
	}
	var out []Record
	for _, coll := range colls {
		all, err := p.Phone.Held(coll)
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			raw, err := json.Marshal(r.Fields)
			if err != nil {
				return nil, err
			}
			rec := Record{Coll: coll, ID: r.ID}
			if err := json.Unmarshal(raw, &rec.Fields); err != nil {
				return nil, err
			}
			out = append(out, rec)
		}
	}
	return out, nil
}

// jsPhone signs a browser's phone in: it runs in node, with its store in memory.
func (l *langso) jsPhone(ctx context.Context, address string) (Phone, error) {
	l.phones++
	dir := filepath.Join(l.dir, "..", fmt.Sprintf("phone%d", l.phones))
	for _, part := range []string{"pb_public/sync", "bench/peers"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join(l.bench.Repo, part))); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type":"module"}`), 0o600); err != nil {
		return nil, err
	}
	n, err := startNode(ctx, node{Program: "node", Dir: dir, Script: "bench/peers/langso/phone.mjs", Args: []string{"http://" + address}})
	if err != nil {
		return nil, err
	}
	code, err := l.code(ctx, func() error { return n.do(ctx, "ask", map[string]any{"number": l.number}, nil) })
	if err != nil {
		return nil, err
	}
	return nodePhone{n}, n.do(ctx, "enter", map[string]any{"number": l.number, "code": code, "person": l.person}, nil)
}

// freeAddress is a loopback address on which nobody listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func answers(url string) bool {
	response, err := http.Get(url)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, response.Body)
	return response.Body.Close() == nil && response.StatusCode < 500
}

// waitFor asks until yes.
func waitFor(ctx context.Context, atMost time.Duration, yes func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	for !yes() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// terminate asks a program that we started to end, and waits for it.
func terminate(p *exec.Cmd) error {
	if err := p.Process.Signal(syscall.SIGTERM); err != nil && !strings.Contains(err.Error(), "finished") {
		return err
	}
	late := time.AfterFunc(20*time.Second, func() { _ = p.Process.Kill() })
	defer late.Stop()
	_ = p.Wait() // how it ended does not matter any more
	return nil
}
