package rollout

import (
	"math"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// fullWeight is all of the traffic. Other totals (maxTrafficWeight) are refused.
const fullWeight = 100

// Replicas is how many pods the Rollout wants; 1 when it does not say.
func Replicas(ro *v1alpha1.Rollout) int32 {
	if ro.Spec.Replicas == nil {
		return 1
	}
	return *ro.Spec.Replicas
}

// limits are maxSurge and maxUnavailable as numbers of pods: maxSurge is rounded up, maxUnavailable down, 25% each when
// not given; both zero make maxUnavailable 1, since nothing could move else (argo-rollouts utils/replicaset MaxSurge,
// MaxUnavailable). maxUnavailable is never more than there are pods.
func limits(ro *v1alpha1.Rollout) (surge, unavailable int32) {
	c, replicas := ro.Spec.Strategy.Canary, Replicas(ro)
	surge = scaled(c.MaxSurge, replicas, math.Ceil)
	unavailable = scaled(c.MaxUnavailable, replicas, math.Floor)
	if surge == 0 && unavailable == 0 {
		unavailable = 1
	}
	return surge, min(unavailable, replicas)
}

// scaled is a number of pods or a share of them. Decode has refused text that is neither.
func scaled(v *intstr.IntOrString, of int32, round func(float64) float64) int32 {
	share := intstr.FromString("25%")
	if v == nil {
		v = &share
	}
	if v.Type == intstr.Int {
		return v.IntVal
	}
	percent, _ := percentage(v.StrVal)
	return int32(round(float64(percent) * float64(of) / 100))
}

// Split is how many canary and stable pods stand for a weight where no router divides the traffic: of the whole numbers
// next to replicas x weight / 100, over a total of replicas or, where surge allows it, of one more, the pair that comes
// nearest; the first wins, the higher number where both are equally near (argo-rollouts utils/replicaset/canary.go). Of
// a weight between 1 and 99 neither side is zero, but for a single replica without surge.
// Ours: where Argo finds no pair with surge 0 and returns no canary, such as 75% of 2, it is one stable pod, the rest canary.
func Split(replicas, weight int32, surge bool) (canary, stable int32) {
	switch {
	case replicas == 0:
		return 0, 0
	case weight <= 0:
		return 0, replicas
	case weight >= fullWeight:
		return replicas, 0
	}
	zero := replicas == 1 && !surge
	low, high := replicas*weight/fullWeight, (replicas*weight+fullWeight-1)/fullWeight
	best := pair{total: -1}
	try := func(canary, total int32) {
		if p := (pair{canary, total}); best.total < 0 || p.off(weight) < best.off(weight) {
			best = p
		}
	}
	if high < replicas || zero {
		try(high, replicas)
	}
	if (low > 0 || zero) && !tied(replicas, weight) {
		try(low, replicas)
	}
	if surge {
		try(high, replicas+1)
		if low > 0 && !tied(replicas+1, weight) {
			try(low, replicas+1)
		}
	}
	if best.total < 0 {
		return replicas - 1, 1
	}
	return best.canary, best.total - best.canary
}

// pair is a number of canary pods out of a total.
type pair struct{ canary, total int32 }

// off is how far the pair's share is from a weight.
func (p pair) off(weight int32) float64 {
	return math.Abs(float64(p.canary*fullWeight)/float64(p.total) - float64(weight))
}

// tied reports whether the weight lies in the middle between two numbers of pods; the higher one is taken then.
func tied(total, weight int32) bool { return total*weight*2%(2*fullWeight) == fullWeight }

// share is how many pods carry a weight where a router divides the traffic: rounded up, and at least least pods where any.
func share(replicas, weight int32, least *int32) int32 {
	n := int32(math.Ceil(float64(replicas) * float64(weight) / fullWeight))
	if n > 0 && least != nil {
		return max(n, *least)
	}
	return n
}

// percentage reads "25%".
func percentage(s string) (int32, bool) {
	if len(s) < 2 || len(s) > 4 || s[len(s)-1] != '%' {
		return 0, false
	}
	var n int32
	for _, c := range s[:len(s)-1] {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + c - '0'
	}
	return n, n <= 100
}
