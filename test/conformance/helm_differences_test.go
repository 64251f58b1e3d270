//go:build cluster

package conformance

// difference is what slipway does otherwise than helm template, on purpose.
type difference struct {
	lines []string // as compare gives them, or who refuses
	says  string   // of a refusal: part of its reason
	why   string
}

// deliberate are the differences by chart/variant.
var deliberate = map[string]difference{}
