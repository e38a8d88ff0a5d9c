package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cluster is a PostgreSQL of our own in a folder that is removed after it.
type cluster struct {
	dir, port string
	bin       string
	as        *syscall.SysProcAttr
	server    *exec.Cmd
	said      tail
}

// startPostgres makes and starts a cluster with logical replication.
func startPostgres(ctx context.Context) (c *cluster, err error) {
	c = &cluster{}
	if c.bin, err = postgresBin(); err != nil {
		return nil, err
	}
	if c.dir, err = os.MkdirTemp("", "langso-pg"); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 { // PostgreSQL will not run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, notHere("run as root, and there is no user postgres to run PostgreSQL as")
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2, os.Chown(c.dir, int(uid), int(gid))); err != nil {
			return nil, err
		}
		c.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	data := filepath.Join(c.dir, "data")
	if err := c.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"); err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, c.port, _ = net.SplitHostPort(address)
	c.server = exec.Command(filepath.Join(c.bin, "postgres"), "-D", data, "-p", c.port, "-k", c.dir, "-c", "listen_addresses=127.0.0.1",
		"-c", "wal_level=logical", "-c", "max_connections=200")
	c.server.SysProcAttr, c.server.Dir, c.server.Stdout, c.server.Stderr = c.as, c.dir, &c.said, &c.said
	if err := c.server.Start(); err != nil {
		return nil, err
	}
	if err := waitFor(ctx, 30*time.Second, func() bool { return c.run("pg_isready", "-h", "127.0.0.1", "-p", c.port, "-U", "postgres") == nil }); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w\n%s", err, &c.said), c.Close())
	}
	return c, nil
}

// postgresBin is where the server's programs are: the newest of Debian's, or on the path.
func postgresBin() (string, error) {
	if all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(all) > 0 {
		return filepath.Dir(slices.Max(all)), nil
	}
	p, err := exec.LookPath("postgres")
	if err != nil {
		return "", notHere("PostgreSQL is not installed")
	}
	return filepath.Dir(p), nil
}

func (c *cluster) run(program string, args ...string) error {
	cmd := exec.Command(filepath.Join(c.bin, program), args...)
	cmd.SysProcAttr, cmd.Dir = c.as, c.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// create makes a database and returns its address.
func (c *cluster) create(name string) (string, error) {
	return fmt.Sprintf("postgres://postgres:unasked@127.0.0.1:%s/%s", c.port, name), c.run("createdb", "-h", "127.0.0.1", "-p", c.port, "-U", "postgres", name)
}

func (c *cluster) Close() error {
	_ = c.server.Process.Signal(syscall.SIGINT) // fast: open sessions are ended
	late := time.AfterFunc(20*time.Second, func() { _ = c.server.Process.Kill() })
	defer late.Stop()
	_ = c.server.Wait()
	return os.RemoveAll(c.dir)
}
