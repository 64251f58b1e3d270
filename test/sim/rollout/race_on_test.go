//go:build race

package rollout

// states is fewer with the race detector, which makes each about ten times slower: a search is one goroutine.
const states = 20_000
