// Package workload pretends that the pods of a cluster answer HTTP requests, where they run nothing (KWOK), and counts
// the outcomes as their own metrics would. Requests go to the Services of an application as they would in truth: by the
// weights of an HTTPRoute that names one of them, else evenly to their ready pods.
//
// A Service's application, the job label of its metrics, is its selector's app.kubernetes.io/name or app, else its own
// name; so the Services of a canary's two sides are one application. The annotation sim/rps of any of its Services
// says how many requests a second it gets.
//
// Shares and error rates are met exactly, by carrying remainders: an analysis over few requests must not flap.
package workload

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

const (
	// Rate is how many requests a second an application gets that does not say.
	Rate = 50
	// tick is the time between bursts of requests.
	tick = 100 * time.Millisecond
)

// Workload is the pretended traffic and its metrics.
type Workload struct {
	*metrics
	services corelisters.ServiceLister
	pods     corelisters.PodLister
	routes   atomic.Pointer[cache.GenericLister] // nil until the cluster has HTTPRoutes
	queues   map[string]*queue                   // by application
	complain map[string]string                   // the last complaint about a Service
}

// New answers with a workload that has had no request yet. It is an http.Handler: its metrics, to be scraped.
func New() *Workload {
	return &Workload{metrics: newMetrics(), queues: map[string]*queue{}, complain: map[string]string{}}
}

var _ http.Handler = New()

// Start sends requests until ctx ends. It answers when the cluster's Services and pods are known.
func (w *Workload) Start(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	dyn, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	f := informers.NewSharedInformerFactory(client, 0)
	w.services, w.pods = f.Core().V1().Services().Lister(), f.Core().V1().Pods().Lister()
	f.Start(ctx.Done())
	for kind, known := range f.WaitForCacheSync(ctx.Done()) {
		if !known {
			return fmt.Errorf("start workload: list %s: %w", kind, context.Cause(ctx))
		}
	}
	go w.findRoutes(ctx, client.Discovery(), dyn)
	go w.loop(ctx)
	return nil
}

func (w *Workload) loop(ctx context.Context) {
	t := time.NewTicker(tick)
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			w.send(min(now.Sub(last), time.Second)) // after a machine's sleep there is no flood
			last = now
		}
	}
}

// send sends the requests of a span of time.
func (w *Workload) send(span time.Duration) {
	services, err := w.services.List(labels.Everything())
	if err != nil {
		klog.ErrorS(err, "workload: list Services")
		return
	}
	apps := w.applications(services)
	for key, a := range apps {
		q := w.queues[key]
		if q == nil {
			q = newQueue()
			w.queues[key] = q
		}
		q.serve(w.metrics, a, span)
	}
	for key := range w.queues {
		if _, there := apps[key]; !there {
			delete(w.queues, key)
		}
	}
	w.forget()
}
