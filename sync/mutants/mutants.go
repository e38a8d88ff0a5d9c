// Package mutants asks of the tests of sync what they are worth: it breaks the
// engine in one place at a time, a condition turned round or a statement left
// out, and counts the breaks that some test notices. The sources are not
// touched: each mutant is compiled by go test -overlay.
//
//	go test ./sync/mutants -run TestMutants -mutants 60 -seed 1 -timeout 2h
package mutants

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
)

// Mutant is a file with one break.
type Mutant struct {
	File, What string // What tells the place and the break
	Source     []byte
}

// turned are operators with what a careless hand writes instead.
var turned = map[token.Token]token.Token{
	token.EQL: token.NEQ, token.NEQ: token.EQL, token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.LAND: token.LOR, token.LOR: token.LAND, token.ADD: token.SUB, token.SUB: token.ADD,
}

// Count returns how many mutants a file has.
func Count(file string) (int, error) {
	n := 0
	_, err := visit(file, func(func() string) bool { n++; return false })
	return n, err
}

// Make returns the k-th mutant of a file.
func Make(file string, k int) (Mutant, error) {
	m := Mutant{File: file}
	n := 0
	source, err := visit(file, func(mutate func() string) bool {
		if n++; n-1 != k {
			return false
		}
		m.What = mutate()
		return true
	})
	m.Source = source
	return m, err
}

// visit offers every possible break of a file; when one is taken, the broken
// source is returned.
func visit(file string, offer func(mutate func() string) (taken bool)) ([]byte, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, raw, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	done := false
	give := func(mutate func() string) { done = done || offer(mutate) }
	ast.Inspect(f, func(n ast.Node) bool {
		if done || n == nil {
			return false
		}
		line := func() int { return set.Position(n.Pos()).Line }
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if to, ok := turned[n.Op]; ok && !aboutErrors(n) && !texts(n) {
				give(func() string {
					was := n.Op
					n.Op = to
					return fmt.Sprintf("%s:%d: %s became %s", file, line(), was, to)
				})
			}
		case *ast.BlockStmt:
			for i, s := range n.List {
				if removable(s) {
					give(func() string {
						at := set.Position(s.Pos()).Line
						n.List[i] = &ast.EmptyStmt{Semicolon: s.Pos(), Implicit: true}
						return fmt.Sprintf("%s:%d: a statement left out", file, at)
					})
				}
			}
		}
		return true
	})
	if !done {
		return nil, nil
	}
	var b bytes.Buffer
	err = format.Node(&b, set, f)
	return b.Bytes(), err
}

// aboutErrors: err != nil guards what tests cannot make fail at will.
func aboutErrors(e *ast.BinaryExpr) bool {
	for _, side := range []ast.Expr{e.X, e.Y} {
		if id, ok := side.(*ast.Ident); ok && id.Name == "nil" {
			return true
		}
	}
	return false
}

// texts: a text is not taken from another.
func texts(e *ast.BinaryExpr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			found = true
		}
		return !found
	})
	return found && e.Op == token.ADD
}

// removable: statements that leave the rest compiling.
func removable(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ExprStmt, *ast.IncDecStmt:
		return true
	case *ast.AssignStmt:
		return s.Tok == token.ASSIGN || s.Tok == token.ADD_ASSIGN || s.Tok == token.SUB_ASSIGN
	case *ast.BranchStmt:
		return s.Tok == token.CONTINUE
	}
	return false
}
