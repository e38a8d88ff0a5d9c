package hints

// Counted tells f how many listen, now and after each change, under the hub's lock.
func (h *Hub) Counted(f func(listeners int)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counted = f
	h.count()
}
