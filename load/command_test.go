package load

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	_ "langso/pb_migrations"
)

// command runs `import` over a folder with the files in a fresh commune.
func command(t *testing.T, files map[string]string) (status, absorbed int, told string) {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ResetBootstrapState() })
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	exit = func(code int) { status = code }
	t.Cleanup(func() { exit = os.Exit })
	var out strings.Builder
	cmd := Command(app, nil, func() error { absorbed++; return nil })
	cmd.SetArgs([]string{dir})
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	if err := cmd.ExecuteContext(context.Background()); err != nil {
		t.Fatal(err)
	}
	return status, absorbed, out.String()
}

func TestTheCommandEndsWithAStatus(t *testing.T) {
	for _, c := range []struct {
		who      string
		files    map[string]string
		status   int
		absorbed int
		told     string
	}{
		{"good rows", map[string]string{"villages.csv": "external,name\nT1,Thôn Một\n"}, 0, 1, "mới 1"},
		{"one bad row", map[string]string{"villages.csv": "external,name\nT1,\nT2,Thôn Hai\n"}, 1, 1, "villages.csv:2 required Cột «name»: không được để trống."},
		{"a wrong header", map[string]string{"villages.csv": "external,external\nT1,T1\n"}, 1, 1, "bad_header"},
		{"another alphabet", map[string]string{"villages.csv": "\xff\xfee\x00"}, 1, 1, "bad_utf8"},
		{"an empty file", map[string]string{"villages.csv": ""}, 0, 1, "0 dòng"},
		{"nothing to load", map[string]string{"ghi-chu.txt": ""}, 1, 0, "Không nạp tiếp được"},
	} {
		t.Run(c.who, func(t *testing.T) {
			status, absorbed, told := command(t, c.files)
			if status != c.status || absorbed != c.absorbed || !strings.Contains(told, c.told) {
				t.Errorf("status %d, absorbed %d times, told:\n%s", status, absorbed, told)
			}
		})
	}
}

// TestABrokenOffLoadKeepsWholeBatches: what was committed stays and is counted.
func TestABrokenOffLoadKeepsWholeBatches(t *testing.T) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ResetBootstrapState() })
	if err := app.RunAllMigrations(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := "external,name\n"
	for i := range 2*batchRows + 500 {
		text += ID("x", strings.Repeat("i", i%7)+string(rune('a'+i%26))+strings.Repeat("j", i/26)) + ",Thôn\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "villages.csv"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	report, err := Run(ctx, app, nil, stopping{src, stop, 2*batchRows + 100}, nil)
	var n int
	if e := app.DB().Select("count(*)").From("villages").Row(&n); e != nil {
		t.Fatal(e)
	}
	if !errors.Is(err, context.Canceled) || n != 2*batchRows || report.Total().New != n {
		t.Errorf("%v: %d villages, report %+v", err, n, report.Total())
	}
}

// stopping cancels after so many rows.
type stopping struct {
	Source
	stop  func()
	after int
}

func (s stopping) Rows(collection string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		n := 0
		for row, err := range s.Source.Rows(collection) {
			if n++; n == s.after {
				s.stop()
			}
			if !yield(row, err) {
				return
			}
		}
	}
}
