//go:build race

package sim

// seeds is fewer with the race detector, which makes each world about ten times slower: what it looks for is in any.
const seeds = 60
