package files_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"langso/hooks"
)

// cutter is a cable that breaks: its first connections end after so many bytes
// towards the server.
type cutter struct {
	net.Listener
	server string
	cuts   atomic.Int32
	after  int64
}

func (c *cutter) serve() {
	for {
		conn, err := c.Accept()
		if err != nil {
			return
		}
		go c.carry(conn)
	}
}

func (c *cutter) carry(conn net.Conn) {
	defer conn.Close()
	server, err := net.Dial("tcp", c.server)
	if err != nil {
		return
	}
	defer server.Close()
	go func() { _, _ = io.Copy(conn, server) }()
	n, _ := io.CopyN(server, conn, c.after)
	if n == c.after && c.cuts.Add(-1) >= 0 {
		return
	}
	_, _ = io.Copy(server, conn)
}

// TestTusJSClient: the client that the makers of tus publish passes against this
// server, over a cable that breaks too. It is installed into a folder of the
// test's own; without node the test is passed over, except where nothing may be.
func TestTusJSClient(t *testing.T) {
	if testing.Short() {
		t.Skip("it installs a package")
	}
	node, nodeErr := exec.LookPath("node")
	npm, npmErr := exec.LookPath("npm")
	if nodeErr != nil || npmErr != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("node and npm are not there")
		}
		t.Skip("node and npm are not there")
	}
	dir := t.TempDir()
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	install := exec.CommandContext(ctx, npm, "install", "--no-audit", "--no-fund", "--prefix", dir, "tus-js-client@4.3.1")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("install tus-js-client: %v\n%s", err, out)
	}
	v := newVillage(t, func(o *hooks.Options) { o.Now = time.Now })
	server := httptest.NewServer(v.Handler())
	defer server.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cable := &cutter{Listener: listener, server: strings.TrimPrefix(server.URL, "http://"), after: 150_000}
	cable.cuts.Store(3)
	defer listener.Close()
	go cable.serve()

	k := v.key(lan)
	script, err := os.ReadFile("testdata/tus.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tus.mjs"), script, 0o600); err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range 4 {
		b := photo(t, uint64(20+i), 1200, 900, false)
		names = append(names, nameOf(b))
		if err := os.WriteFile(filepath.Join(dir, string('0'+byte(i))+".jpg"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.CommandContext(ctx, node, "tus.mjs")
	run.Dir = dir
	run.Env = append(os.Environ(), "PLAIN="+server.URL, "BREAKING=http://"+listener.Addr().String(), "PHONE="+k.id, "SEED="+hex.EncodeToString(k.key.Seed()))
	var out bytes.Buffer
	run.Stdout, run.Stderr = &out, &out
	if err := run.Run(); err != nil {
		t.Fatalf("tus-js-client: %v\n%s", err, out.String())
	}
	if cable.cuts.Load() > 0 {
		t.Errorf("the cable broke %d times less than it was to", cable.cuts.Load())
	}
	for i, name := range names[:3] {
		if !k.has(name) {
			t.Errorf("file %d did not arrive\n%s", i, out.String())
		}
	}
	if k.has(names[3]) {
		t.Error("the terminated file is there")
	}
}
