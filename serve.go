package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/cmd"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/osutils"
	"github.com/spf13/cobra"

	"langso/demo"
	"langso/hooks"
)

//go:embed all:pb_public
var embedded embed.FS

// files are the phone app: from the disk while developing, else from the binary.
func files() fs.FS {
	if osutils.IsProbablyGoRun() {
		if _, err := os.Stat("pb_public/index.html"); err == nil {
			return os.DirFS("pb_public")
		}
	}
	sub, err := fs.Sub(embedded, "pb_public")
	if err != nil {
		panic(err) // the folder is in the binary or it does not compile
	}
	return sub
}

// serveCommand is PocketBase's serve, with the demo commune and a welcome.
func serveCommand(app *pocketbase.PocketBase, c *hooks.Commune) *cobra.Command {
	serve := cmd.NewServeCommand(app, false)
	serve.Short = "Chạy máy chủ của xã (mặc định ở 127.0.0.1:8090; ghi tên miền thì tự có chứng chỉ)"
	var withDemo bool
	var households int
	serve.Flags().BoolVar(&withDemo, "demo", false, "nạp xã mẫu Phúc Hòa – Hồng Giang vào thư mục còn trống, rồi chạy")
	serve.Flags().IntVar(&households, "demo-households", 0, "số hộ của xã mẫu; 0 là đủ 2.500")
	serve.Flags().BoolVar(&c.SQLConsole, "sql-console", false, "mở bảng lệnh SQL trong trang quản trị (mỗi lệnh đều được ghi lại)")
	serve.Flags().StringVar(&c.SignIn.PublicURL, "public-url", "", "địa chỉ mà điện thoại dùng, để in vào mã QR mời vào; trống là địa chỉ của chính lời gọi")
	run := serve.RunE
	serve.RunE = func(command *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(command.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		var cast []demo.Character
		if withDemo {
			var err error
			if cast, err = loadDemo(ctx, c, households); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		c.BindDashboard()
		welcome(app, c, cast)
		return run(command, args)
	}
	return serve
}

// loadDemo fills an empty folder with the demo commune and returns whom to try
// it as; a folder with other data is not touched.
func loadDemo(ctx context.Context, c *hooks.Commune, households int) ([]demo.Character, error) {
	if err := c.App.RunAllMigrations(); err != nil {
		return nil, err
	}
	holds, err := demo.Holds(c.App)
	if err != nil {
		return nil, err
	}
	switch holds {
	case demo.Other:
		return nil, fmt.Errorf("thư mục %s đang giữ dữ liệu của một xã thật, --demo không đụng vào: hãy chạy không có --demo, hoặc chọn thư mục trống bằng --dir", c.App.DataDir())
	case demo.Empty:
		fmt.Println("Nạp xã mẫu (người và gian hàng đều bịa), khoảng một phút. Lần sau không phải chờ nữa.")
	}
	start := time.Now()
	if err := demo.Load(ctx, c.App, domains, demo.Options{Households: households}, os.Stdout); err != nil {
		return nil, err
	}
	if holds == demo.Empty {
		fmt.Println("Lập sổ đồng bộ …")
	}
	if err := c.Settle(); err != nil {
		return nil, err
	}
	if holds == demo.Empty {
		fmt.Printf("Xong sau %d giây.\n", int(time.Since(start).Seconds()))
	}
	options, err := demo.LoadedOptions(c.App)
	if err != nil {
		return nil, err
	}
	debug.FreeOSMemory() // what loading took is not needed for serving
	c.Demo = true
	c.Name = "Xã Phúc Hòa (bản thử)"
	return demo.Cast(options), nil
}

// welcome prints the three links when the server listens.
func welcome(app core.App, c *hooks.Commune, cast []demo.Character) {
	app.OnServe().BindFunc(func(se *core.ServeEvent) error {
		said := false
		say := func(admin string) {
			if said {
				return
			}
			said = true
			print(se.Server.Addr, admin, c.Name, cast)
		}
		// PocketBase calls the installer only when there is no superuser yet.
		se.InstallerFunc = func(app core.App, system *core.Record, base string) error {
			token, err := system.NewStaticAuthToken(30 * time.Minute)
			if err != nil {
				return err
			}
			say(strings.TrimRight(base, "/") + "/_/#/pbinstall/" + token)
			return nil
		}
		if err := se.Next(); err != nil {
			return err
		}
		if n, err := app.CountRecords(core.CollectionNameSuperusers); err == nil && n > 0 && !onlyInstaller(app, n) {
			say("")
		}
		return nil
	})
}

func onlyInstaller(app core.App, n int64) bool {
	_, err := app.FindAuthRecordByEmail(core.CollectionNameSuperusers, core.DefaultInstallerEmail)
	return err == nil && n == 1
}

func print(addr, admin, name string, cast []demo.Character) {
	host := addr
	if strings.HasPrefix(host, ":") || strings.HasPrefix(host, "0.0.0.0:") {
		host = "localhost" + host[strings.LastIndex(host, ":"):]
	}
	base := "http://" + host
	fmt.Printf("\n%s đang chạy.\n\n", name)
	fmt.Printf("  1. Ứng dụng trên điện thoại   %s/\n", base)
	if admin == "" {
		fmt.Printf("  2. Trang quản trị             %s/_/\n", base)
	} else {
		fmt.Printf("  2. Trang quản trị             %s\n     (liên kết dùng một lần, trong 30 phút, để lập tài khoản quản trị đầu tiên)\n", admin)
	}
	if len(cast) == 0 {
		fmt.Printf("  3. Nạp dữ liệu của xã         langso import <thư mục>   (docs/IMPORT.md)\n\n")
		return
	}
	fmt.Printf("  3. Thử gì trước               đăng nhập bằng một trong các số sau; mã 6 số hiện ngay ở cửa sổ này\n\n")
	for _, p := range cast {
		fmt.Printf("     %-14s %-22s %s\n", p.Number, p.Name, p.Why)
	}
	fmt.Println()
}
