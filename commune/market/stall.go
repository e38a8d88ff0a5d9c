package market

import (
	"strings"

	"langso/commune"
)

func checkStall(c *commune.Case) error {
	if !c.Deleting() && strings.TrimSpace(c.New.GetString("name")) == "" {
		return commune.Refuse("name_missing", "Xin ghi tên gian hàng.")
	}
	return nil
}
