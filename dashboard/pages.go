package dashboard

import (
	"embed"
	"io/fs"
	"strings"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

//go:embed ui
var ui embed.FS

// bindPages adds our pages to the dashboard.
func bindPages(se *core.ServeEvent) {
	files, err := fs.Sub(ui, "ui")
	if err != nil {
		panic(err) // the folder is in the binary or it does not compile
	}
	se.UIExtensions = append(se.UIExtensions, core.UIExtension{Name: "commune", FS: files})
	// PocketBase lets browsers keep the dashboard's files for two weeks: after an
	// update an old page would meet a new server.
	se.Router.Bind(&hook.Handler[*core.RequestEvent]{
		Id:       "communePages",
		Priority: apis.DefaultSecurityHeadersMiddlewarePriority,
		Func: func(e *core.RequestEvent) error {
			if strings.HasPrefix(e.Request.URL.Path, "/_/extensions") {
				e.Response.Header().Set("Cache-Control", "no-cache")
			}
			return e.Next()
		},
	})
}
