package bundle

import (
	"fmt"
	"hash/maphash"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxName = 1024

// checkName refuses every name that is not one clean relative slash path (security S3; CVE-2021-21303). Files are kept
// in a map and never under such a name anywhere else; this keeps two spellings of one path from meaning two files.
func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("an entry has no name")
	case len(name) > maxName:
		return fmt.Errorf("the name %.60q... has %d bytes, at most %d are allowed", name, len(name), maxName)
	case !utf8.ValidString(name):
		return fmt.Errorf("%.200q is not UTF-8", name)
	case strings.ContainsAny(name, "\\\x00"):
		return fmt.Errorf("%.200q holds a backslash or NUL", name)
	case name[0] == '/':
		return fmt.Errorf("%.200q is absolute", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "" || part == ".":
			return fmt.Errorf("%.200q is not a clean path", name)
		case part == "..":
			return fmt.Errorf("%.200q leads out of the archive", name)
		case len(part) >= 2 && part[1] == ':' && (part[0]|0x20 >= 'a' && part[0]|0x20 <= 'z'):
			return fmt.Errorf("%.200q names a drive", name)
		}
	}
	return nil
}

// unprintable is what a terminal may obey or YAML take for the end of a line. Names of files are printed with errors and
// in comments of rendered manifests (security X7). Only who needs such a file is refused: macOS itself makes Icon\r.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

// names finds a path that comes twice, also in other letters. It keeps hashes under a random seed, not the names: half
// a million of them would take more memory than the files that are kept.
type names struct {
	seed maphash.Seed
	seen map[uint64]struct{}
}

func newNames() names { return names{maphash.MakeSeed(), map[uint64]struct{}{}} }

func (n names) add(name string) error {
	h := maphash.String(n.seed, fold(name))
	if _, twice := n.seen[h]; twice {
		return fmt.Errorf("%.200q comes twice, or differs from another path only in upper and lower case", name)
	}
	n.seen[h] = struct{}{}
	return nil
}

// fold makes strings equal that strings.EqualFold holds equal: each letter becomes the smallest of its case orbit.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		low := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			low = min(low, f)
		}
		return low
	}, s)
}
