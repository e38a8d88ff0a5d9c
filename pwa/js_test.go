package pwa_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The app's own modules run in node, against the vectors of docs/protocol and
// a network that cuts and repeats. They are copied beside a package.json that
// says they are modules, since the served folder should hold no such file.
func TestModules(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no node, and CI must have one")
		}
		t.Skip("no node here")
	}
	dir := t.TempDir()
	for from, to := range map[string]string{"../pb_public": "pb_public", "../docs/protocol": "docs/protocol", "testdata": "pwa/testdata"} {
		if err := os.CopyFS(filepath.Join(dir, to), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type":"module"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	tests, err := filepath.Glob(filepath.Join(dir, "pwa/testdata/*.test.mjs"))
	if err != nil || len(tests) == 0 {
		t.Fatalf("no tests to run: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), node, append([]string{"--no-warnings", "--test", "--test-reporter=spec"}, tests...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
