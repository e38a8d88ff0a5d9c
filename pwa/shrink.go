package pwa

import (
	"bytes"
	"path"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/js"
)

// The app is written to be read; what goes over the air needs no comments and
// no blanks. Names stay as they are: a stack trace from a phone can be read.
var shrinker = func() *minify.M {
	m := minify.New()
	m.AddFunc(".css", css.Minify)
	m.Add(".js", &js.Minifier{KeepVarNames: true})
	return m
}()

// shrink returns a script or a style sheet without what machines do not need;
// anything else, and what the minifier does not understand, as it is.
func shrink(name string, body []byte) []byte {
	ext := path.Ext(name)
	if ext != ".js" && ext != ".css" {
		return body
	}
	var out bytes.Buffer
	if err := shrinker.Minify(ext, &out, bytes.NewReader(body)); err != nil || out.Len() >= len(body) {
		return body
	}
	return out.Bytes()
}
