package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// driven is an engine whose two sides are drivers of ours in node: server.mjs and
// phone.mjs in the engine's folder.
type driven struct {
	*running
	at    string
	phone func(ctx context.Context, address string, n int) (*running, error)
	n     int
	also  func() error // ends what else was started
}

// start asks the server where it listens.
func (d *driven) start(ctx context.Context) error {
	var where struct{ Port int }
	if err := d.do(ctx, "where", nil, &where); err != nil {
		return err
	}
	d.at = fmt.Sprintf("127.0.0.1:%d", where.Port)
	return nil
}

func (d *driven) Address() string { return d.at }

func (d *driven) Change(ctx context.Context, all []Record) error {
	return d.do(ctx, "change", map[string]any{"records": all}, nil)
}

func (d *driven) Missing(ctx context.Context, all []Record) (int, error) {
	var got struct{ N int }
	err := d.do(ctx, "missing", map[string]any{"records": all}, &got)
	return got.N, err
}

func (d *driven) Phone(ctx context.Context, address string) (Phone, error) {
	d.n++
	r, err := d.phone(ctx, address, d.n)
	if err != nil {
		return nil, err
	}
	return nodePhone{r}, nil
}

func (d *driven) Close() error {
	if d.also == nil {
		return d.running.Close()
	}
	return joinClose(d.running.Close, d.also)
}

// folder makes a folder of the run.
func (b *Bench) folder(names ...string) (string, error) {
	dir := filepath.Join(append([]string{b.Dir}, names...)...)
	return dir, os.MkdirAll(dir, 0o755)
}

// kindsFile writes what each field holds, for drivers that make tables.
func (b *Bench) kindsFile() (string, error) {
	raw, err := json.Marshal(b.Kinds)
	if err != nil {
		return "", err
	}
	file := filepath.Join(b.Dir, "kinds.json")
	return file, os.WriteFile(file, raw, 0o644)
}

// startPouch: PouchDB against a server of CouchDB's protocol.
func startPouch(ctx context.Context, b *Bench) (Server, error) {
	dir, err := install(ctx, b, "pouchdb")
	if err != nil {
		return nil, err
	}
	data, err := b.folder("pouchdb", "server")
	if err != nil {
		return nil, err
	}
	r, err := startNode(ctx, node{Program: "node", Dir: dir, Script: "server.mjs", Args: []string{b.File, data, strings.Join(public, ",")}})
	if err != nil {
		return nil, err
	}
	d := &driven{running: r, phone: func(ctx context.Context, address string, n int) (*running, error) {
		data, err := b.folder("pouchdb", fmt.Sprintf("phone%d", n))
		if err != nil {
			return nil, err
		}
		return startNode(ctx, node{Program: "node", Dir: dir, Script: "phone.mjs", Args: []string{"http://" + address, data}})
	}}
	return d, d.start(ctx)
}

// token stands for the JSON Web Token that a deployment would give each phone:
// three parts, 170 characters.
var token = strings.Repeat("eyJhbGciOi", 17)

// startRx: RxDB with its HTTP replication, against the two routes it asks for.
func startRx(ctx context.Context, b *Bench) (Server, error) {
	dir, err := install(ctx, b, "rxdb")
	if err != nil {
		return nil, err
	}
	kinds, err := b.kindsFile()
	if err != nil {
		return nil, err
	}
	r, err := startNode(ctx, node{Program: "node", Dir: dir, Script: "server.mjs", Args: []string{b.File}})
	if err != nil {
		return nil, err
	}
	d := &driven{running: r, phone: func(ctx context.Context, address string, _ int) (*running, error) {
		return startNode(ctx, node{Program: "node", Dir: dir, Script: "phone.mjs", Args: []string{"http://" + address, kinds, token}})
	}}
	return d, d.start(ctx)
}
