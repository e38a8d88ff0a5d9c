package apptest_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"langso/apptest"
)

// TestNothingIsLeftOfAnApp: a test that made apps leaves neither a watcher of files
// (Linux gives a user 128 of them, and whoever finds none logs it, beside the next
// test) nor a goroutine.
func TestNothingIsLeftOfAnApp(t *testing.T) {
	apptest.Dir(t) // the one that migrates
	watchers, before := watchersOpen(t), runtime.NumGoroutine()
	for range 5 {
		t.Run("an app", func(t *testing.T) { apptest.New(t) })
	}
	if n := watchersOpen(t); n > watchers {
		t.Errorf("%d watchers of files more than before", n-watchers)
	}
	// Each leaves at once or when it next looks at its channel; the five would not.
	for range 1000 {
		if runtime.NumGoroutine() < before+5 {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%d goroutines more than before", runtime.NumGoroutine()-before)
}

// watchersOpen counts this process's watchers; where there is no /proc it is 0.
func watchersOpen(t *testing.T) (n int) {
	t.Helper()
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if to, err := os.Readlink(f); err == nil && strings.Contains(to, "inotify") {
			n++
		}
	}
	return n
}
