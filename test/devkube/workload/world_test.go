package workload

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// world is a workload over objects that a test sets, without a cluster.
type world struct {
	*Workload
	t                      *testing.T
	services, pods, routes cache.Indexer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	index := func() cache.Indexer {
		return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	}
	w := &world{Workload: New(), t: t, services: index(), pods: index(), routes: index()}
	w.Workload.services, w.Workload.pods = corelisters.NewServiceLister(w.services), corelisters.NewPodLister(w.pods)
	lister := cache.NewGenericLister(w.routes, routes.GroupResource())
	w.Workload.routes.Store(&lister)
	return w
}

func (w *world) set(in cache.Indexer, o any) {
	w.t.Helper()
	if err := in.Update(o); err != nil {
		w.t.Fatal(err)
	}
}

func pairs(text string) map[string]string {
	out := map[string]string{}
	for _, p := range strings.Fields(text) {
		k, v, _ := strings.Cut(p, "=")
		out[k] = v
	}
	return out
}

func (w *world) service(name, selector, annotations string) {
	w.t.Helper()
	w.set(w.services, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Annotations: pairs(annotations)},
		Spec:       corev1.ServiceSpec{Selector: pairs(selector)},
	})
}

// deploy sets n pods of an image tag, ready ones.
func (w *world) deploy(n int, labels, tag string) {
	w.t.Helper()
	for i := range n {
		w.pod(fmt.Sprintf("%s-%d", tag, i), labels, tag, corev1.ConditionTrue)
	}
}

func (w *world) pod(name, labels, tag string, ready corev1.ConditionStatus) {
	w.t.Helper()
	w.set(w.pods, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: pairs(labels)},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Image: "web:" + tag}}},
		Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}},
	})
}

func (w *world) route(name string, weights map[string]int64) {
	w.t.Helper()
	var refs []any
	for service, weight := range weights {
		ref := map[string]any{"name": service, "port": int64(80)}
		if weight >= 0 {
			ref["weight"] = weight
		}
		refs = append(refs, ref)
	}
	w.set(w.routes, &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"namespace": "shop", "name": name},
		"spec":     map[string]any{"rules": []any{map[string]any{"backendRefs": refs}}},
	}})
}

func (w *world) scrape() string {
	r := httptest.NewRecorder()
	w.ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/", nil))
	return r.Body.String()
}

// run sends the requests of so many seconds, after what is new has been scraped.
func (w *world) run(seconds int) {
	w.send(0)
	w.scrape()
	for range seconds * 10 {
		w.send(100 * time.Millisecond)
	}
}

// sum adds up http_requests_total over the series that have all of these labels.
func (w *world) sum(want string) (sum int) {
	w.t.Helper()
	for line := range strings.SplitSeq(w.scrape(), "\n") {
		m := regexp.MustCompile(`^http_requests_total{(.*)} (\S+)$`).FindStringSubmatch(line)
		if m == nil {
			continue
		}
		all := true
		for k, v := range pairs(want) {
			all = all && strings.Contains(","+m[1]+",", fmt.Sprintf(",%s=%q,", k, v))
		}
		n, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			w.t.Fatal(err)
		}
		if all {
			sum += int(n)
		}
	}
	return sum
}

// expect checks sums by labels, to within two requests: the remainders.
func (w *world) expect(sums map[string]int) {
	w.t.Helper()
	for labels, want := range sums {
		if got := w.sum(labels); got < want-2 || got > want+2 || want == 0 && got != 0 {
			w.t.Errorf("%s: %d requests, want %d", labels, got, want)
		}
	}
}
