// Command gen writes the protocol's TypeScript from the Go source of package event: types with their comments,
// string unions from constants, and the discriminated unions Command, Event and Frame.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

func main() {
	out := flag.String("o", "", "file to write; standard output when empty")
	dir := flag.String("dir", ".", "folder of package event")
	flag.Parse()
	if err := run(*dir, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dir, out string) error {
	src, err := generate(dir)
	if err != nil {
		return err
	}
	if out == "" {
		_, err = os.Stdout.Write(src)
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	return os.WriteFile(out, src, 0o644)
}

// source is what the generator reads from the package.
type source struct {
	types  []*ast.TypeSpec
	docs   map[string]string
	consts map[string][]string // type name to string values, in order
	wire   map[string][]wired  // marker method ("command", "event", "frame") to what carries it
}

type wired struct{ typ, name string }

func generate(dir string) ([]byte, error) {
	s, err := read(dir)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("// Generated from package room/event by room/event/gen. Do not edit: change the Go types and run make generate.\n")
	for _, t := range s.types {
		switch typ := t.Type.(type) {
		case *ast.Ident:
			if typ.Name == "string" {
				s.union(&b, t.Name.Name)
			}
		case *ast.StructType:
			if t.Name.IsExported() && t.Name.Name != "Event" && t.Name.Name != "Incoming" {
				s.structType(&b, t.Name.Name, typ)
			}
		}
	}
	s.discriminated(&b, "Command", "command", "/** What a member asks of a room. */")
	s.discriminated(&b, "EventBody", "event", "/** What happened, without its envelope. */")
	b.WriteString("\n/** What happened. seq is 0 or absent for transient events. */\nexport type Event = { seq?: number; at: number; by?: string; cmd?: string } & EventBody;\n")
	s.discriminated(&b, "Frame", "frame", "/** Anything else that a connection carries. */")
	return b.Bytes(), nil
}

func read(dir string) (*source, error) {
	fset := token.NewFileSet()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, fs.ErrNotExist)
	}
	sort.Strings(names)
	s := &source{docs: map[string]string{}, consts: map[string][]string{}, wire: map[string][]wired{}}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			s.declaration(d)
		}
	}
	return s, nil
}

func (s *source) declaration(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		s.marker(d)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				s.types = append(s.types, spec)
				s.docs[spec.Name.Name] = strings.TrimSpace(d.Doc.Text())
			case *ast.ValueSpec:
				s.constant(spec)
			}
		}
	}
}

// marker notes `func (T) command() string { return "name" }` and its like.
func (s *source) marker(d *ast.FuncDecl) {
	if d.Recv == nil || len(d.Body.List) != 1 {
		return
	}
	kind := d.Name.Name
	if kind != "command" && kind != "event" && kind != "frame" {
		return
	}
	ret, ok := d.Body.List[0].(*ast.ReturnStmt)
	if !ok {
		return
	}
	if lit, ok := ret.Results[0].(*ast.BasicLit); ok {
		s.wire[kind] = append(s.wire[kind], wired{d.Recv.List[0].Type.(*ast.Ident).Name, lit.Value})
	}
}

func (s *source) constant(v *ast.ValueSpec) {
	typ, ok := v.Type.(*ast.Ident)
	if !ok || len(v.Values) != 1 {
		return
	}
	if lit, ok := v.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
		s.consts[typ.Name] = append(s.consts[typ.Name], lit.Value)
	}
}

func (s *source) doc(b *bytes.Buffer, indent, text string) {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", " ")
	if text != "" {
		fmt.Fprintf(b, "%s/** %s */\n", indent, text)
	}
}

func (s *source) union(b *bytes.Buffer, name string) {
	b.WriteString("\n")
	s.doc(b, "", s.docs[name])
	fmt.Fprintf(b, "export type %s = %s;\n", name, strings.Join(s.consts[name], " | "))
}

func (s *source) structType(b *bytes.Buffer, name string, t *ast.StructType) {
	b.WriteString("\n")
	s.doc(b, "", s.docs[name])
	if len(t.Fields.List) == 0 {
		fmt.Fprintf(b, "export type %s = Record<string, never>;\n", name)
		return
	}
	fmt.Fprintf(b, "export interface %s {\n", name)
	for _, f := range t.Fields.List {
		if f.Tag == nil {
			continue
		}
		raw, _ := strconv.Unquote(f.Tag.Value)
		tag, opts, _ := strings.Cut(reflect.StructTag(raw).Get("json"), ",")
		s.doc(b, "  ", f.Comment.Text())
		optional := ""
		if strings.Contains(opts, "omitempty") {
			optional = "?"
		}
		fmt.Fprintf(b, "  %s%s: %s;\n", tag, optional, tsType(f.Type, optional != ""))
	}
	b.WriteString("}\n")
}

// tsType translates a field's type. A pointer that is not omitted is null when it points nowhere.
func tsType(e ast.Expr, omitted bool) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		if omitted {
			return tsType(e.X, false)
		}
		return tsType(e.X, false) + " | null"
	case *ast.ArrayType:
		return tsType(e.Elt, false) + "[]"
	case *ast.MapType:
		return "Record<" + tsType(e.Key, false) + ", " + tsType(e.Value, false) + ">"
	case *ast.Ident:
		switch e.Name {
		case "string":
			return "string"
		case "bool":
			return "boolean"
		case "int", "int64", "uint32", "float64":
			return "number"
		}
		return e.Name
	}
	panic(fmt.Sprintf("gen: no TypeScript for %T", e))
}

func (s *source) discriminated(b *bytes.Buffer, name, kind, doc string) {
	fmt.Fprintf(b, "\n%s\nexport type %s =", doc, name)
	for _, w := range s.wire[kind] {
		fmt.Fprintf(b, "\n  | { type: %s; data: %s }", w.name, w.typ)
	}
	b.WriteString(";\n")
}
