package hooks

import (
	"langso/sync/files"
	"langso/sync/phones"
)

// bindFiles keeps the photos and scans that records refer to.
func (c *Commune) bindFiles() {
	c.store = files.New(files.Options{
		App: c.App, Phones: phones.Book{App: c.App}, Domains: c.Domains, Now: c.Now, Settings: c.FileSettings,
		Circles: func(person string) ([]string, error) {
			// What was written a moment ago may have ended a standing.
			if err := c.Absorb(); err != nil {
				return nil, err
			}
			return c.Engine.Circles(person)
		},
	})
}
