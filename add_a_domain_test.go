package main

import (
	"encoding/json"
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
	page, err := os.ReadFile("docs/ADD_A_DOMAIN.md")
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	must(t, err)
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
	replace := map[string]string{}
	for _, b := range blocks {
		kind, file, text := b[1], filepath.Join(copied, b[2]), b[3]
		if kind == "diff" {
			text = insert(t, file, text)
		}
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(text), 0o644))
		replace[filepath.Join(here, b[2])] = file
	}
	// The copy is compiled where the program lies, so that what the page does not
	// touch is compiled already; what its tests read and write is the copy's.
	overlay, binary := filepath.Join(t.TempDir(), "overlay.json"), filepath.Join(t.TempDir(), "copy.test")
	text, err := json.Marshal(map[string]any{"Replace": replace})
	must(t, err)
	must(t, os.WriteFile(overlay, text, 0o644))
	for _, step := range []struct {
		dir  string
		args []string
	}{
		{here, []string{"go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, "."}},
		{copied, []string{binary, "-test.run", "TestCharter|TestSchema", "-update"}},
		{copied, []string{binary, "-test.run", "TestStories/bees|TestCharter|TestSchema|TestOneTruth|TestArrows"}},
	} {
		cmd := exec.Command(step.args[0], step.args[1:]...)
		cmd.Dir = step.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(step.args, " "), err, out)
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
