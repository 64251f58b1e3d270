package manifest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
)

func TestOfTwoObjectsWithOneIdentityTheLastWins(t *testing.T) {
	objs := objects([]string{"v1 ConfigMap s/a", "apps/v1 Deployment s/a", "v1 ConfigMap s/b", "apps/v1beta1 Deployment s/a", "v1 ConfigMap s/a", "v1 ConfigMap s/a"})
	for i := range objs {
		objs[i].File = fmt.Sprintf("%d.yaml", i)
	}
	kept, warnings := Duplicates(objs)
	var files []string
	for _, o := range kept {
		files = append(files, o.File)
	}
	if diff := cmp.Diff([]string{"2.yaml", "3.yaml", "5.yaml"}, files); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"1.yaml: Deployment.apps s/a is declared again in 3.yaml, the last wins",
		"0.yaml: ConfigMap s/a is declared again in 4.yaml, the last wins",
		"4.yaml: ConfigMap s/a is declared again in 5.yaml, the last wins",
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Error(diff)
	}
	if kept, warnings := Duplicates(nil); len(kept) != 0 || warnings != nil {
		t.Error("nothing has duplicates")
	}
}

func TestWhatIsTooMuchIsRefusedByNumber(t *testing.T) {
	large := func(name string, bytes int) Object {
		o := obj("v1 ConfigMap s/" + name)
		o.Object["data"] = map[string]any{"k": strings.Repeat("x", bytes)}
		return o
	}
	many := make([]Object, MaxObjects+1)
	for i := range many {
		many[i] = obj(fmt.Sprintf("v1 ConfigMap s/c%d", i))
	}
	total := make([]Object, 21)
	for i := range total {
		total[i] = large(fmt.Sprintf("c%d", i), 1000<<10)
	}
	for _, tt := range []struct {
		name string
		objs []Object
		want string
	}{
		{"none", nil, ""},
		{"as many as are allowed", many[:MaxObjects], ""},
		{"one more", many, "2001 objects"},
		{"a large one", []Object{large("c", MaxObject-200)}, ""},
		{"one that is too large", []Object{large("c", MaxObject)}, "f.yaml: ConfigMap s/c"},
		{"as much as is allowed in all", total[:20], ""},
		{"too much in all", total, "f.yaml: ConfigMap s/c20"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckLimits(tt.objs)
			if tt.want == "" && err != nil {
				t.Error(err)
			}
			if tt.want != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want it to name %q", err, tt.want)
			}
		})
	}
}
