package arch

import (
	"fmt"
	"path"
	"strings"
)

// floor is a storey of the design: every import of ours goes down.
type floor int

const (
	ground floor = iota
	vocabulary
	adapters
	core
	faces
)

var floorNames = map[floor]string{
	ground: "ground", vocabulary: "vocabulary", adapters: "adapters", core: "core", faces: "faces",
}

// plan says where each package stands; what is below one stands there too. A package that does not exist yet
// is no fault, one that exists and is not here is.
var plan = map[string]floor{
	".": faces, "functions": faces, "internal/cli": faces, "internal/local": faces, "internal/invoke": faces,

	"internal/fetch": core, "internal/deploy": core, "internal/drift": core, "internal/rollout": core,
	"internal/traffic": core, "internal/analysis": core, "internal/appset": core,
	"internal/ignore": core, "internal/lease": core,

	"internal/git/hook": adapters, "internal/git/source": adapters, "internal/git/bundle": adapters,
	"internal/render": adapters, "internal/kube": adapters, "internal/metrics": adapters, "internal/state": adapters,
	"internal/queue": adapters, "internal/workflow": adapters, "internal/config": adapters,

	"internal/app": vocabulary, "internal/manifest": vocabulary, "internal/ownership": vocabulary,
	"internal/health": vocabulary, "internal/record": vocabulary,

	"internal/revision": ground, "internal/fault": ground, "internal/secret": ground,

	"infra": ground, "infra/crds/generate": faces, // what is installed, as data
}

// beside lists the imports within one floor that the design allows; a package may always import what it lies below
// (state/bolt imports state). Vocabulary and ground import each other downwards, which the compiler's ban on cycles
// holds already.
var beside = map[string][]string{
	".":                {"internal/cli"},
	"functions":        {"internal/invoke"},
	"internal/cli":     {"internal/local", "internal/invoke"},
	"internal/local":   {"internal/invoke"},
	"internal/fetch":   {"internal/appset"},
	"internal/deploy":  {"internal/appset", "internal/ignore", "internal/lease"},
	"internal/drift":   {"internal/deploy", "internal/ignore"}, // heals under the lock and by the writes of a sync
	"internal/rollout": {"internal/traffic", "internal/analysis"},
	"internal/lease":   {"internal/traffic", "internal/rollout"},
}

// home is the entry of plan that a package belongs to, "" when none.
func home(pkg string) string {
	for p := pkg; ; p = path.Dir(p) {
		if _, ok := plan[p]; ok && (p != "." || pkg == ".") {
			return p
		}
		if p == "." || p == "/" {
			return ""
		}
	}
}

// Floors reports imports that do not go down, packages without a floor, and product code that imports test/.
// Tests may import what they like: they wire real parts.
func Floors(files []File) []string {
	var out []string
	for _, f := range files {
		if f.Nested || f.Test() || under(f.Package, "test") {
			continue
		}
		from := home(f.Package)
		if from == "" {
			out = append(out, fmt.Sprintf("%s: package %s is on no floor (test/arch/floors.go)", f.Path, f.Package))
			continue
		}
		for _, to := range f.Imports() {
			if reason := upwards(from, to); reason != "" {
				out = append(out, fmt.Sprintf("%s: imports %s: %s", f.Path, to, reason))
			}
		}
	}
	return out
}

// upwards says why from may not import to, "" when it may or when to is not ours.
func upwards(from, to string) string {
	if under(to, "test") {
		return "only tests import test/"
	}
	if !strings.HasPrefix(to, "internal/") && !strings.HasPrefix(to, "functions/") && to != "." {
		return ""
	}
	target := home(to)
	if target == "" {
		return "it is on no floor (test/arch/floors.go)"
	}
	a, b := plan[from], plan[target]
	switch {
	case target == from:
		return ""
	case a == core && b == adapters:
		return "core declares the interface that it needs and imports no adapter"
	case b < a:
		return ""
	case b > a:
		return fmt.Sprintf("%s is above %s", floorNames[b], floorNames[a])
	case a == ground || a == vocabulary || underAny(target, beside[from]):
		return ""
	}
	return fmt.Sprintf("%s do not import each other", floorNames[a])
}
