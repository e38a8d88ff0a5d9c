// Package mutants asks of the tests of sync what they are worth: it breaks the
// engine in one place at a time, a condition turned round, a bound shifted by
// one, a statement or a guard left out, and counts the breaks that some test
// notices.
//
// The sources are not touched, and are compiled once for all breaks: each is
// planted beside the code as it is, with a number, and the variable LANGSO_MUTANT
// says which one a run of the tests meets. A first run of each test without any
// break notes at which planted places it comes by: only those tests are asked.
//
//	go test ./sync/mutants -run TestMutants -v -mutants 60 -seed 1 -timeout 2h
package mutants

import (
	"bytes"
	_ "embed" // the switches are compiled into what is broken
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed planted/switch.go
var switches []byte

// Mutant is one break.
type Mutant struct {
	N    int    // the number by which it is called
	File string // below the module's folder
	Line int
	In   string // the function
	Code string // what is broken, on one line
	What string // how
}

// String tells the place and the break.
func (m Mutant) String() string {
	return fmt.Sprintf("%s:%d %s: %s: %s", m.File, m.Line, m.In, m.Code, m.What)
}

// Source is a file with all its breaks planted; it compiles, and does what the
// file does while LANGSO_MUTANT is not set.
type Source struct {
	File string // the file's place on the disk
	Text []byte
}

// Plant plants breaks in all packages, given as folders below root ("./sync/push"),
// and returns the sources to be compiled for theirs (each package has one file
// more), and the breaks, numbered from 1.
func Plant(root string, folders ...string) ([]Source, []Mutant, error) {
	packages, exports, err := list(root, folders)
	if err != nil {
		return nil, nil, err
	}
	set := token.NewFileSet()
	compiled := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	var sources []Source
	var all []Mutant
	for _, p := range packages {
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
		var files []*ast.File
		for _, name := range p.files {
			f, err := parser.ParseFile(set, filepath.Join(p.dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				return nil, nil, err
			}
			files = append(files, f)
		}
		config := types.Config{Importer: compiled}
		if _, err := config.Check(p.path, set, files, info); err != nil {
			return nil, nil, fmt.Errorf("understand %s: %w", p.path, err)
		}
		for i, f := range files {
			place := filepath.Join(p.dir, p.files[i])
			short, err := filepath.Rel(root, place)
			if err != nil {
				return nil, nil, err
			}
			text, err := os.ReadFile(place)
			if err != nil {
				return nil, nil, err
			}
			pl := &planting{set: set, info: info, text: text, file: filepath.ToSlash(short), next: len(all) + 1}
			pl.plant(f)
			all = append(all, pl.mutants...)
			sources = append(sources, Source{place, pl.result()})
		}
		sources = append(sources, Source{filepath.Join(p.dir, "mutant_switch.go"), bytes.Replace(switches, []byte("\npackage planted"), []byte("\npackage "+p.name), 1)})
	}
	return sources, all, nil
}

// pkg is a package to be broken.
type pkg struct {
	name, path, dir string
	files           []string
}

// list asks the go command for the packages' files, and for the compiled form of
// all that they import.
func list(root string, folders []string) (packages []pkg, exports map[string]string, err error) {
	ask := func(args ...string) ([]string, error) {
		cmd := exec.Command("go", append([]string{"list"}, append(args, folders...)...)...)
		cmd.Dir, cmd.Stderr = root, os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("list %v: %w", folders, err)
		}
		return strings.Split(strings.TrimSpace(string(out)), "\n"), nil
	}
	lines, err := ask("-f", `{{.Name}}|{{.ImportPath}}|{{.Dir}}|{{join .GoFiles " "}}`)
	if err != nil {
		return nil, nil, err
	}
	for _, line := range lines {
		part := strings.Split(line, "|")
		packages = append(packages, pkg{part[0], part[1], part[2], strings.Fields(part[3])})
	}
	lines, err = ask("-export", "-deps", "-f", `{{.ImportPath}}|{{.Export}}`)
	exports = map[string]string{}
	for _, line := range lines {
		if path, file, ok := strings.Cut(line, "|"); ok {
			exports[path] = file
		}
	}
	return packages, exports, err
}
