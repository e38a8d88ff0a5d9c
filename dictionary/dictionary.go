// Package dictionary is what the messages of this commune usually hold: the words
// of docs/SCHEMA.txt, the sentences of refusals, names of procedures and goods,
// the shape of edits. Phone and server both have it before they talk, so that a
// small message is three times smaller.
//
// It holds public words only, written by hand and from declarations, never from
// records: a dictionary trained on health books would carry their text to every
// phone. A version never changes; a new one is a new file here, and older ones
// stay while phones that have them may come.
package dictionary

import _ "embed"

//go:embed 1.txt
var first []byte

// Versions are all that phones may have, for wire.AddDictionaries.
var Versions = map[byte][]byte{1: first}
