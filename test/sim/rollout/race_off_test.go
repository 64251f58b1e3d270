//go:build !race

package rollout

// states bounds a scenario; none in CI has so many.
const states = 40_000_000
