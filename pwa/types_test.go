package pwa_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// The sync folder is a module that other apps use: what its comments promise of
// types holds under TypeScript's strictest reading, and nothing is imported from
// outside. So does what the screens and the worker say of themselves. The compiler comes from the package registry; without npm, or where
// -short says so, this is passed over, except where nothing may be.
func TestTypes(t *testing.T) {
	npm, err := exec.LookPath("npm")
	if err != nil || testing.Short() {
		if os.Getenv("CI") == "true" {
			t.Fatal("no npm, and CI must have one")
		}
		t.Skip("no npm here")
	}
	dir := t.TempDir()
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	install := exec.CommandContext(ctx, npm, "install", "--no-audit", "--no-fund", "--prefix", dir, "typescript@5.9.3")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("install typescript: %v\n%s", err, out)
	}
	if err := os.CopyFS(dir, os.DirFS("../pb_public")); err != nil {
		t.Fatal(err)
	}
	check := func(folders ...string) ([]byte, error) {
		args := []string{"--checkJs", "--allowJs", "--noEmit", "--strict", "--target", "es2024", "--module", "esnext", "--moduleResolution", "bundler",
			"--lib", "es2024,dom,dom.iterable,dom.asynciterable"}
		for _, f := range folders {
			files, _ := filepath.Glob(filepath.Join(dir, f))
			args = append(args, files...)
		}
		cmd := exec.CommandContext(ctx, filepath.Join(dir, "node_modules/.bin/tsc"), args...)
		cmd.Dir = dir
		return cmd.CombinedOutput()
	}
	if out, err := check("sync/*.js", "sync/later/*.js"); err != nil {
		t.Errorf("the sync module: %v\n%s", err, out)
	}
	// The two workers stand on another global than a window.
	if out, err := check("app.js", "domains/*.js", "domains/later/*.js", "ui/*.js", "ui/later/*.js", "push/[^w]*.js"); err != nil {
		t.Errorf("the app: %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "sync", "wrong.js"), []byte("import { open } from './index.js';\nopen({ base: 7 });\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := check("sync/*.js", "sync/later/*.js"); err == nil {
		t.Error("a wrong use of the module is not noticed")
	}
}

// Imports stay within the folder.
func TestTheSyncModuleStandsAlone(t *testing.T) {
	files, err := filepath.Glob("../pb_public/sync/*.js")
	if err != nil || len(files) == 0 {
		t.Fatal("no modules")
	}
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:from|import)[ (]'([^']+)'`).FindAllStringSubmatch(string(body), -1) {
			if !regexp.MustCompile(`^\./[a-z/]+\.js$`).MatchString(m[1]) {
				t.Errorf("%s imports %s", f, m[1])
			}
		}
	}
}
