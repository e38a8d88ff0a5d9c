package commune

import (
	"errors"
	"fmt"
)

// Refusal is a "no" in two parts: a short stable code that phones of any age
// understand, and a Vietnamese sentence for the person who reads it.
type Refusal struct {
	Code     string
	Sentence string
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Sentence }

// Refuse makes a refusal. The sentence may hold verbs as in fmt.Sprintf.
func Refuse(code, sentence string, args ...any) error {
	if len(args) > 0 {
		sentence = fmt.Sprintf(sentence, args...)
	}
	return &Refusal{Code: code, Sentence: sentence}
}

// Refused returns the refusal inside err, or nil.
func Refused(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}

// Parking keeps an edit for a person to decide: nothing of it is written,
// nothing of it is lost.
type Parking struct{ Refusal }

func (p *Parking) Error() string { return "parked " + p.Refusal.Error() }

// Park makes a parking, with a code and a sentence as in [Refuse].
func Park(code, sentence string, args ...any) error {
	if len(args) > 0 {
		sentence = fmt.Sprintf(sentence, args...)
	}
	return &Parking{Refusal{Code: code, Sentence: sentence}}
}

// Parked returns the parking inside err, or nil.
func Parked(err error) *Parking {
	var p *Parking
	if errors.As(err, &p) {
		return p
	}
	return nil
}
