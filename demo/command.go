package demo

import (
	"fmt"

	"github.com/spf13/cobra"

	"langso/commune"
)

// Command is `demo --out <folder>`: the demo commune as files, ready for
// `import`.
func Command() *cobra.Command {
	var o Options
	var out, today string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Ghi xã mẫu (người và gian hàng đều bịa) ra tệp JSON Lines trong một thư mục, để nạp bằng lệnh import",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if today != "" {
				day, ok := commune.ParseDay(today)
				if !ok {
					return fmt.Errorf("read --today: %q is no day such as 2026-11-24", today)
				}
				o.Today = day
			}
			if err := Write(out, Source(o)); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Đã ghi xã mẫu vào %s. Nạp bằng: langso import %s\n", out, out)
			return nil
		},
	}
	cmd.Flags().Int64Var(&o.Seed, "seed", 1, "hạt giống: cùng số thì cùng một xã")
	cmd.Flags().IntVar(&o.Households, "households", usualHouseholds, "số hộ gia đình")
	cmd.Flags().StringVar(&today, "today", "", "ngày coi là hôm nay, dạng 2026-11-24; trống là hôm nay")
	cmd.Flags().StringVar(&out, "out", "", "thư mục để ghi")
	_ = cmd.MarkFlagRequired("out") // the flag is made above
	return cmd
}
