package main

import (
	"testing"

	"slipway/internal/app"
	"slipway/internal/manifest"
	"slipway/internal/render"
)

func TestTheApplicationsOfTheBenchAreValidAndRenderWhatIsSaid(t *testing.T) {
	declared, err := app.Decode("push.yaml", []byte(application(pushRepository, "push", pushNamespace)))
	if err != nil || len(declared.Applications) != 1 {
		t.Fatal(declared, err)
	}
	in := app.Inputs{Application: declared.Applications[0].Application, Files: map[string][]byte{}}
	for name, content := range objects(pushObjects) {
		in.Files["apps/push/"+name] = []byte(content)
	}
	out, err := render.InProcess(in, app.Target{KubeVersion: "v1.36.3"})
	if err != nil {
		t.Fatal(err)
	}
	kinds, changed := map[string]bool{}, 0
	for _, o := range out.Objects {
		if err := manifest.Refuse(o); err != nil {
			t.Error(err)
		}
		kinds[o.GetKind()] = true
		if o.GetName() == changedName && o.File == "apps/push/"+changedFile {
			changed++
		}
	}
	if len(out.Objects) != pushObjects || len(kinds) != 5 || changed != 1 {
		t.Errorf("%d objects of kinds %v, %d of them %s", len(out.Objects), kinds, changed, changedName)
	}
}
