//go:build race

package drive

// lives is fewer with the race detector, which makes each about ten times slower: what it looks for is in any.
const lives = 40
