// Package pwa serves the phone app, the folder pb_public.
//
// The app has no build step: what is in the folder is what runs. So the little
// that a build would do is done once at start: every file is read, compressed
// with brotli and gzip at their best level, and named by its SHA-256. From
// then on a request is answered from memory.
//
// GET /app.json lists the files with their hashes and sizes, and a version that
// is the hash of these hashes. The service worker compares it with what the
// phone has, fetches only what changed, and swaps whole versions or none.
package pwa

import (
	"fmt"
	"io/fs"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// Bind serves the app's files at the root of se's router, below whatever more
// specific routes there are. It reads files once: a change of a file needs a
// restart.
func Bind(se *core.ServeEvent, files fs.FS) error {
	site, err := Load(files)
	if err != nil {
		return fmt.Errorf("load phone app: %w", err)
	}
	se.Router.GET("/{path...}", func(e *core.RequestEvent) error {
		if !site.Serve(e.Response, e.Request) {
			return e.NotFoundError("", nil)
		}
		return nil
	}).Bind(apis.SkipSuccessActivityLog())
	return nil
}
