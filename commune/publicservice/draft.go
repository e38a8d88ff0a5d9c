package publicservice

import (
	"context"

	"langso/commune"
)

func checkDraft(c *commune.Case) error {
	if c.Deleting() {
		return nil
	}
	_, err := readContent(c.New.GetString("content"))
	return err
}

// dropDraft deletes the caller's draft that became a dossier. One that is
// gone, or is another's, is left alone: the dossier counts.
func dropDraft(c *commune.Call, id string) error {
	if id == "" {
		return nil
	}
	r, err := c.App.FindRecordById("drafts", id)
	if err != nil || !c.Author.Stands(commune.Named("person", r.GetString("person"))) {
		return nil
	}
	return c.App.DeleteWithContext(commune.WithAuthor(context.Background(), c.Author, c.At), r)
}
