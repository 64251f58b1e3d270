//go:build race

package drift

// shifts is fewer with the race detector, which makes each about ten times slower: what it looks for is in any.
const shifts = 100
