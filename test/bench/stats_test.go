package main

import (
	"math"
	"testing"
)

func TestAPercentileIsAValueThatWasMeasured(t *testing.T) {
	var twenty []float64
	for i := 20; i >= 1; i-- {
		twenty = append(twenty, float64(i))
	}
	for _, c := range []struct {
		values []float64
		p      float64
		want   float64
	}{
		{twenty, 50, 10}, {twenty, 99, 20}, {twenty, 95, 19}, {twenty, 100, 20}, {twenty, 0, 1},
		{[]float64{7}, 50, 7}, {[]float64{7}, 99, 7}, {[]float64{2, 1}, 50, 1},
	} {
		if got := percentile(c.values, c.p); got != c.want {
			t.Errorf("percentile %v of %v: %v, want %v", c.p, c.values, got, c.want)
		}
	}
	if twenty[0] != 20 {
		t.Error("the values were sorted in place")
	}
	if !math.IsNaN(median(nil)) {
		t.Error("nothing has a median")
	}
}
