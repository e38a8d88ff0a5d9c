package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// node is a driver of ours in a node process: one command a line on its stdin,
// one answer a line on its stdout (lines.mjs).
type node struct {
	Program string // node, or one that an engine brings along
	Dir     string
	Script  string
	Args    []string
	Env     []string
	Detach  bool // it may print what it likes and is told nothing
}

type running struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	said *tail
}

func startNode(ctx context.Context, n node) (*running, error) {
	program, err := exec.LookPath(n.Program)
	if err != nil {
		return nil, notHere("%s is not installed", n.Program)
	}
	cmd := exec.Command(program, append([]string{"--no-warnings", n.Script}, n.Args...)...)
	cmd.Dir = n.Dir
	cmd.Env = append(os.Environ(), n.Env...)
	r := &running{cmd: cmd, said: &tail{}}
	cmd.Stderr = r.said
	if n.Detach {
		cmd.Stdout = r.said
		return r, cmd.Start()
	}
	if r.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.out = bufio.NewReader(out)
	return r, cmd.Start()
}

// patience bounds one command: a first sync over EDGE takes minutes.
const patience = 20 * time.Minute

// do tells the driver something and reads its answer into got, if not nil.
func (r *running) do(ctx context.Context, what string, args map[string]any, got any) error {
	command := map[string]any{"do": what}
	for k, v := range args {
		command[k] = v
	}
	line, err := json.Marshal(command)
	if err != nil {
		return err
	}
	if _, err := r.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("%s: %w\n%s", what, err, r.said)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = r.cmd.Process.Kill() })()
	answer, err := r.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s: the driver is gone: %w\n%s", what, errors.Join(ctx.Err(), err), r.said)
	}
	var failure struct{ Error string }
	if err := json.Unmarshal(answer, &failure); err != nil {
		return fmt.Errorf("%s: read answer: %w", what, err)
	}
	if failure.Error != "" {
		return fmt.Errorf("%s: %s\n%s", what, failure.Error, r.said)
	}
	if got == nil {
		return nil
	}
	return json.Unmarshal(answer, got)
}

func (r *running) Close() error {
	if r.in == nil {
		return terminate(r.cmd)
	}
	_ = r.in.Close()
	late := time.AfterFunc(20*time.Second, func() { _ = r.cmd.Process.Kill() })
	defer late.Stop()
	_ = r.cmd.Wait()
	return nil
}

// tail keeps the last of what a program says, for its error.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.buf.Len() > 1<<16 {
		t.buf.Next(t.buf.Len() - 1<<12)
	}
	return t.buf.Write(b)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.buf.String()
	return s[max(0, len(s)-3000):]
}

// nodePhone is a phone.mjs.
type nodePhone struct{ *running }

func (p nodePhone) Sync(ctx context.Context, see []Record) error {
	return p.do(ctx, "sync", map[string]any{"see": see}, nil)
}
func (p nodePhone) Rest(ctx context.Context) error { return p.do(ctx, "rest", nil, nil) }
func (p nodePhone) Edit(ctx context.Context, all []Record) error {
	return p.do(ctx, "edit", map[string]any{"records": all}, nil)
}
func (p nodePhone) Held(ctx context.Context) ([]Record, error) {
	var got struct{ Records []Record }
	return got.Records, p.do(ctx, "held", nil, &got)
}

// install brings an engine's packages, in the exact versions of its
// package.json, into a folder that the next run finds again, and puts our drivers
// beside them.
func install(ctx context.Context, b *Bench, engine string) (dir string, err error) {
	if dir, err = os.UserCacheDir(); err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "langso-peers", engine)
	from := filepath.Join(b.Repo, "bench/peers", engine)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	was, _ := os.ReadFile(filepath.Join(dir, "package.json"))
	files, err := filepath.Glob(filepath.Join(from, "*"))
	if err != nil {
		return "", err
	}
	for _, file := range append(files, filepath.Join(b.Repo, "bench/peers/lines.mjs")) {
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), raw, 0o600); err != nil {
			return "", err
		}
	}
	is, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", ".langso")); err == nil && bytes.Equal(was, is) {
		return dir, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", notHere("npm is not installed")
	}
	cmd := exec.CommandContext(ctx, npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", notHere("npm install: %v: %s", err, strings.TrimSpace(string(out)))
	}
	return dir, os.WriteFile(filepath.Join(dir, "node_modules", ".langso"), nil, 0o600)
}
