package render

// capped keeps the first limit bytes of what is written and calls full once when there are more. It takes all of them,
// so that the writer does not block. It has no other methods on purpose: io.Copy into an embedded bytes.Buffer goes by
// the promoted ReadFrom, past any cap in Write (177 MB passed one of 20 MiB so).
type capped struct {
	limit int
	full  func()
	data  []byte
	over  int // bytes that were dropped
}

// Write implements io.Writer and never fails.
func (c *capped) Write(p []byte) (int, error) {
	keep := min(len(p), c.limit-len(c.data))
	c.data = append(c.data, p[:keep]...)
	if dropped := len(p) - keep; dropped > 0 {
		if c.over == 0 {
			c.full()
		}
		c.over += dropped
	}
	return len(p), nil
}
