// Package phone is the phone's half of sync in Go: a client over one small
// SQLite file that reads, edits and acts without a network and meets the server
// in one POST when there is one.
//
// It keeps three things. Records are the server's words, and only those. Edits
// are what the person did, in order, stored before anybody is told "done"; they
// are never changed once numbered, never dropped unsent. What the person sees is
// computed: the records with the edits on top that the server has not yet
// answered for (the overlay). So a download never waits for an upload, and an
// upload never for a download.
//
// Loudspeakers, the command `langso phone` and the simulations use it; so may
// any native app. docs/PROTOCOL.md is its contract.
package phone

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"langso/dictionary"

	"langso/sync/wire"
)

func init() { wire.AddDictionaries(dictionary.Versions) }

// Phone is one installation. Its methods may be called from several goroutines;
// one exchange runs at a time.
type Phone struct {
	db      *sql.DB
	client  *http.Client
	now     func() time.Time
	app     string
	dir     string
	name    string     // of this program among those that have the file open
	json    bool       // talk in the text form
	syncing sync.Mutex // held by the one exchange under way
	writing sync.Mutex // held while an edit gets its number
}

// Option changes how a phone is opened.
type Option func(*Phone)

// WithTransport sends requests through t: a test's bad network, a proxy.
func WithTransport(t http.RoundTripper) Option { return func(p *Phone) { p.client.Transport = t } }

// WithClock sets the phone's wall clock.
func WithClock(now func() time.Time) Option { return func(p *Phone) { p.now = now } }

// WithApp sets the name and version told to the server, "langso-phone/1" by default.
func WithApp(name string) Option { return func(p *Phone) { p.app = name } }

// WithJSON makes the phone talk in the text form, which people can read: for
// looking on, and for servers that know no dictionary.
func WithJSON() Option { return func(p *Phone) { p.json = true } }

const tables = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (coll TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, circles TEXT NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (coll, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (at INTEGER PRIMARY KEY, coll TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, whole INTEGER NOT NULL, circles TEXT, fields TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS kept_record ON kept (coll, id);
CREATE TABLE IF NOT EXISTS edits (n INTEGER PRIMARY KEY, body TEXT NOT NULL, state TEXT NOT NULL, verdict TEXT NOT NULL DEFAULT '', covered INTEGER NOT NULL DEFAULT 0, at TEXT NOT NULL, person TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS edits_makes ON edits (` + makes + `) WHERE state IN ('waiting', 'parked', 'refused');
` + courierTables

// Open opens, or makes, the phone kept in folder dir. server is the base
// address, "https://xa.example"; empty keeps the one that is stored.
func Open(dir, server string, options ...Option) (*Phone, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open phone: %w", err)
	}
	db, err := openDB(filepath.Join(dir, "phone.db") +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=secure_delete(ON)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open phone: %w", err)
	}
	// One connection: a phone is one reader and one writer, and order is simple.
	db.SetMaxOpenConns(1)
	p := &Phone{db: db, client: &http.Client{Timeout: 5 * time.Minute, Transport: plainTransport()}, now: time.Now, app: "langso-phone/1", dir: dir, name: rand.Text()}
	for _, o := range options {
		o(p)
	}
	if _, err := db.Exec(tables); err != nil {
		return nil, errors.Join(fmt.Errorf("open phone: %w", err), db.Close())
	}
	if server != "" {
		if err := p.setMeta("server", server); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	p.tidy()
	return p, nil
}

// plainTransport asks for no compression of its own: answers have theirs.
func plainTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	return t
}

// Close closes the file. Everything that was told done is in it.
func (p *Phone) Close() error { return p.db.Close() }

// querier is the database or a transaction of it.
type querier interface {
	Exec(query string, args ...any) (sql.Result, error)
	Query(query string, args ...any) (*sql.Rows, error)
	QueryRow(query string, args ...any) *sql.Row
}

func getMeta(q querier, key string) (string, error) {
	var v string
	err := q.QueryRow(`SELECT value FROM meta WHERE key = ?`, key).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return v, err
}

func getNumber(q querier, key string) (int64, error) {
	v, err := getMeta(q, key)
	if err != nil || v == "" {
		return 0, err
	}
	return strconv.ParseInt(v, 10, 64)
}

func setMeta(q querier, key, value string) error {
	_, err := q.Exec(`INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	if err != nil {
		return fmt.Errorf("store %s: %w", key, err)
	}
	return nil
}

func (p *Phone) setMeta(key, value string) error { return setMeta(p.db, key, value) }

// transact runs f in one write transaction of the phone's file.
func (p *Phone) transact(f func(tx *sql.Tx) error) error {
	tx, err := p.db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// key returns the phone's private key, making one at the first call.
func (p *Phone) key() (ed25519.PrivateKey, error) {
	text, err := getMeta(p.db, "key")
	if err != nil {
		return nil, err
	}
	if text != "" {
		seed, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(seed) != ed25519.SeedSize {
			return nil, errors.New("the phone's key is damaged")
		}
		return ed25519.NewKeyFromSeed(seed), nil
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return key, p.setMeta("key", base64.RawURLEncoding.EncodeToString(key.Seed()))
}

// PublicKey returns the phone's public key as the protocol writes it.
func (p *Phone) PublicKey() (string, error) {
	key, err := p.key()
	if err != nil {
		return "", err
	}
	return wire.Ed25519Key(key.Public().(ed25519.PublicKey)), nil
}

// NewID makes an id for a record: 15 characters a–z and 0–9.
func NewID() string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	var raw [15]byte
	_, _ = rand.Read(raw[:]) // never fails
	for i, b := range raw {
		raw[i] = alphabet[int(b)%len(alphabet)]
	}
	return string(raw[:])
}
