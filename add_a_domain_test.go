package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAddADomain plays docs/ADD_A_DOMAIN.md on a copy of the program: whoever
// follows the page gets a domain that works.
func TestAddADomain(t *testing.T) {
	if os.Getenv("LANGSO_ADDED") != "" {
		t.Skip("this is the copy")
	}
	page, err := os.ReadFile("docs/ADD_A_DOMAIN.md")
	if err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	err = filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); file != "." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "pb_data") || name == "node_modules") {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(copied, file), 0o755)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(copied, file), raw, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(\\w+) file=(\\S+)\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 4 {
		t.Fatalf("the page has %d files, want 4", len(blocks))
	}
	for _, b := range blocks {
		kind, file, text := b[1], filepath.Join(copied, b[2]), b[3]
		if kind == "diff" {
			text = insert(t, file, text)
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"test", ".", "-run", "TestCharter|TestSchema", "-update"},
		{"test", ".", "-run", "TestStories/bees|TestCharter|TestSchema|TestOneTruth|TestArrows"},
	} {
		cmd := exec.Command("go", args...)
		cmd.Dir = copied
		cmd.Env = append(os.Environ(), "LANGSO_ADDED=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	charter, err := os.ReadFile(filepath.Join(copied, "docs", "CHARTER.txt"))
	if err != nil || !strings.Contains(string(charter), "hives") {
		t.Errorf("the charter does not speak of hives (%v)", err)
	}
}

// insert puts the added lines where the page says: an import among the imports,
// a domain at the end of the list.
func insert(t *testing.T, file, diff string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for line := range strings.Lines(diff) {
		line = strings.TrimPrefix(line, "+")
		if strings.Contains(line, `"`) {
			text = strings.Replace(text, "\t\"langso/commune\"\n", "\t\"langso/commune\"\n"+line, 1)
			continue
		}
		text = strings.TrimSuffix(strings.TrimRight(text, "\n"), "}") + line + "}\n"
	}
	return text
}
