package bench

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"langso/sync/wire"
)

// throng is a real server process with phones that have a key and nothing else.
type throng struct {
	url    string
	server *exec.Cmd
	phones []*asker
}

// newThrong builds the program, fills a folder with the demo commune and serves it.
func newThrong(b *testing.B, households, phones int) *throng {
	b.Helper()
	dir := b.TempDir()
	program, data := filepath.Join(dir, "langso"), filepath.Join(dir, "data")
	build := exec.Command("go", "build", "-o", program, "langso")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()
	c := &throng{url: "http://" + addr}
	serve := func() {
		c.server = exec.Command(program, "serve", "--demo", "--demo-households", strconv.Itoa(households), "--dir", data, "--http", addr)
		if err := c.server.Start(); err != nil {
			b.Fatal(err)
		}
		for range 1200 {
			if r, err := http.Get(c.url + "/api/langso"); err == nil {
				_ = r.Body.Close()
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		b.Fatal("the server does not answer")
	}
	stop := func() {
		_ = c.server.Process.Signal(os.Interrupt)
		_ = c.server.Wait()
	}
	serve()
	stop()
	c.phones = addPhones(b, filepath.Join(data, "data.db"), phones)
	serve()
	b.Cleanup(stop)
	// The snapshot files are made in the background.
	for range 300 {
		if files, _ := filepath.Glob(filepath.Join(data, "snapshots", "index.json")); len(files) > 0 {
			return c
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.Fatal("no snapshot files")
	return nil
}

func addPhones(b *testing.B, path string, n int) []*asker {
	b.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT id FROM persons WHERE status = 'active' ORDER BY id LIMIT ?`, n)
	if err != nil {
		b.Fatal(err)
	}
	var out []*asker
	for rows.Next() {
		a := &asker{id: fmt.Sprintf("throng%010d", len(out))}
		if err := rows.Scan(&a.person); err != nil {
			b.Fatal(err)
		}
		out = append(out, a)
	}
	_ = rows.Close()
	for _, a := range out {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		a.key = private
		if _, err := db.Exec(`INSERT INTO phones (id, person, label, public_key) VALUES (?, ?, 'bench', ?)`, a.id, a.person, wire.Ed25519Key(public)); err != nil {
			b.Fatal(err)
		}
	}
	return out
}

// memory is the server's resident memory now and at its peak, in bytes.
func (c *throng) memory(b *testing.B) (now, peak float64) {
	b.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", c.server.Process.Pid))
	if err != nil {
		b.Skip("this system has no /proc")
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		name, rest, _ := strings.Cut(s.Text(), ":")
		n, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
		switch name {
		case "VmRSS":
			now = n * 1024
		case "VmHWM":
			peak = n * 1024
		}
	}
	return now, peak
}

// cpu is the time that the server has worked.
func (c *throng) cpu(b *testing.B) time.Duration {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.server.Process.Pid))
	if err != nil {
		b.Skip("this system has no /proc")
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// firstSync is a new phone's meeting without a store: ask, file, ask.
func (a *asker) firstSync(client *http.Client, url string) error {
	head := ""
	for _, body := range []string{`{"v":1,"app":"bench/1","snapshots":true}`, ""} {
		if body == "" {
			body = head
		}
		lines, err := a.post(client, url, body)
		if err != nil {
			return err
		}
		loaded := []string{}
		epoch := ""
		for _, l := range lines {
			for _, s := range l.Load {
				name, err := a.file(client, url, s.Name)
				if err != nil {
					return err
				}
				epoch = name
				for _, c := range s.Circles {
					loaded = append(loaded, fmt.Sprintf("%q:%d", c, s.Seq))
				}
			}
		}
		if len(loaded) == 0 {
			if lines[len(lines)-1].Complete == nil {
				return fmt.Errorf("not complete: %+v", lines[len(lines)-1])
			}
			return nil
		}
		head = fmt.Sprintf(`{"v":1,"app":"bench/1","snapshots":true,"epoch":%q,"loaded":{%s}}`, epoch, strings.Join(loaded, ","))
	}
	return nil
}

func (a *asker) post(client *http.Client, url, body string) ([]wire.Line, error) {
	r, err := http.NewRequest(http.MethodPost, url+"/api/sync", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", wire.Authorization(a.id, ed25519.Sign(a.key, wire.SigningBytes("POST", "/api/sync", []byte(body)))))
	r.Header.Set("Accept-Encoding", "zstd")
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	plain, err := wire.Unpacked(response.Body, response.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, err
	}
	var lines []wire.Line
	answers := wire.ReadAnswer(plain)
	for {
		chunk, ok := answers.Next()
		if !ok {
			if len(lines) == 0 {
				return nil, fmt.Errorf("answered %d", response.StatusCode)
			}
			return lines, nil
		}
		lines = append(lines, chunk...)
	}
}

// file gets a snapshot file and returns its epoch.
func (a *asker) file(client *http.Client, url, name string) (string, error) {
	r, err := http.NewRequest(http.MethodGet, url+"/api/snapshots/"+name, nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Accept-Encoding", "br")
	response, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	plain, err := wire.Unpack(raw, response.Header.Get("Content-Encoding"), wire.MaxSnapshot)
	if err != nil {
		return "", err
	}
	_, rest, _ := strings.Cut(string(plain[:200]), `"epoch":"`)
	epoch, _, _ := strings.Cut(rest, `"`)
	return epoch, nil
}

// BenchmarkThrong: 200 phones make their first sync at once against a real server
// process. over-rest is the peak of its resident memory over that at rest.
func BenchmarkThrong(b *testing.B) {
	c := newThrong(b, 250, 200)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200, DisableCompression: true}, Timeout: 2 * time.Minute}
	time.Sleep(3 * time.Second)
	for b.Loop() {
		rest, _ := c.memory(b)
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", c.server.Process.Pid), []byte("5"), 0); err != nil {
			b.Skip(err)
		}
		worked, start := c.cpu(b), time.Now()
		var all sync.WaitGroup
		errs := make(chan error, len(c.phones))
		for _, a := range c.phones {
			all.Go(func() { errs <- a.firstSync(client, c.url) })
		}
		all.Wait()
		close(errs)
		for err := range errs {
			if err != nil {
				b.Fatal(err)
			}
		}
		_, peak := c.memory(b)
		b.ReportMetric(float64((c.cpu(b)-worked).Milliseconds())/float64(len(c.phones)), "server-ms/phone")
		b.ReportMetric((peak-rest)/(1<<20), "MiB-over-rest")
		b.ReportMetric(rest/(1<<20), "MiB-at-rest")
		b.ReportMetric(time.Since(start).Seconds(), "s/throng")
	}
}
