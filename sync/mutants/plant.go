package mutants

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// planting plants the breaks of one file: it writes around the code, on the
// same lines, so that a failing test names the true ones.
type planting struct {
	set     *token.FileSet
	info    *types.Info
	text    []byte
	file    string
	next    int
	mutants []Mutant

	in      string // the function at hand
	inserts []insert
}

// insert is text that goes into the file, in the place of some of it.
type insert struct {
	at, length int
	text       string
	closes     bool // it ends something: inner ends come first
	order      int
}

func (p *planting) offset(at token.Pos) int { return p.set.Position(at).Offset }

// mutant notes a break of a node and returns its number.
func (p *planting) mutant(n ast.Node, what string) string {
	code := strings.Join(strings.Fields(string(p.text[p.offset(n.Pos()):p.offset(n.End())])), " ")
	if long := []rune(code); len(long) > 120 {
		code = string(long[:119]) + "…"
	}
	k := p.next
	p.next++
	m := Mutant{N: k, File: p.file, Line: p.set.Position(n.Pos()).Line, In: p.in, Code: code, What: what}
	before := 0
	for _, o := range p.mutants {
		if o.In == m.In && o.Code == m.Code && strings.Split(o.What, " (")[0] == what {
			before++
		}
	}
	if before > 0 {
		m.What = fmt.Sprintf("%s (%d)", what, before+1) // the same stands there more than once
	}
	p.mutants = append(p.mutants, m)
	return strconv.Itoa(k)
}

// wrap writes before and after a node.
func (p *planting) wrap(n ast.Node, before, after string) {
	p.insert(insert{at: p.offset(n.Pos()), text: before})
	p.insert(insert{at: p.offset(n.End()), text: after, closes: true})
}

func (p *planting) insert(i insert) {
	i.order = len(p.inserts)
	p.inserts = append(p.inserts, i)
}

// result is the file with all that was written into it.
func (p *planting) result() []byte {
	slices.SortFunc(p.inserts, func(a, b insert) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.closes != b.closes:
			if a.closes {
				return -1
			}
			return 1
		case a.closes:
			return cmp.Compare(b.order, a.order)
		}
		return cmp.Compare(a.order, b.order)
	})
	var out []byte
	at := 0
	for _, i := range p.inserts {
		out = append(append(out, p.text[at:i.at]...), i.text...)
		at = i.at + i.length
	}
	return append(out, p.text[at:]...)
}

// plant walks over a file, from the outside in.
func (p *planting) plant(f *ast.File) {
	for _, d := range f.Decls {
		p.in = "var"
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
			continue
		}
		if fn, ok := d.(*ast.FuncDecl); ok {
			p.in = fn.Name.Name
			if fn.Recv != nil {
				p.in = strings.TrimPrefix(types.ExprString(fn.Recv.List[0].Type), "*") + "." + fn.Name.Name
			}
		}
		ast.Inspect(d, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BlockStmt:
				p.statements(n.List)
			case *ast.CaseClause:
				p.statements(n.Body)
				for _, e := range n.List {
					p.flip(e)
				}
			case *ast.CommClause:
				p.statements(n.Body)
			case *ast.IfStmt:
				p.guard(n)
				p.flip(n.Cond)
			case *ast.ForStmt:
				p.flip(n.Cond)
			case *ast.BinaryExpr:
				p.binary(n)
			case *ast.CallExpr:
				p.extreme(n)
			case *ast.ReturnStmt:
				for _, e := range n.Results {
					if !literal(e) || !p.fails(n) { // what goes with an error means nothing
						p.flip(e)
					}
				}
			}
			return true
		})
	}
}

// statements leaves out what can be left out.
func (p *planting) statements(list []ast.Stmt) {
	for _, s := range list {
		if removable(s) {
			p.wrap(s, "if mutantOff("+p.mutant(s, "left out")+") { ", " }")
		}
	}
}

// removable: not what closes or logs, which no test can miss.
func removable(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ExprStmt:
		text := types.ExprString(s.X)
		return !strings.HasPrefix(text, "panic(") && !strings.HasSuffix(text, "lose()") && !strings.Contains(text, ".Logger()")
	case *ast.IncDecStmt:
		return true
	case *ast.AssignStmt:
		blank := !slices.ContainsFunc(s.Lhs, func(e ast.Expr) bool { return types.ExprString(e) != "_" })
		return s.Tok != token.DEFINE && !blank
	case *ast.BranchStmt:
		return s.Tok == token.CONTINUE || s.Tok == token.BREAK
	}
	return false
}

