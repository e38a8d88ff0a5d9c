package people

import "langso/commune"

func checkHousehold(c *commune.Case) error {
	if c.Deleting() {
		return nil // PocketBase keeps a household that still has persons
	}
	return checkName(c.New.GetString("name"))
}
