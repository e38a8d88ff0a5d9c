package demo_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/health"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/demo"
	_ "langso/pb_migrations"
)

var domains = []commune.Domain{people.Domain, health.Domain, publicservice.Domain, market.Domain, broadcast.Domain}

var today = time.Date(2026, 11, 24, 9, 0, 0, 0, commune.Zone)

func newApp(tb testing.TB) core.App {
	tb.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: tb.TempDir()})
	if err := app.Bootstrap(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = app.ResetBootstrapState() })
	if err := app.RunAllMigrations(); err != nil {
		tb.Fatal(err)
	}
	return app
}

func TestTheWholeCommuneObeysTheDomains(t *testing.T) {
	app := newApp(t)
	var out strings.Builder
	err := demo.Load(context.Background(), app, domains, demo.Options{Seed: 1, Households: 200, Today: today}, &out)
	t.Log("\n" + out.String())
	if err != nil {
		t.Fatal(err)
	}
}
