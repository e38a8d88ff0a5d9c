package main

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/villagetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a printed text with the file that is kept in the repository,
// so that a diff shows what a change does to it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not what the code says. Read the difference, then: go test . -update\n%s", file, firstDifference(string(want), got))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := "", ""
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return "  kept: " + a + "\n  code: " + b
		}
	}
	return ""
}

// TestCharter prints who may do what from the declarations: nobody may suddenly
// read more without a line of a diff saying so.
func TestCharter(t *testing.T) { golden(t, "docs/CHARTER.txt", commune.Charter(domains)) }

// TestSchema prints the collections as a fresh commune has them.
func TestSchema(t *testing.T) {
	s := villagetest.New(t, domains)
	all, err := s.App.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	var b strings.Builder
	for _, c := range all {
		if c.System {
			continue
		}
		b.WriteString(c.Name + "\n")
		for _, f := range c.Fields {
			if f.GetName() == "id" {
				continue
			}
			b.WriteString("  " + f.GetName() + " " + f.Type())
			switch f := f.(type) {
			case *core.RelationField:
				if to, err := s.App.FindCachedCollectionByNameOrId(f.CollectionId); err == nil {
					b.WriteString(" → " + to.Name)
				}
			case *core.SelectField:
				b.WriteString(" " + strings.Join(f.Values, "|"))
			}
			if f.GetHidden() {
				b.WriteString(" (stays on the server)")
			}
			b.WriteString("\n")
		}
	}
	golden(t, "docs/SCHEMA.txt", b.String())
}

// TestOneTruthAboutAccess: shared collections have no API rules, and nothing
// outside PocketBase's own has any that lets somebody in.
func TestOneTruthAboutAccess(t *testing.T) {
	s := villagetest.New(t, domains)
	all, err := s.App.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.System {
			continue
		}
		for name, rule := range map[string]*string{"list": c.ListRule, "view": c.ViewRule, "create": c.CreateRule, "update": c.UpdateRule, "delete": c.DeleteRule} {
			if rule != nil {
				t.Errorf("%s has a %s rule %q: circles alone say who reads and writes", c.Name, name, *rule)
			}
		}
	}
	for _, d := range domains {
		for _, c := range d.Collections {
			coll, err := s.App.FindCachedCollectionByNameOrId(c.Name)
			if err != nil {
				t.Errorf("%s declares %s, which no migration makes", d.Name, c.Name)
				continue
			}
			for _, field := range append(c.Read.Uses(), c.Write.Uses()...) {
				if coll.Fields.GetByName(field) == nil {
					t.Errorf("%s: circles look at %s, which is no field", c.Name, field)
				}
			}
			for _, field := range c.Files {
				if f := coll.Fields.GetByName(field); f == nil || f.Type() != core.FieldTypeText {
					t.Errorf("%s: files are named in %s, which is no text field", c.Name, field)
				}
			}
			for old, now := range c.Aliases {
				if _, ok := commune.ParseDay(now.Until); !ok || coll.Fields.GetByName(now.Field) == nil {
					t.Errorf("%s: the old name %s leads to %+v, which is no field until a day", c.Name, old, now)
				}
			}
			if len(c.Read) == 0 {
				t.Errorf("%s is declared and nobody reads it", c.Name)
			}
		}
	}
}

// arrows are the only imports of our own that each part may have, with the
// reason why no more.
var arrows = []struct {
	part    string
	imports []string
	because string
}{
	{"commune", nil, "the language of domains is spoken by all and knows nobody"},
	{"commune/communetest", []string{"commune", "pb_migrations"}, "a test's commune has one domain"},
	{"commune/*", []string{"commune"}, "domains meet by change, never by import"},
	{"pb_migrations", nil, "an old step must mean the same in ten years"},
	{"sync/sum", nil, "both sides count alike"},
	{"dictionary", nil, "words, known to both sides"},
	{"sync/wire", []string{"sync/sum", "sync/text"}, "phones use it without a server"},
	{"sync/courier", []string{"sync/wire"}, "phones seal and open without a server"},
	{"sync/phones", []string{"sync/wire"}, "who asks is known by a key, however it came there"},
	{"sync/text", nil, "both sides write a text alike"},
	{"sync/sqlite", nil, "a driver knows nobody"},
	{"sync/journal", []string{"sync/sqlite", "sync/sum", "sync/text"}, "the journal knows no domain: circles are handed to it as values"},
	{"sync/snapshot", []string{"sync/journal", "sync/wire"}, "a file is a state of the journal in the words of the wire"},
	{"sync/pull", []string{"sync/journal", "sync/sum", "sync/wire"}, "what goes down is decided by the journal alone"},
	{"sync/push", []string{"commune", "sync/journal", "sync/sqlite", "sync/wire"}, "edits are judged by declarations"},
	{"sync/attach", []string{"commune", "dictionary", "sync/files", "sync/journal", "sync/phones", "sync/server", "sync/wire"}, "tables and a way in for an app that is no commune; the rest is sync/server"},
	{"sync/server", []string{"commune", "metrics", "sync/courier", "sync/exchange", "sync/files", "sync/hints", "sync/journal", "sync/phones", "sync/push", "sync/snapshot", "sync/wire"}, "what every app has of sync: it knows no domain, no sign-in and no notice service"},
	{"hooks", []string{"commune", "dashboard", "dictionary", "metrics", "notify", "notify/sms", "notify/webpush", "pwa", "signin", "sync/files", "sync/server", "sync/wire"}, "only what a commune has beside sync"},
	{"sync/exchange", []string{"commune", "sync/journal", "sync/pull", "sync/push", "sync/wire"}, "one meeting, both directions"},
	{"notify", []string{"commune"}, "the outbox knows no service"},
	{"notify/fcm", []string{"notify", "notify/sms"}, "Firebase is heavy: only this folder imports it"},
	{"notify/sms", []string{"commune", "notify"}, "a gateway knows numbers and texts"},
	{"notify/webpush", []string{"commune", "notify"}, "a push service is told a class and nothing else"},
	{"notify/webpushsim", nil, "it plays the browsers' services and knows nobody here"},
	{"sync/files", []string{"commune", "sync/files/picture", "sync/phones", "sync/wire"}, "files are read by circles; what a circle is, others say"},
	{"sync/files/picture", nil, "bytes in, bytes out: phones clean with it too"},
	{"notify/fcmsim", nil, "it plays Google and knows nobody here"},
	{"sync/hints", []string{"sync/phones", "sync/wire"}, "a hint has no content: circles are names to it"},
	{"metrics", nil, "it counts and knows nobody"},
	{"signin/firebase", nil, "it knows tokens and numbers"},
	{"signin", []string{"commune", "commune/people", "notify/sms", "notify/webpush", "signin/firebase", "sync/phones", "sync/wire"}, "the way in knows people, not what they do"},
	{"phone", []string{"dictionary", "sync/courier", "sync/files/picture", "sync/sqlite", "sync/sum", "sync/wire"}, "a phone has no server in it"},
	{"phone/command", []string{"phone", "sync/courier", "sync/wire"}, "a phone on the command line is a phone"},
	{"pwa", nil, "it serves files"},
	{"apptest", []string{"pb_migrations", "sync/journal"}, "a commune without people has tables and nothing else"},
	{"browsertest", nil, "it knows what a person sees, not what is behind it"},
	{"load", []string{"commune", "commune/people"}, "an import obeys the declarations"},
	{"demo", []string{"commune", "commune/*", "load"}, "the demo is an import like any other"},
	{"dashboard", []string{"commune"}, "the dashboard's gate obeys the declarations"},
}

