package commune

// OwnerOf returns the id of the person whom a record of this collection
// concerns, by its Owner field; empty when it concerns nobody in particular,
// such as a notice to a whole village.
func (c Collection) OwnerOf(f Fields) string {
	if c.Owner == "" {
		return f.GetString("id")
	}
	owner := f.GetString(c.Owner)
	if ValidID(owner) {
		return owner
	}
	switch circle := Circle(owner); circle.Kind() {
	case "person", "guardian":
		return circle.Name()
	}
	return ""
}
