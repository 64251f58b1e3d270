package manifest

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxReason is how many bytes of an error are kept and shown (security R15).
const MaxReason = 2048

// CleanText is s for people and logs: control characters and those that turn the direction of writing are gone, so that
// nobody's terminal obeys them (CVE-2021-21303, security X7), line ends stay, what is not UTF-8 is replaced, and at most
// limit bytes are left, cut between characters and ended by an ellipsis.
func CleanText(s string, limit int) string {
	var b strings.Builder
	for _, r := range s[:min(len(s), 8*max(limit, 0)+64)] { // enough to be cut below; not all of a large output
		switch {
		case r == '\n':
			b.WriteByte('\n')
		case r == '\t':
			b.WriteByte(' ')
		case unprintable(r):
		default:
			b.WriteRune(r)
		}
	}
	return cut(b.String(), limit)
}

// unprintable is what a terminal may obey, or what hides or turns the text around it.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

func cut(s string, limit int) string {
	const ellipsis = "…"
	if len(s) <= limit {
		return s
	}
	n := limit - len(ellipsis)
	if n <= 0 {
		return ""
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + ellipsis
}
