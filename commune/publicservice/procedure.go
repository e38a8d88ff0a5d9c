package publicservice

import (
	"encoding/json"
	"strings"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// Component is one thing that a procedure asks for: a paper or a field of the
// form. Content holds it under Key.
type Component struct {
	Key      string `json:"key"`
	Name     string `json:"name"`
	Required bool   `json:"required"`
}

// procedure is a lens over a record of procedures.
type procedure struct{ *core.Record }

func (p procedure) name() string { return p.GetString("name") }
func (p procedure) active() bool { return p.GetBool("active") }

func (p procedure) components() ([]Component, error) {
	var out []Component
	raw := p.GetString("components")
	if raw == "" || raw == `""` {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		return nil, commune.Refuse("bad_components", "Danh mục giấy tờ của thủ tục không đọc được.")
	}
	return out, nil
}

// missing names the required components that content leaves empty.
func (p procedure) missing(content Content) ([]string, error) {
	components, err := p.components()
	var names []string
	for _, c := range components {
		if c.Required && strings.TrimSpace(content[c.Key]) == "" {
			names = append(names, c.Name)
		}
	}
	return names, err
}

func checkProcedure(c *commune.Case) error {
	if c.Deleting() {
		return nil
	}
	components, err := procedure{c.New}.components()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, part := range components {
		if part.Key == "" || part.Name == "" || seen[part.Key] {
			return commune.Refuse("bad_components", "Mỗi giấy tờ cần một mã riêng và một tên.")
		}
		seen[part.Key] = true
	}
	if len(components) > maxFields {
		return commune.Refuse("bad_components", "Nhiều nhất %d giấy tờ.", maxFields)
	}
	return nil
}