// guard leaves an if out, as if its condition never held; not one that only
// passes an error on, which few tests can make happen.
func (p *planting) guard(n *ast.IfStmt) {
	if n.Else == nil && !p.aboutError(n.Cond) {
		p.wrap(n.Cond, "mutantNever("+p.mutant(n.Cond, "never")+", ", ")")
	}
}

// flip turns a condition that is no comparison, those are turned anyway.
func (p *planting) flip(e ast.Expr) {
	switch x := e.(type) {
	case nil, *ast.ParenExpr:
		return
	case *ast.BinaryExpr:
		return
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			p.flip(x.X)
		}
		return
	}
	if p.bool(e) {
		p.wrap(e, "mutantFlip("+p.mutant(e, "became its opposite")+", ", ")")
	}
}

func (p *planting) bool(e ast.Expr) bool {
	t := p.info.Types[e]
	return t.IsValue() && (types.Identical(t.Type, types.Typ[types.Bool]) || types.Identical(t.Type, types.Typ[types.UntypedBool]))
}

// bounds are what an order becomes when its bound is shifted by one.
var bounds = map[token.Token]struct{ name, what string }{
	token.LSS: {"mutantLess", "< became <="}, token.LEQ: {"mutantMost", "<= became <"},
	token.GTR: {"mutantMore", "> became >="}, token.GEQ: {"mutantLeast", ">= became >"},
}

func (p *planting) binary(n *ast.BinaryExpr) {
	if t := p.info.Types[n]; t.Value != nil || t.Type == nil {
		return // a constant
	}
	switch n.Op {
	case token.EQL, token.NEQ:
		if p.bool(n) && !p.aboutError(n) {
			what := map[token.Token]string{token.EQL: "== became !=", token.NEQ: "!= became =="}[n.Op]
			p.wrap(n, "mutantFlip("+p.mutant(n, what)+", ", ")")
		}
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		p.call(n, bounds[n.Op].name, bounds[n.Op].what)
	case token.LAND, token.LOR:
		if !p.bool(n) {
			return
		}
		name, what := "mutantAnd", "&& became ||"
		if n.Op == token.LOR {
			name, what = "mutantOr", "|| became &&"
		}
		p.wrap(n, name+"("+p.mutant(n, what)+", ", ") })")
		p.insert(insert{at: p.offset(n.OpPos), length: 2, text: ", func() bool { return ("})
		p.flip(n.X)
		p.flip(n.Y)
	case token.ADD, token.SUB:
		if b, ok := p.info.Types[n].Type.Underlying().(*types.Basic); !ok || b.Info()&types.IsNumeric == 0 || b.Info()&types.IsUntyped != 0 {
			return // texts
		}
		if n.Op == token.ADD {
			p.call(n, "mutantPlus", "+ became -")
		} else {
			p.call(n, "mutantMinus", "- became +")
		}
	}
}

// call makes a call of an operator.
func (p *planting) call(n *ast.BinaryExpr, name, what string) {
	p.wrap(n, name+"("+p.mutant(n, what)+", ", ")")
	p.insert(insert{at: p.offset(n.OpPos), length: len(n.Op.String()), text: ","})
}

// extreme takes min for max and max for min.
func (p *planting) extreme(n *ast.CallExpr) {
	f, ok := n.Fun.(*ast.Ident)
	if !ok || len(n.Args) != 2 || p.info.Types[n].Value != nil {
		return
	}
	if _, builtin := p.info.Uses[f].(*types.Builtin); !builtin || f.Name != "min" && f.Name != "max" {
		return
	}
	name, what := "mutantMin", "min became max"
	if f.Name == "max" {
		name, what = "mutantMax", "max became min"
	}
	p.insert(insert{at: p.offset(n.Pos()), length: p.offset(n.Lparen) + 1 - p.offset(n.Pos()), text: name + "(" + p.mutant(n, what) + ", "})
}

var errorType = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

func literal(e ast.Expr) bool {
	text := types.ExprString(e)
	return text == "true" || text == "false"
}

// fails: an error is returned.
func (p *planting) fails(n *ast.ReturnStmt) bool {
	if len(n.Results) < 2 {
		return false
	}
	last := p.info.Types[n.Results[len(n.Results)-1]]
	return !last.IsNil() && last.Type != nil && types.Implements(last.Type, errorType)
}

// aboutError: a comparison of an error with nil.
func (p *planting) aboutError(e ast.Expr) bool {
	n, ok := e.(*ast.BinaryExpr)
	if !ok || n.Op != token.EQL && n.Op != token.NEQ || types.ExprString(n.Y) != "nil" {
		return false
	}
	t := p.info.Types[n.X].Type
	return t != nil && types.Implements(t, errorType)
}
