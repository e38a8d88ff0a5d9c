package push

// Waiting is how many asks wait for their turn.
func (j *Judge) Waiting() int {
	j.turns.mu.Lock()
	defer j.turns.mu.Unlock()
	return len(j.turns.waiting)
}
