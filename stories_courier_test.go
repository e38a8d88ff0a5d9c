package main

import (
	"context"
	"fmt"
)

// packs who: what waits is sealed for a neighbour. The key that it is sealed to
// came when they signed in.
func (s *story) packs(args []string) error {
	h, err := s.who(args[0])
	if err != nil {
		return err
	}
	if at, err := h.Greeted(); err != nil || at.IsZero() {
		if err := h.Greet(context.Background()); err != nil {
			return err
		}
	}
	packed, err := h.Pack()
	h.packed = packed.File
	return err
}

// carries who whose: a neighbour takes what somebody packed last.
func (s *story) carries(args []string) error {
	carrier, err := s.who(args[0])
	if err != nil {
		return err
	}
	owner, err := s.who(args[1])
	if err != nil {
		return err
	}
	_, err = carrier.Carry(owner.packed)
	return err
}

// delivers who: where there is a network.
func (s *story) delivers(args []string) error {
	h, err := s.who(args[0])
	if err != nil {
		return err
	}
	_, err = h.Deliver(context.Background())
	return err
}

// unpacks who whose [late]: the owner takes the answers that a neighbour brings;
// late: newer news was there already.
func (s *story) unpacks(args []string) error {
	owner, err := s.who(args[0])
	if err != nil {
		return err
	}
	carrier, err := s.who(args[1])
	if err != nil {
		return err
	}
	file, _, err := carrier.Answers()
	if err != nil {
		return err
	}
	got, err := owner.Unpack(file)
	if err != nil {
		return err
	}
	late := len(args) > 2 && args[2] == "late"
	if got.Answers == 0 || (got.Late > 0) != late {
		return fmt.Errorf("%s took %d answers, %d of them late", args[0], got.Answers, got.Late)
	}
	return nil
}
