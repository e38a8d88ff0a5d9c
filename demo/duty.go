package demo

// officers are who holds a duty besides the village health workers and the
// sellers. The cast is among them.
var officers = []struct {
	seat
	role, place string
}{
	{duc, "station", "TYT1"}, {seat{2, 2, 1}, "station", "TYT1"},
	{seat{18, 2, 0}, "station", "TYT2"}, {seat{19, 2, 1}, "station", "TYT2"},
	{mai, "onestop", ""}, {seat{8, 2, 1}, "onestop", ""}, {seat{9, 2, 0}, "onestop", ""},
	{vinh, "leader", ""},
	{thuy, "broadcast", ""},
}

func (w *world) putDuties(row put) {
	number := 0
	give := func(person, role, place, from string) bool {
		number++
		return row(cell("external", numbered("NV", number)), cell("person", person), cell("role", role), cell("place", place), cell("from", from))
	}
	for v := range villages {
		d := w.dice(diceDuty, v)
		if !give(w.healthWorker(v), "village_health", villages[v].external, w.daysAgo(d.between(200, 2500))) {
			return
		}
	}
	for i, o := range officers {
		d := w.dice(diceDuty, 1000+i)
		if !give(w.seated(o.seat), o.role, o.place, w.daysAgo(d.between(100, 900))) {
			return
		}
	}
	for s := range stallCount {
		d := w.dice(diceDuty, 2000+s)
		owner, clerk := w.sellers(s)
		from := w.daysAgo(d.between(60, 700))
		if !give(owner, "seller", stallExternal(s), from) || clerk != "" && d.in100(60) && !give(clerk, "clerk", stallExternal(s), from) {
			return
		}
	}
}

// healthWorker is the external id of a village's health worker.
func (w *world) healthWorker(village int) string { return w.seated(seat{village, 1, 1}) }

// stationStaff is one of the two who work at a station.
func (w *world) stationStaff(station, nth int) string {
	return w.seated(officers[station*2+nth%2].seat)
}

// sellers are a stall's owner and, where there is one, the clerk: of the same
// family.
func (w *world) sellers(stall int) (owner, clerk string) {
	f, who := w.owner(stall)
	for _, other := range f.adults(w.Today) {
		if other != who {
			return f.person(who), f.person(other)
		}
	}
	return f.person(who), ""
}
