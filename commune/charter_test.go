package commune_test

import (
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"langso/commune"
)

// bees is the smallest domain that has one of everything.
var bees = commune.Domain{
	Name: "bees", Title: "Nuôi ong",
	Standing: commune.Standing{
		Of:   func(core.App, string) ([]commune.Term, error) { return nil, nil },
		From: []string{"keepers", "hives"},
	},
	Collections: []commune.Collection{{
		Name: "hives", Title: "Đàn ong",
		Read:         commune.Circles{commune.Person("keeper"), commune.Village("village").When("shown"), commune.Everyone().Unless("shy")},
		Write:        commune.Circles{commune.Person("keeper")},
		Conflict:     commune.FirstWins,
		Fields:       commune.Policies{"jars": commune.SumAbove(0), "best": commune.Max},
		Routes:       commune.Routes{"village": {Via: "keeper", Of: "keepers", From: "village"}},
		Aliases:      commune.Aliases{"pots": {Field: "jars", Until: "2027-06-30"}},
		ServerFields: []string{"tag", "born"},
		Personal:     true, Owner: "keeper",
	}, {
		Name: "flowers", Title: "Mùa hoa", Read: commune.Circles{commune.Everyone()},
	}, {
		Name: "harvests", Title: "Lần quay mật", Personal: true,
	}},
	Actions: []commune.Action{{Name: "bees.harvest", Title: "Quay mật", Writes: []string{"hives", "harvests"}, By: "the keeper"}},
	Jobs:    []commune.Job{{Name: "swarm watch", At: "0 6 * * *"}},
}

const beesCharter = `apples (Táo)

bees (Nuôi ong)
  flowers (Mùa hoa)
    read      commune
    write     only the dashboard and the server
  harvests (Lần quay mật)
    read      nobody
    write     only bees.harvest
    personal  of the record itself
  hives (Đàn ong)
    read      person(keeper), village(village) when shown, commune unless shy
    write     person(keeper)
    apart     first wins; best: max; jars: sum above 0
    old name  pots, now jars, until 2027-06-30
    by server born, tag
    follows   village = keepers.village of keeper
    personal  of keeper
  bees.harvest (Quay mật)
    by        the keeper
    writes    harvests, hives
  job: swarm watch
    at        0 6 * * * UTC
  standing
    from      hives, keepers
`

func TestCharterSaysEverything(t *testing.T) {
	apples := commune.Domain{Name: "apples", Title: "Táo"}
	for range 3 { // maps inside: it must not depend on their order
		if got := commune.Charter([]commune.Domain{bees, apples}); got != beesCharter {
			t.Fatalf("charter is\n%s\nwant\n%s", got, beesCharter)
		}
	}
}
