package analysis

import (
	"strings"
	"testing"
)

func TestWhatCouldGrowIsRefused(t *testing.T) {
	nest := func(n int, before, middle, after string) string {
		return strings.Repeat(before, n) + middle + strings.Repeat(after, n)
	}
	for name, condition := range map[string]string{
		"doubled by let":              `let a = [result]; let b = [a, a]; len([b, b]) > 0`,
		"doubled by a sequence":       `1; 2; true`,
		"doubled by reduce":           `len(reduce(1..100, #acc + #acc, "x")) > 0`,
		"a text repeated":             `len(repeat("x", 1000000000)) > 0`,
		"a text replaced":             `len(replace("aaaa", "a", "aaaaaaaa")) > 0`,
		"lists put together":          `len(concat(result, result)) > 0`,
		"each compared with each":     `len(uniq(result)) > 0`,
		"written out":                 `len(toJSON(result)) > 0`,
		"read in":                     `fromJSON("[]") == nil`,
		"a list flattened":            `len(flatten([result, result])) > 0`,
		"texts added":                 `"a" + "b" == "ab"`,
		"texts added in a predicate":  nest(40, "map(", `["aa", 1]`, ", # + #)") + "[0] == 1",
		"texts of one type added":     nest(40, "map(", `["aa"]`, ", # + #)") + `[0] == ""`,
		"lists nested by a predicate": nest(40, "map(", `[1]`, ", [#, #])") + " == [1]",
		"maps nested by a predicate":  nest(40, "map(", `[1]`, ", {\"a\": #})") + " == [1]",
		"a long range":                `all(1..1000000, # > 0)`,
		"a range of a name":           `all(1..int(result[0]), # > 0)`,
		"many nodes":                  strings.Repeat("1+", 600) + "1 > 0",
		"deep":                        nest(4000, "(", "1", ")") + " > 0",
		"long":                        strings.Repeat(" ", 5000) + "true",
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := holds(condition, make([]float64, 5000)); err == nil {
				t.Errorf("gives %v", out)
			}
		})
	}
}

func TestTheRoundsOfPredicatesAreCountedTogether(t *testing.T) {
	values := make([]float64, 5000)
	for condition, ok := range map[string]bool{
		"all(result, # == 0)": true,
		"all(result, # == 0) && all(result, # == 0) && none(result, # > 0)":      true,
		"all(result, all(result, # == 0))":                                       false,
		"all(1..1000, all(1..1000, all(1..1000, all(1..1000, # > 0))))":          false,
		"len(map(result, min(map(result, # + 1)))) > 0":                          false,
		"count(result, # == 0) > 0 and count(result, # == 0) == 5000":            true,
		"any(1..9, count(result, # == 0) > 5000)":                                true,
		"any(1..11, count(result, # == 0) > 5000)":                               false,
		"len(filter(result, # == 0)) == 5000 && sum(map(result, # + 1)) == 5000": true,
	} {
		out, err := holds(condition, values)
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "takes") {
			t.Errorf("%s: %v, %v", condition, out, err)
		}
	}
}

func TestNumbersAndTimesAreAddedAsEver(t *testing.T) {
	for condition, result := range map[string]any{
		"result + 1 == 2":                                   1.0,
		"result[0] + result[1] == 3":                        []float64{1, 2},
		"default(result, 1) + 1 == 2":                       nil,
		"map(result, # + 1)[0] == 2":                        []float64{1},
		"map([1, 2.5], # + 1)[1] == 3.5":                    1.0,
		`now() + duration("1h") > now()`:                    1.0,
		`(now() + duration("1h")) - now() > duration("1m")`: 1.0,
	} {
		if ok, err := holds(condition, result); !ok || err != nil {
			t.Errorf("%s: %v, %v", condition, ok, err)
		}
	}
}
