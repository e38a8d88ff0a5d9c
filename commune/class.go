package commune

// Class says how much a notice presses: when it may wake a phone, by which
// roads, and what follows when nobody hears it.
type Class int

// The classes, most pressing first. The zero Class is not said: an urgent
// notice is then an Emergency, any other Information.
const (
	Emergency   Class = iota + 1 // khẩn cấp: flood, fire, a missing child. At once, at any hour
	Needed                       // somebody must do something: papers are missing, a dose is due
	Information                  // a result is ready, news of the village
	DataOnly                     // a record changed; nobody is to be shown anything
)

// Or returns c, or what an unsaid class means.
func (c Class) Or(urgent bool) Class {
	switch {
	case c >= Emergency && c <= DataOnly:
		return c
	case urgent:
		return Emergency
	}
	return Information
}

// Shown tells whether a person is to look now: a wake-up of such a class is
// shown by the phone and never collapsed into another.
func (c Class) Shown() bool { return c == Emergency || c == Needed }
