//go:build !race

package sim

// seeds is how many worlds a test run has: about a minute on two cores.
const seeds = 1000
