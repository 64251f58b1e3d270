//go:build !race

package drive

// lives is how many random lives TestNoFaultBreaksAnInvariant has.
const lives = 1000
