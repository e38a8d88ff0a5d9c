package causal

import (
	"slices"
	"testing"
)

// versions of two keys as Lan and Tú made them: a1, b1, a2.
var versions = []Version{
	{Key: "a", Value: "a1", Session: "lan", N: 1},
	{Key: "b", Value: "b1", Session: "tu", N: 1},
	{Key: "a", Value: "a2", Session: "lan", N: 2},
}

func wrote(session string, n int64, key, value string) Op {
	return Op{Session: session, Write: &Write{N: n, Key: key, Value: value}}
}

func answered(session string, n int64, effect bool) Op {
	return Op{Session: session, Answer: &Answer{N: n, Effect: effect}}
}

func held(session string, values map[string]string) Op {
	return Op{Session: session, Look: &Look{Held: values}}
}

func seen(session string, values map[string]string) Op {
	return Op{Session: session, Look: &Look{Seen: values}}
}

type all = map[string]string

func TestWhatHolds(t *testing.T) {
	for name, ops := range map[string][]Op{
		"who reads from the beginning on":               {held("tu", all{}), held("tu", all{"a": "a1", "b": ""}), held("tu", all{"a": "a1", "b": "b1"}), held("tu", all{"a": "a2", "b": "b1"})},
		"who sees an own word that waits":               {wrote("lan", 1, "a", "a1"), seen("lan", all{"a": "a1"})},
		"who sees what came after the own":              {wrote("lan", 1, "a", "a1"), answered("lan", 1, true), seen("lan", all{"a": "a2"})},
		"who was refused and sees the old":              {wrote("lan", 1, "a", "a1"), answered("lan", 1, true), wrote("lan", 3, "a", "no"), answered("lan", 3, false), seen("lan", all{"a": "a1"})},
		"who answers what was read":                     {held("lan", all{"a": "a1", "b": "b1"}), wrote("lan", 2, "a", "a2")},
		"who saw nothing yet of what was deleted later": {held("tu", all{"c": ""}), held("tu", all{"c": "c1"}), held("tu", all{"c": ""})},
		"who sees nothing yet, as all was once":         {held("tu", all{"a": "", "b": ""})},
	} {
		if found := Check(History{Versions: append(versions, Version{Key: "c", Value: "c1"}, Version{Key: "c"}), Ops: ops}); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
}

func TestPlantedViolations(t *testing.T) {
	for name, c := range map[string]struct {
		want     Kind
		versions []Version
		ops      []Op
	}{
		"an own word that waits is not shown": {ReadYourWrites, versions, []Op{wrote("lan", 1, "a", "a1"), seen("lan", all{"a": ""})}},
		"an own word that was taken is not shown": {ReadYourWrites, versions,
			[]Op{wrote("lan", 1, "a", "a1"), wrote("lan", 2, "a", "a2"), answered("lan", 1, true), answered("lan", 2, true), seen("lan", all{"a": "a1"})}},
		"a refused word hides an own one that was taken": {ReadYourWrites, versions,
			[]Op{wrote("lan", 1, "a", "a1"), answered("lan", 1, true), wrote("lan", 3, "a", "no"), answered("lan", 3, false), seen("lan", all{"a": ""})}},
		"a value goes back": {MonotonicReads, versions, []Op{held("tu", all{"a": "a2"}), held("tu", all{"a": "a1"})}},
		"a value vanishes":  {MonotonicReads, versions, []Op{held("tu", all{"a": "a2"}), held("tu", all{"a": ""})}},
		"the second word stands first": {MonotonicWrites,
			[]Version{{"a", "a2", "lan", 2}, {"b", "b1", "lan", 1}}, nil},
		"an answer stands before the question": {WritesFollowReads,
			[]Version{{"b", "answer", "tu", 1}, {"a", "question", "lan", 1}}, []Op{held("tu", all{"a": "question"}), wrote("tu", 1, "b", "answer")}},
		"half of an answer shows":     {AtomicVisibility, versions, []Op{held("tu", all{"a": "a2", "b": ""})}},
		"the other half shows":        {AtomicVisibility, []Version{{"a", "a1", "", 0}, {"b", "b1", "", 0}}, []Op{held("tu", all{"a": "", "b": "b1"})}},
		"a value that nobody wrote":   {FromNowhere, versions, []Op{held("tu", all{"a": "a9"})}},
		"a refused value is with all": {FromNowhere, versions, []Op{wrote("lan", 3, "a", "no"), answered("lan", 3, false), held("tu", all{"a": "no"})}},
	} {
		found := Check(History{Versions: c.versions, Ops: c.ops})
		if !slices.ContainsFunc(found, func(v Violation) bool { return v.Kind == c.want }) {
			t.Errorf("%s: not found; found %v", name, found)
		}
		for _, v := range found {
			if v.Kind != c.want {
				t.Errorf("%s: found also %v", name, v)
			}
		}
	}
}
