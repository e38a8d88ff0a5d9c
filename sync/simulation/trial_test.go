package simulation

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"
)

// memory is a folder that is no disk, where there is one: a history syncs its
// files a thousand times, and what a power cut leaves is sync/chaos's matter.
func memory() string {
	if s, err := os.Stat("/dev/shm"); err == nil && s.IsDir() {
		return "/dev/shm"
	}
	return os.TempDir()
}

// trial is a testing.TB that notes a failure and ends its own run only, so that
// a history can be played again and again while it is being shortened.
type trial struct {
	testing.TB
	dir      string
	folders  int
	failures []string
	cleanups []func()
}

// run plays f and returns what failed; a panic is a failure too.
func run(tb testing.TB, f func(*trial)) (failures []string) {
	dir, err := os.MkdirTemp(memory(), "langso-sim")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	t := &trial{TB: tb, dir: dir}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer t.clean()
		defer t.recovered()
		f(t)
	}()
	<-done
	return t.failures
}

func (t *trial) recovered() {
	if p := recover(); p != nil {
		t.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}

func (t *trial) clean() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		func() {
			defer t.recovered()
			t.cleanups[i]()
		}()
	}
}

// The parts of testing.TB that the village uses.

func (t *trial) Helper()           {}
func (t *trial) Failed() bool      { return len(t.failures) > 0 }
func (t *trial) Cleanup(f func())  { t.cleanups = append(t.cleanups, f) }
func (t *trial) FailNow()          { runtime.Goexit() }
func (t *trial) Error(args ...any) { t.failures = append(t.failures, fmt.Sprint(args...)) }
func (t *trial) Errorf(format string, args ...any) {
	t.failures = append(t.failures, fmt.Sprintf(format, args...))
}
func (t *trial) Fatal(args ...any)                 { t.Error(args...); t.FailNow() }
func (t *trial) Fatalf(format string, args ...any) { t.Errorf(format, args...); t.FailNow() }
func (t *trial) TempDir() string {
	t.folders++
	dir := filepath.Join(t.dir, fmt.Sprint(t.folders))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}
