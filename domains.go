package main

import (
	"langso/commune"
	"langso/commune/broadcast"
	"langso/commune/health"
	"langso/commune/market"
	"langso/commune/people"
	"langso/commune/publicservice"
	"langso/commune/settling"
)

// domains are what this commune does. A new domain is a folder, a migration and
// a line here.
var domains = []commune.Domain{
	people.Domain,
	health.Domain,
	publicservice.Domain,
	market.Domain,
	broadcast.Domain,
	settling.Domain,
}
