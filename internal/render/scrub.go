package render

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	maxError = 2 << 10      // bytes of one error's text; security R15
	maxText  = 4 * maxError // of a message that is searched for values; one that quotes a file may have megabytes
	maxKnown = 16 << 20     // bytes of values that a message is compared with; of more every word is taken for a value
	minWord  = 3            // shorter parts of a value say nothing
	masked   = "[value]"
)

var (
	quoted = regexp.MustCompile("`[^`]*`" + `|"(?:[^"\\]|\\.)*"`)
	word   = regexp.MustCompile("[^\\s\"'`<>(){}\\[\\],;:|=/\\\\]+") // of code: image.tag, values-production.yaml
	token  = regexp.MustCompile(`[\pL\pN]+`)                         // of anything
	number = regexp.MustCompile(`^[0-9]{1,5}$`)                      // a line, a column, a port
)

// vocabulary is what the template engine and its functions say; a value that holds such a word hides nothing.
const vocabulary = `parse error execution template executing calling include tpl function not defined wrong type for value
expected got string map interface nil pointer evaluating invalid syntax unexpected unclosed action range over can't field
index out of missing argument arguments number of want have cannot convert comparison incompatible types bad character
unterminated quoted raw operand command undefined variable required fail toYaml fromYaml values during time line
error unable nested reference name rendering failed iterate into integer float bool slice undefined strconv atoi the and
from with end value chart version file files key data output true false null text default text/template is a
did find already set levels deep document must be one object apiVersion kind missing Kubernetes rendered output template:`

// scrubber takes values out of error texts. Helm's errors quote what a template was given: the text of a tpl, the
// operand of a failed conversion, whatever fail was called with (CVE-2025-23216; security R15).
type scrubber struct {
	code   map[string]bool // the words that may be shown: of templates, file names and vocabulary
	whole  []string        // every string of the values, the longest first
	values string          // the same as one text in lower case, and its base64
	all    bool            // there are too many values to look
}

// newScrubber makes the words of code visible and those of values not.
func newScrubber(code []string, values ...any) *scrubber {
	s := &scrubber{code: map[string]bool{}}
	for _, text := range append(code, vocabulary) {
		text = strings.ToLower(text)
		for _, w := range append(word.FindAllString(text, -1), token.FindAllString(text, -1)...) {
			s.code[strings.Trim(w, ".!?$")] = true
		}
	}
	leaves := map[string]bool{}
	for _, v := range values {
		collect(v, leaves)
	}
	size := 0
	for l := range leaves {
		size += len(l)
	}
	if s.all = size > maxKnown; s.all {
		return s
	}
	var b strings.Builder
	for _, l := range sortedKeys(leaves) {
		fmt.Fprintf(&b, "%s\n%s\n", l, base64.StdEncoding.EncodeToString([]byte(l)))
		for line := range strings.Lines(l) {
			if line = strings.TrimSpace(line); s.hides(strings.ToLower(line)) {
				s.whole = append(s.whole, line)
			}
		}
	}
	slices.SortStableFunc(s.whole, func(a, b string) int { return len(b) - len(a) })
	s.values = strings.ToLower(b.String())
	return s
}

// hides reports whether a part of a value says something that the code does not say anyway.
func (s *scrubber) hides(w string) bool {
	return len(w) >= minWord && !number.MatchString(w) && !s.code[w]
}

// collect finds the strings and numbers of values; keys are names, not values.
func collect(v any, into map[string]bool) {
	switch x := v.(type) {
	case map[string]any:
		for _, c := range x {
			collect(c, into)
		}
	case []any:
		for _, c := range x {
			collect(c, into)
		}
	case nil, bool:
	default:
		if s := fmt.Sprint(x); len(s) >= minWord {
			into[s] = true
		}
	}
}

// text is msg on one line, at most 2 kB, without values: first whole ones, wherever they stand, then every word that is
// part of a value and not of the code.
func (s *scrubber) text(msg string) string {
	if len(msg) > maxText {
		msg = strings.ToValidUTF8(msg[:maxText], "")
	}
	for _, v := range s.whole {
		msg = strings.ReplaceAll(msg, v, masked)
	}
	msg = token.ReplaceAllStringFunc(msg, func(w string) string {
		if low := strings.ToLower(w); s.hides(low) && (s.all || strings.Contains(s.values, low)) {
			return masked
		}
		return w
	})
	return cut(strings.Join(strings.Fields(strings.ReplaceAll(msg, "["+masked+"]", masked)), " "))
}

func cut(msg string) string {
	if len(msg) <= maxError {
		return msg
	}
	const tail = " ... (cut)"
	return strings.ToValidUTF8(msg[:maxError-len(tail)], "") + tail
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
