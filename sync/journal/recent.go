package journal

import "sync"

// recent remembers records that were read lately. It has two halves: what is asked
// for stands in the younger one, and when that is full the older one goes.
type recent struct {
	mu         sync.Mutex
	epoch      string
	young, old map[recordKey]*Record
}

type recordKey struct {
	coll int64
	id   string
}

const (
	mostRecent = 2000    // records that a half holds, about a kilobyte each
	greatest   = 8 << 10 // bytes of a record that is kept: a photo's text, a long letter, are read anew
)

// get returns a record that was read at this number and from a table of this shape.
func (c *recent) get(epoch string, sh *shape, id string, seq int64) *Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch != epoch {
		return nil
	}
	k := recordKey{sh.no, id}
	rec, young := c.young[k]
	if !young {
		rec = c.old[k]
	}
	if rec == nil || rec.Seq != seq || rec.shape != sh {
		return nil
	}
	if !young {
		c.add(k, rec)
	}
	return rec
}

// put remembers records.
func (c *recent) put(epoch string, sh *shape, records map[string]*Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch != epoch {
		c.epoch, c.young, c.old = epoch, nil, nil
	}
	for id, rec := range records {
		size := 0
		for _, value := range rec.wire {
			size += len(value)
		}
		if size <= greatest {
			c.add(recordKey{sh.no, id}, rec)
		}
	}
}

func (c *recent) add(k recordKey, rec *Record) {
	if len(c.young) >= mostRecent {
		c.young, c.old = nil, c.young
	}
	if c.young == nil {
		c.young = make(map[recordKey]*Record)
	}
	c.young[k] = rec
}

// forget drops all.
func (c *recent) forget() {
	c.mu.Lock()
	c.epoch, c.young, c.old = "", nil, nil
	c.mu.Unlock()
}
