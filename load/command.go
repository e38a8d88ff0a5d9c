package load

import (
	"fmt"
	"os"

	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"

	"langso/commune"
)

// exit ends the program; a test puts another in its place.
var exit = os.Exit

// Command is `import <folder>`. after is called when the rows are in: the
// journal absorbs them. With row errors, or when the load could not go on, the
// program ends with status 1: PocketBase drops the errors of its commands, so
// the command ends it itself, with the database closed.
func Command(app core.App, domains []commune.Domain, after func() error) *cobra.Command {
	return &cobra.Command{
		Use:   "import <folder>",
		Short: "Nạp dân cư, gian hàng, sổ sức khỏe, hồ sơ … từ tệp CSV hoặc JSON Lines trong một thư mục",
		Args:  cobra.ExactArgs(1),
		Run: func(cmd *cobra.Command, args []string) {
			bad, err := importFolder(cmd, app, domains, args[0], after)
			if err != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), "Không nạp tiếp được:", err)
			}
			if err != nil || bad > 0 {
				_ = app.ResetBootstrapState() // the process ends whatever it says
				exit(1)
			}
		},
	}
}

func importFolder(cmd *cobra.Command, app core.App, domains []commune.Domain, folder string, after func() error) (bad int, err error) {
	src, err := OpenFolder(folder)
	if err != nil {
		return 0, err
	}
	if err := app.RunAllMigrations(); err != nil {
		return 0, fmt.Errorf("run migrations: %w", err)
	}
	report, err := Run(cmd.Context(), app, domains, src, cmd.OutOrStdout())
	if after != nil {
		// What was committed is absorbed even when the load broke off.
		if e := after(); err == nil {
			err = e
		}
	}
	return report.Total().Bad, err
}
