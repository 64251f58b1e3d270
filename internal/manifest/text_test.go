package manifest

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCleanTextObeysNoTerminal(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		limit    int
		want     string
	}{
		{"plain", "render chart: no such value", 100, "render chart: no such value"},
		{"lines stay", "a\nb\r\n\tc", 100, "a\nb\n c"},
		{"escape sequences", "\x1b[31mred\x1b]0;title\x07\u009b1m", 100, "[31mred]0;title1m"},
		{"direction of writing", "abc\u202egpj.exe\u2066x\u200f", 100, "abcgpj.exex"},
		{"line separators", "a\u2028b\u2029c\x7f\x00", 100, "abc"},
		{"letters of the world", "größe 日本 🚢", 100, "größe 日本 🚢"},
		{"no UTF-8", "a\xffb", 100, "a\ufffdb"},
		{"exactly as long", "abcde", 5, "abcde"},
		{"too long", "abcdef", 5, "ab…"},
		{"cut between characters", "日本日本", 10, "日本…"},
		{"no room", "abc", 2, ""},
		{"none", "abc", 0, ""},
		{"less than none", "abc", -1, ""},
		{"nothing", "", 10, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := CleanText(tt.in, tt.limit); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCleanTextOfMuchTextIsShort(t *testing.T) {
	for _, s := range []string{strings.Repeat("x", 1<<20), strings.Repeat("\x1b", 1<<20), strings.Repeat("日", 1<<20)} {
		if got := CleanText(s, MaxReason); len(got) > MaxReason {
			t.Errorf("%d bytes", len(got))
		}
	}
}

func FuzzCleanText(f *testing.F) {
	f.Add("a\x1b[31m\xff日本", 7)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := CleanText(s, limit%4096)
		if len(got) > max(limit%4096, 0) || !utf8.ValidString(got) || strings.ContainsAny(got, "\x1b\x00\x07\r\u009b\u202e") {
			t.Errorf("%q", got)
		}
	})
}
