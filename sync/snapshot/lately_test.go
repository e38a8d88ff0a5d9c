package snapshot

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

// Many come back at once for the same; somebody else wants something else.
func TestOneMakesItForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lately{most: 100}
		times, go_on := 0, make(chan struct{})
		slow := func() ([]byte, error) {
			times++
			<-go_on
			return []byte("tail"), nil
		}
		hangsUp, hangUp := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := l.get(hangsUp, "a", slow)
			gone <- err
		}()
		synctest.Wait()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if got, err := l.get(t.Context(), "a", slow); string(got) != "tail" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		synctest.Wait()
		if got, err := l.get(t.Context(), "b", func() ([]byte, error) { return []byte("other"), nil }); string(got) != "other" || err != nil {
			t.Errorf("who wants something else: %q, %v", got, err)
		}
		hangUp()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("who hung up: %v", err)
		}
		close(go_on)
		all.Wait()
		if times != 1 {
			t.Errorf("made %d times", times)
		}
	})
}

func TestTheOldestGoes(t *testing.T) {
	l := &lately{most: 10}
	made := ""
	get := func(key string, n int) {
		t.Helper()
		if got, err := l.get(t.Context(), key, func() ([]byte, error) { made += key; return make([]byte, n), nil }); len(got) != n || err != nil {
			t.Errorf("%s: %d, %v", key, len(got), err)
		}
	}
	get("a", 4)
	get("b", 4)
	get("a", 4) // asked for again: b is the oldest now
	get("c", 4)
	get("a", 4)
	get("c", 4)
	get("b", 4) // a goes
	get("b", 4)
	get("d", 11) // finds no room, and takes none
	get("d", 11)
	get("c", 4)
	if made != "abcbdd" || l.size != 8 || len(l.found) != 2 || l.order.Len() != 2 {
		t.Errorf("made %s; %d bytes of %d are kept", made, l.size, len(l.found))
	}
	broken := errors.New("no such file")
	for range 2 {
		if _, err := l.get(t.Context(), "e", func() ([]byte, error) { made += "e"; return nil, broken }); !errors.Is(err, broken) {
			t.Error(err)
		}
	}
	if made != "abcbddee" || l.has("e") {
		t.Errorf("a failure was kept: %s", made)
	}
}
