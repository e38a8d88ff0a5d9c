// Langso runs a rural commune: the electronic health book, public services and
// the citizens' market, on an embedded PocketBase, for phones that are offline
// most of the day.
//
// This file is the table of contents: the commune's parts by name, then serve.
package main

import (
	"fmt"
	"os"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/cmd"

	"langso/demo"
	"langso/hooks"
	"langso/load"
	"langso/notify"
	"langso/notify/fcm"
	"langso/notify/sms"
	"langso/notify/webpush"
	_ "langso/pb_migrations"
	"langso/phone/command"
	"langso/signin"
	"langso/signin/firebase"
	filestore "langso/sync/files"
	"langso/sync/journal"
)

func main() {
	// A phone has a folder of its own and nothing to do with the server's.
	if len(os.Args) > 1 && os.Args[1] == "phone" {
		os.Exit(command.Main(os.Args[2:]))
	}
	app := pocketbase.NewWithConfig(pocketbase.Config{
		HideStartBanner:  true,
		DBConnect:        journal.Connect,
		DataMaxOpenConns: 16,
		DataMaxIdleConns: 16, // all: a connection that is closed takes its compiled statements along
		AuxMaxOpenConns:  4,
		AuxMaxIdleConns:  1,
	})
	gateway := sms.FromEnv(os.Stdout)
	purse := sms.PurseFromEnv(app)
	link, err := sms.LinkFromEnv()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	way := &signin.Service{App: app, SMS: sms.Codes(gateway, purse)}
	browsers := webpush.FromEnv(func() string { return way.PublicURL })
	way.WebPush = browsers
	tokens, err := firebase.FromEnv()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if tokens != nil {
		way.Tokens = tokens
	}
	outbox := &notify.Outbox{App: app, Link: link, Senders: []notify.Sender{fcm.FromEnv(), browsers, sms.SenderFromEnv(purse, gateway)}}
	commune := hooks.Bind(app, hooks.Options{
		Name:    "Làng Số",
		Domains: domains,
		Files:   files(),
		SignIn:  way,
		Outbox:  outbox,
		WebPush: browsers,
		Texts:   sms.InboundFromEnv(app, gateway),

		FileSettings: filestore.FromEnv(),
	})

	app.RootCmd.Use = "langso"
	app.RootCmd.Short = "Làng Số: một xã chạy được khi mất mạng"
	app.RootCmd.AddCommand(
		serveCommand(app, commune),
		load.Command(app, domains, commune.Settle),
		snapshotCommand(commune),
		demo.Command(),
		command.Command(),
		cmd.NewSuperuserCommand(app),
	)
	if err := app.Execute(); err != nil {
		os.Exit(1)
	}
}
