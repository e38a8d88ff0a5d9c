package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// powersyncSecret signs the tokens of the bench's one person.
const powersyncSecret = "bmVhci1lbm91Z2gtdG8tYS1zZWNyZXQtZm9yLWEtYmVuY2g"

// startPowerSync: PowerSync's client against its service, with PostgreSQL for the
// data and for the service's buckets. The service comes as a container image, not
// as a package; service is a checkout of its source that was built
// (docs/PEERS.md), or empty.
func startPowerSync(service string) func(context.Context, *Bench) (Server, error) {
	return func(ctx context.Context, b *Bench) (_ Server, err error) {
		entry := filepath.Join(service, "service", "lib", "entry.js")
		if _, err := os.Stat(entry); service == "" || err != nil {
			return nil, notHere("the PowerSync service comes as a container image, not as a package; -powersync names a built checkout of its source")
		}
		dir, err := install(ctx, b, "powersync")
		if err != nil {
			return nil, err
		}
		program := newNode(dir, 24)
		kinds, err := b.kindsFile()
		if err != nil {
			return nil, err
		}
		data, err := b.folder("powersync")
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
		database, err1 := pg.create("commune")
		buckets, err2 := pg.create("buckets")
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("make databases: %w %w", err1, err2)
		}
		api, err := startNode(ctx, node{Program: program, Dir: dir, Script: "server.mjs", Args: []string{b.File, kinds, database, b.who()}})
		if err != nil {
			return nil, err
		}
		all = slices.Insert(all, 0, api.Close)
		d := &driven{running: api}
		if err := d.start(ctx); err != nil {
			return nil, err
		}
		inner, err := freeAddress()
		if err != nil {
			return nil, err
		}
		config, err := b.powersyncConfig(data, inner, database, buckets)
		if err != nil {
			return nil, err
		}
		s, err := startNode(ctx, node{Program: program, Dir: filepath.Join(service, "service"), Script: entry, Args: []string{"start", "-r", "unified"}, Detach: true,
			Env: []string{"POWERSYNC_CONFIG_PATH=" + config, "NODE_OPTIONS=--max-old-space-size=1024"}})
		if err != nil {
			return nil, err
		}
		all = slices.Insert(all, 0, s.Close)
		// One address for both, as a deployment has it: what phones write goes to
		// the application's server, the rest to the service.
		front, err := newFront(d.at, inner)
		if err != nil {
			return nil, err
		}
		d.at = front.Addr
		d.also = func() error { return joinClose(front.Close, s.Close, pg.Close) }
		d.phone = func(ctx context.Context, address string, n int) (*running, error) {
			data, err := b.folder("powersync", fmt.Sprintf("phone%d", n))
			if err != nil {
				return nil, err
			}
			return startNode(ctx, node{Program: program, Dir: dir, Script: "phone.mjs", Args: []string{"http://" + address, kinds, powersyncSecret, b.who(), data}})
		}
		if err := waitFor(ctx, time.Minute, func() bool { return answers("http://" + inner + "/probes/liveness") }); err != nil {
			return nil, fmt.Errorf("start PowerSync service: %w\n%s", err, s.said)
		}
		return d, nil
	}
}

// newFront leads /upload to one address and all else to the other.
func newFront(upload, rest string) (*http.Server, error) {
	to := func(address string) *httputil.ReverseProxy {
		return &httputil.ReverseProxy{FlushInterval: -1, Transport: &http.Transport{DisableCompression: true},
			Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: address}) }}
	}
	mux := http.NewServeMux()
	mux.Handle("/upload", to(upload))
	mux.Handle("/", to(rest))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &http.Server{Addr: l.Addr().String(), Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l) }()
	return s, nil
}

// powersyncConfig writes the service's settings and the rules of who gets what.
func (b *Bench) powersyncConfig(dir, address, database, buckets string) (string, error) {
	var everybody []string
	for _, coll := range public {
		everybody = append(everybody, "SELECT * FROM "+coll)
	}
	stream := func(queries ...string) map[string]any {
		return map[string]any{"auto_subscribe": true, "queries": queries}
	}
	rules, err := json.Marshal(map[string]any{"config": map[string]any{"edition": 3}, "streams": map[string]any{
		"everybody": stream(everybody...),
		"own": stream("SELECT * FROM persons WHERE id = auth.user_id()", "SELECT * FROM duties WHERE person = auth.user_id()",
			"SELECT * FROM health_entries WHERE person = auth.user_id()", "SELECT * FROM dossiers WHERE person = auth.user_id()",
			"SELECT * FROM households WHERE id = auth.parameter('household')",
			"SELECT * FROM orders WHERE buyer = auth.user_id() OR stall = auth.parameter('stall')"),
	}})
	if err != nil {
		return "", err
	}
	postgres := func(uri string) map[string]any {
		return map[string]any{"type": "postgresql", "uri": uri, "sslmode": "disable"}
	}
	config, err := json.Marshal(map[string]any{
		"replication": map[string]any{"connections": []any{postgres(database)}},
		"storage":     postgres(buckets),
		"port":        portOf(address),
		"sync_rules":  map[string]any{"content": string(rules)},
		"client_auth": map[string]any{"audience": []string{"powersync"}, "jwks": map[string]any{"keys": []any{map[string]any{"kty": "oct", "alg": "HS256", "kid": "bench", "k": powersyncSecret}}}},
		"telemetry":   map[string]any{"disable_telemetry_sharing": true},
		"healthcheck": map[string]any{"probes": map[string]any{"use_http": true}},
	})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "powersync.json")
	return file, os.WriteFile(file, config, 0o600)
}

func portOf(address string) json.Number {
	return json.Number(address[strings.LastIndex(address, ":")+1:])
}
