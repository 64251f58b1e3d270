//go:build cluster

package drift

import (
	"strings"
	"testing"

	"slipway/internal/app"
)

// act is what somebody does to a synced application, and what must come of it.
type act struct {
	name string
	git  string // more than base
	only string // in place of base
	app  func(*app.Application)
	do   func(r *real)
	// want is what a sweep without selfHeal reports; nothing for what is no drift.
	want []string
	// then is what it reports once selfHeal is on, if not the drift of want, healed.
	then []string
	// live are values after the heal: "deployments.apps web .spec.replicas = 1".
	live []string
	// stays says that the drift is there after the heal too, and found by each sweep.
	stays bool
	// writes are what the heal wrote, where it matters.
	writes []string
}

const base = `---
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {team: shop}}
data: {k: v1, j: v1}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {password: hunter2-first}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers:
      - {name: init, image: "busybox:1"}
      containers:
      - name: web
        image: "nginx:1.27"
        env: [{name: A, value: "1"}, {name: B, value: "$(A)2"}]
        ports: [{name: http, containerPort: 8080}]
        resources: {requests: {cpu: 1000m, memory: 64Mi}}
`

// run syncs, acts, and sweeps: without selfHeal it only tells, again and again; with it it heals, once, and is quiet.
func (a act) run(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	if a.app != nil {
		r.declare(a.app)
	}
	text := base + a.git
	if a.only != "" {
		text = a.only
	}
	text = strings.ReplaceAll(text, "NAMESPACE", r.Namespace)
	r.sync(text)
	r.sweep()
	r.want("before the act", found(r.sweep()), nil)
	r.Take()
	a.do(r)
	r.want("reported", found(r.sweep()), a.want)
	r.want("kept", lines(r.known().Findings), a.want)
	again := r.sweep()
	r.want("kept after another sweep", lines(r.known().Findings), a.want)
	r.restart()
	r.sweep()
	r.want("kept by another process", lines(r.known().Findings), a.want)
	r.want("written without selfHeal", r.Take(), nil)
	if len(a.want) == 0 && len(again.Findings) > 0 {
		t.Errorf("a second sweep reports %q", found(again))
	}
	r.selfHeal()
	healed := r.sweep()
	r.want("healed", healedLines(found(healed)), a.healed())
	wrote := r.Take()
	if a.writes != nil {
		r.want("written", append([]string{}, wrote...), a.writes)
	}
	if !a.stays {
		last := r.sweep()
		r.want("after the heal", found(last), nil)
		if last.Suspects > 0 {
			again := r.sweep()
			if again.Suspects > 0 { // a controller may have answered to the heal
				t.Errorf("quiet sweeps have %d, then %d suspects", last.Suspects, again.Suspects)
			}
		}
		r.want("written after the heal", r.Take(), nil)
	}
	for _, l := range a.live {
		at, want, _ := strings.Cut(l, " = ")
		p := strings.Fields(at)
		if got := r.field(p[0], p[1], strings.Join(p[2:], " ")); got != want {
			t.Errorf("%s is %q, want %q", at, got, want)
		}
	}
}

// healed is what the sweep with selfHeal reports.
func (a act) healed() []string {
	if a.then != nil {
		return a.then
	}
	var out []string
	for _, l := range a.want {
		if !strings.HasPrefix(l, string(Foreign)) {
			out = append(out, l)
		}
	}
	return out
}

// healedLines leaves out what is only reported, and the mark of a heal.
func healedLines(all []string) []string {
	var out []string
	for _, l := range all {
		if healed := strings.Replace(l, " healed", "", 1); healed != l {
			out = append(out, healed)
		} else if !strings.HasPrefix(l, string(Foreign)) {
			out = append(out, "not healed: "+l)
		}
	}
	return out
}

func runAll(t *testing.T, acts []act) {
	t.Helper()
	for _, a := range acts {
		t.Run(a.name, a.run)
	}
}