func allowed(part string) (imports []string, because string, found bool) {
	for _, a := range arrows {
		if ok, _ := path.Match(a.part, part); ok {
			return a.imports, a.because, true
		}
	}
	return nil, "", false
}

// TestArrows: data flows one way.
func TestArrows(t *testing.T) {
	each(t, func(part, file string) {
		imports, because, found := allowed(part)
		if !found || strings.HasSuffix(file, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			to, ours := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), "langso/")
			if !ours {
				continue
			}
			good := false
			for _, may := range imports {
				if ok, _ := path.Match(may, to); ok {
					good = true
				}
			}
			if !good {
				t.Errorf("%s imports %s: %s", file, to, because)
			}
		}
	})
}

// TestSyncKnowsNoDomain: its parts import none, and none of their texts names a
// collection of one: the same sync serves any app.
func TestSyncKnowsNoDomain(t *testing.T) {
	own := map[string]bool{"parked_edits": true, "settlements": true} // sync's own, declared in every app
	var names []string
	for _, d := range domains {
		for _, c := range d.Collections {
			if !own[c.Name] {
				names = append(names, regexp.QuoteMeta(c.Name))
			}
		}
	}
	of := regexp.MustCompile(`(^"|(FROM|JOIN|INTO|UPDATE) [{\[]*)(` + strings.Join(names, "|") + `)("$|\b[^:])`)
	each(t, func(part, file string) {
		if !strings.HasPrefix(part, "sync/") || strings.HasSuffix(file, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			text, ok := n.(*ast.BasicLit)
			if !ok || text.Kind != token.STRING {
				return true
			}
			if strings.HasPrefix(text.Value, `"langso/commune/`) || of.MatchString(text.Value) {
				t.Errorf("%s says %s", file, text.Value)
			}
			return true
		})
	})
}

// TestSyncNamesNoCommune: where people turn, only the app knows. What sync says by
// itself, and its module for browsers, names no town hall and no village.
func TestSyncNamesNoCommune(t *testing.T) {
	of := regexp.MustCompile(`(?i)ủy ban|cán bộ|làng số|(^|[^\pL])(xã|thôn)([^\pL]|$)`)
	each(t, func(part, file string) {
		if !strings.HasPrefix(part, "sync/") && part != "commune" || strings.HasSuffix(file, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING && of.MatchString(text.Value) {
				t.Errorf("%s says %s", file, text.Value)
			}
			return true
		})
	})
	err := filepath.WalkDir("pb_public/sync", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".js") {
			return err
		}
		raw, err := os.ReadFile(file)
		if said := of.Find(raw); said != nil {
			t.Errorf("%s says %q", file, said)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFirebaseHasOneDoor: it doubles the binary; one folder wakes phones by it and one
// believes its tokens, and nothing else knows it.
func TestFirebaseHasOneDoor(t *testing.T) {
	each(t, func(part, file string) {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			if strings.Contains(i.Path.Value, "firebase.google.com") && part != "notify/fcm" && part != "signin/firebase" {
				t.Errorf("%s imports Firebase; only notify/fcm and signin/firebase may", file)
			}
		}
	})
}

// TestEveryPackageExplainsItself: the idea before the API.
func TestEveryPackageExplainsItself(t *testing.T) {
	docs := map[string]bool{}
	each(t, func(part, file string) {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		docs[part] = docs[part] || f.Doc != nil
	})
	for part, has := range docs {
		if !has {
			t.Errorf("package %s has no documentation", part)
		}
	}
}

// each calls f for every Go file of ours, with its folder.
func each(t *testing.T, f func(part, file string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && file != "." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "pb_data") || name == "testdata" || name == "node_modules") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".go") {
			f(filepath.ToSlash(filepath.Dir(file)), file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
