//go:build !race

package drift

// shifts is how many seeds a sync, a sweep, a watch and edits are tried with.
const shifts = 1000
