package simulation

import (
	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/health"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
)

// domains are the real ones: a history that breaks them breaks the product.
func domains() []commune.Domain {
	return []commune.Domain{people.Domain, health.Domain, publicservice.Domain, market.Domain, broadcast.Domain}
}
