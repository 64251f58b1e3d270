package rollout

import (
	"fmt"
	"maps"
	"slices"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"sigs.k8s.io/json"
)

// refusal collects what is wrong with a Rollout.
type refusal struct{ problems []string }

func (r *refusal) say(path, format string, args ...any) {
	r.problems = append(r.problems, path+": "+fmt.Sprintf(format, args...))
}

// unbuilt refuses what Argo Rollouts knows and we do not: ignored, it would look as if it worked.
func (r *refusal) unbuilt(path string, given bool) {
	if given {
		r.say(path, "not supported yet")
	}
}

func (r *refusal) count(path string, n *int32, least int32) {
	if n != nil && *n < least {
		r.say(path, "is %d, less than %d", *n, least)
	}
}

// step must be exactly one kind of step, with values that mean something.
func (r *refusal) step(path string, s *v1alpha1.CanaryStep, routed bool) {
	r.unbuilt(path+".experiment", s.Experiment != nil)
	r.unbuilt(path+".setHeaderRoute", s.SetHeaderRoute != nil)
	r.unbuilt(path+".setMirrorRoute", s.SetMirrorRoute != nil)
	r.unbuilt(path+".plugin", s.Plugin != nil)
	kinds := 0
	for _, given := range []bool{
		s.SetWeight != nil, s.Pause != nil, s.Analysis != nil, s.SetCanaryScale != nil,
		s.Experiment != nil, s.SetHeaderRoute != nil, s.SetMirrorRoute != nil, s.Plugin != nil,
	} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		r.say(path, "has %d kinds of step, not one", kinds)
	}
	if w := s.SetWeight; w != nil && (*w < 0 || *w > fullWeight) {
		r.say(path+".setWeight", "is %d, not between 0 and 100", *w)
	}
	if s.Pause != nil && s.Pause.DurationSeconds() < 0 {
		r.say(path+".pause.duration", "is %.80q, neither seconds nor a duration such as 10m", s.Pause.Duration.String())
	}
	if s.Analysis != nil {
		r.analysis(path+".analysis", s.Analysis)
	}
	if s.SetCanaryScale != nil {
		r.scale(path+".setCanaryScale", s.SetCanaryScale, routed)
	}
}

func (r *refusal) scale(path string, s *v1alpha1.SetCanaryScale, routed bool) {
	if !routed {
		r.say(path, "needs trafficRouting: without a router the number of pods is the weight")
	}
	kinds := 0
	for _, given := range []bool{s.Weight != nil, s.Replicas != nil, s.MatchTrafficWeight} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		r.say(path, "needs one of weight, replicas and matchTrafficWeight")
	}
	r.count(path+".replicas", s.Replicas, 0)
	if s.Weight != nil && (*s.Weight < 0 || *s.Weight > fullWeight) {
		r.say(path+".weight", "is %d, not between 0 and 100", *s.Weight)
	}
}

func (r *refusal) analysis(path string, a *v1alpha1.RolloutAnalysis) {
	if len(a.Templates) == 0 {
		r.say(path+".templates", "is missing")
	}
	for i, t := range a.Templates {
		if t.TemplateName == "" {
			r.say(fmt.Sprintf("%s.templates[%d].templateName", path, i), "is missing")
		}
	}
}

// routing must name one router that we drive, and both Services that it divides the traffic between.
func (r *refusal) routing(path string, c *v1alpha1.CanaryStrategy) {
	t, before := c.TrafficRouting, len(r.problems)
	r.unbuilt(path+".istio", t.Istio != nil)
	r.unbuilt(path+".nginx", t.Nginx != nil)
	r.unbuilt(path+".alb", t.ALB != nil)
	r.unbuilt(path+".smi", t.SMI != nil)
	r.unbuilt(path+".ambassador", t.Ambassador != nil)
	r.unbuilt(path+".appMesh", t.AppMesh != nil)
	r.unbuilt(path+".traefik", t.Traefik != nil)
	r.unbuilt(path+".apisix", t.Apisix != nil)
	r.unbuilt(path+".managedRoutes", len(t.ManagedRoutes) > 0)
	r.unbuilt(path+".maxTrafficWeight", t.MaxTrafficWeight != nil && *t.MaxTrafficWeight != fullWeight)
	for _, name := range slices.Sorted(maps.Keys(t.Plugins)) {
		if name == gatewayPlugin {
			r.gateway(path+".plugins["+name+"]", t.Plugins[name])
			continue
		}
		r.unbuilt(path+".plugins["+name+"]", true)
	}
	if len(r.problems) == before && len(t.Plugins) == 0 {
		r.say(path, "names no router")
	}
	if c.StableService == "" || c.CanaryService == "" {
		r.say(path, "needs stableService and canaryService: a router divides the traffic between them")
	}
}

func (r *refusal) gateway(path string, text []byte) {
	var g Gateway
	unknown, err := json.UnmarshalStrict(text, &g)
	if err != nil {
		r.say(path, "%v", err)
		return
	}
	for _, u := range unknown {
		r.say(path, "%v: not supported yet", u)
	}
	if len(g.Routes()) == 0 {
		r.say(path, "names no httpRoute")
	}
	for i, route := range g.HTTPRoutes {
		r.unbuilt(fmt.Sprintf("%s.httpRoutes[%d].useHeaderRoutes", path, i), route.UseHeaderRoutes)
		if route.Name == "" {
			r.say(fmt.Sprintf("%s.httpRoutes[%d].name", path, i), "is missing")
		}
	}
}
