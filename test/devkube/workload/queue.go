package workload

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// maxRate is what one application may ask for: each request is counted one by one.
const maxRate = 10_000

// queue is what an application's requests have come to: who got the last ones, and what is owed.
type queue struct {
	due   float64          // requests owed
	share map[string]int64 // of each Service, see pick
	next  map[string]int   // pod of each Service, in turn
	alive bool             // had a pod that answered: from then on none is an error, before that it is not deployed
}

func newQueue() *queue { return &queue{share: map[string]int64{}, next: map[string]int{}} }

// serve sends the application's requests of a span of time, and counts them.
func (q *queue) serve(m *metrics, a *application, span time.Duration) {
	warm, warming := map[string][]*corev1.Pod{}, map[string]bool{}
	for _, b := range a.backends {
		for _, p := range b.pods {
			if m.scraped(a, b.service, p) {
				warm[b.service] = append(warm[b.service], p)
				q.alive = true
			} else {
				warming[b.service] = true
			}
		}
	}
	if !q.alive {
		return
	}
	for q.due += a.rate * span.Seconds(); q.due >= 1; q.due-- {
		service := q.pick(a.backends)
		pods := warm[service]
		switch {
		case len(pods) > 0:
			q.next[service]++
			m.answer(a, service, pods[q.next[service]%len(pods)])
		case !warming[service]:
			m.unavailable(a, service)
		}
	}
}

// pick is a smooth weighted round robin, as nginx has it: each Service is given its weight, the one that then has most
// is picked and pays the sum. Without any weight nobody can answer, and the first Service is the one to blame.
func (q *queue) pick(backends []backend) string {
	picked, sum := "", int64(0)
	for _, b := range backends {
		if b.weight <= 0 {
			continue
		}
		sum += b.weight
		q.share[b.service] += b.weight
		if picked == "" || q.share[b.service] > q.share[picked] {
			picked = b.service
		}
	}
	if picked == "" {
		return backends[0].service
	}
	q.share[picked] -= sum
	return picked
}
