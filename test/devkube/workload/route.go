package workload

import (
	"cmp"
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/klog/v2"
)

var routes = schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"}

const lookEvery = time.Second

// httpRoute is the part of one that matters here.
type httpRoute struct {
	Spec struct {
		Rules []struct {
			BackendRefs []struct {
				Group  string `json:"group"`
				Kind   string `json:"kind"`
				Name   string `json:"name"`
				Weight *int64 `json:"weight"`
			} `json:"backendRefs"`
		} `json:"rules"`
	} `json:"spec"`
}

// findRoutes watches HTTPRoutes from when the cluster knows them: their CRD may come at any time, or never.
func (w *Workload) findRoutes(ctx context.Context, known discovery.DiscoveryInterface, client dynamic.Interface) {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		if _, err := known.ServerResourcesForGroupVersion(routes.GroupVersion().String()); err == nil {
			f := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
			lister := f.ForResource(routes).Lister()
			f.Start(ctx.Done())
			w.routes.Store(&lister)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// routed are the backends of the first rule that names one of the application's Services, in the order of the routes'
// names; nil when there is none. What a rule matches or changes is not looked at.
func (w *Workload) routed(a *application) []backend {
	lister := w.routes.Load()
	if lister == nil {
		return nil
	}
	found, err := (*lister).ByNamespace(a.namespace).List(labels.Everything())
	if err != nil {
		klog.ErrorS(err, "workload: list HTTPRoutes", "namespace", a.namespace)
		return nil
	}
	all := make([]*unstructured.Unstructured, 0, len(found))
	for _, o := range found {
		if u, ok := o.(*unstructured.Unstructured); ok {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b *unstructured.Unstructured) int { return cmp.Compare(a.GetName(), b.GetName()) })
	for _, u := range all {
		var r httpRoute
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &r); err != nil {
			klog.ErrorS(err, "workload: read HTTPRoute", "namespace", u.GetNamespace(), "name", u.GetName())
			continue
		}
		if out := w.rule(r, a); out != nil {
			return out
		}
	}
	return nil
}

func (w *Workload) rule(r httpRoute, a *application) []backend {
	for _, rule := range r.Spec.Rules {
		var out []backend
		ours := false
		for _, ref := range rule.BackendRefs {
			if ref.Group != "" || ref.Kind != "" && ref.Kind != "Service" {
				continue
			}
			b := backend{service: ref.Name, weight: 1} // 1 is what the API says of a reference without one
			if ref.Weight != nil {
				b.weight = *ref.Weight
			}
			if s, err := w.services.Services(a.namespace).Get(ref.Name); err == nil && len(s.Spec.Selector) > 0 {
				b.pods = w.ready(s)
				ours = ours || applicationOf(s) == a.name
			}
			out = append(out, b)
		}
		if ours {
			return out
		}
	}
	return nil
}
