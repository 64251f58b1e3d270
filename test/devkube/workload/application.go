package workload

import (
	"cmp"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/klog/v2"
)

// rateAnnotation of a Service is its application's requests a second.
const rateAnnotation = "sim/rps"

// application is what a client of some Services sees.
type application struct {
	namespace, name string
	rate            float64 // requests a second
	services        []*corev1.Service
	backends        []backend
}

// backend is a Service, its share of the requests, and its ready pods.
type backend struct {
	service string
	weight  int64
	pods    []*corev1.Pod
}

// applications are those of all Services that select pods, by namespace/name.
func (w *Workload) applications(services []*corev1.Service) map[string]*application {
	out := map[string]*application{}
	slices.SortFunc(services, func(a, b *corev1.Service) int { return cmp.Compare(a.Name, b.Name) })
	for _, s := range services {
		if len(s.Spec.Selector) == 0 {
			continue
		}
		key := s.Namespace + "/" + applicationOf(s)
		a := out[key]
		if a == nil {
			a = &application{namespace: s.Namespace, name: applicationOf(s), rate: Rate}
			out[key] = a
		}
		a.services = append(a.services, s)
		if rate, said := w.rate(s); said {
			a.rate = rate
		}
	}
	for _, a := range out {
		if a.backends = w.routed(a); a.backends == nil {
			a.backends = w.even(a)
		}
	}
	return out
}

func applicationOf(s *corev1.Service) string {
	return cmp.Or(s.Spec.Selector["app.kubernetes.io/name"], s.Spec.Selector["app"], s.Name)
}

// rate is what a Service says about it, if it says something that can be understood.
func (w *Workload) rate(s *corev1.Service) (rate float64, said bool) {
	text, said := s.Annotations[rateAnnotation]
	if !said {
		return 0, false
	}
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || !(rate >= 0 && rate <= maxRate) {
		if key := s.Namespace + "/" + s.Name; w.complain[key] != text {
			w.complain[key] = text
			klog.Warningf("workload: Service %s: annotation %s: %q is no number of requests a second up to %d", key, rateAnnotation, text, maxRate)
		}
		return 0, false
	}
	return rate, true
}

// even shares the requests evenly among all ready pods, each counted for one of the Services that select it.
func (w *Workload) even(a *application) []backend {
	// The longest selector first: in a canary it is the one that tells the two sides apart.
	services := slices.Clone(a.services)
	slices.SortStableFunc(services, func(a, b *corev1.Service) int { return len(b.Spec.Selector) - len(a.Spec.Selector) })
	counted := map[string]bool{}
	var out []backend
	for _, s := range services {
		b := backend{service: s.Name}
		for _, p := range w.ready(s) {
			if !counted[p.Name] {
				counted[p.Name] = true
				b.pods = append(b.pods, p)
			}
		}
		b.weight = int64(len(b.pods))
		out = append(out, b)
	}
	return out
}

// ready are the pods that a Service sends requests to, in the order of their names.
func (w *Workload) ready(s *corev1.Service) []*corev1.Pod {
	pods, err := w.pods.Pods(s.Namespace).List(labels.SelectorFromSet(s.Spec.Selector))
	if err != nil {
		klog.ErrorS(err, "workload: list pods", "namespace", s.Namespace)
		return nil
	}
	pods = slices.DeleteFunc(pods, func(p *corev1.Pod) bool {
		return p.DeletionTimestamp != nil || !slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
	})
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return pods
}
