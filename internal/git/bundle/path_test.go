package bundle

import (
	"strings"
	"testing"
)

func TestPathsOfOtherLanguagesAreAllowed(t *testing.T) {
	for _, name := range []string{"a/ä.yaml", "图表/values.yaml", "a b/c..d/...e", "ab:c/d", ".github/x", strings.Repeat("a", maxName)} {
		if err := checkName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestFoldIsEqualExactlyWhereEqualFoldIs(t *testing.T) {
	words := []string{"a", "A", "k", "K", "\u212a", "s", "\u017f", "ß", "ẞ", "ä", "Ä", "i", "I", "İ", "ı", "σ", "ς", "Σ", "图"}
	for _, a := range words {
		for _, b := range words {
			if (fold(a) == fold(b)) != strings.EqualFold(a, b) {
				t.Errorf("%q and %q: fold %v, EqualFold %v", a, b, fold(a) == fold(b), strings.EqualFold(a, b))
			}
		}
	}
}
