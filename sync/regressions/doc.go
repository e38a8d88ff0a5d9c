// Package regressions keeps what went wrong once. A regression is a short
// history in which somebody of the commune lost work, kept what was no longer
// theirs, or waited for ever; each test plays one against the real server with
// real phones, begins by saying what happened to whom, and fails when the mend
// is undone.
//
// The simulation looks for histories that nobody has thought of; a history that
// was found comes here, with a name, where it costs a few milliseconds and can
// be read. There is no code to import.
package regressions
