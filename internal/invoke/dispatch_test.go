package invoke

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/fault"
)

// started records which clusters' runs were started, and when.
type started struct {
	mu     sync.Mutex
	at     map[string]time.Duration
	begin  time.Time
	refuse func(ctx context.Context, cluster string) error
}

func (s *started) Invoke(ctx context.Context, event []byte) error {
	e, err := ParseDrift(event)
	if err != nil {
		return err
	}
	if err := s.refuse(ctx, e.Cluster); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[e.Cluster] = time.Since(s.begin)
	return nil
}

func clusters(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint("cluster-", i)
	}
	return out
}

func TestAClusterThatCannotBeInvokedKeepsNoOtherOneWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &started{at: map[string]time.Duration{}, begin: time.Now(), refuse: func(ctx context.Context, cluster string) error {
			switch cluster {
			case "cluster-3": // throttled
				return fault.New(fault.Unavailable, "rate exceeded")
			case "cluster-0", "cluster-7": // no answer
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}}
		log, lines := told()
		h := Schedule{Log: log, Tasks: map[string]func(context.Context) error{TaskDrift: Dispatch{Clusters: clusters(300), Drift: s}.Run}}
		err := h.Handle(t.Context(), json.RawMessage(`{"task":"drift"}`))
		if len(s.at) != 297 {
			t.Errorf("%d runs were started", len(s.at))
		}
		for cluster, at := range s.at {
			if at != 0 {
				t.Errorf("%s waited %s", cluster, at)
			}
		}
		if d := time.Since(s.begin); d != dispatchTime {
			t.Errorf("ended after %s", d)
		}
		l := lines(t)
		if len(l) != 1 {
			t.Fatalf("log %v", l)
		}
		logged, _ := l[0]["error"].(string)
		for _, want := range []string{"start drift, 3 of 300 clusters", "cluster cluster-0: context deadline exceeded; ", "cluster cluster-3: rate exceeded; ", "cluster cluster-7: "} {
			if !strings.Contains(logged, want) {
				t.Errorf("the log does not say %q: %s", want, logged)
			}
		}
		if err == nil {
			t.Error("no error for Lambda to count")
		}
	})
}

func TestAHundredClustersThatDoNotAnswerEndWithinTheMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s := &started{at: map[string]time.Duration{}, begin: begin, refuse: func(ctx context.Context, cluster string) error {
			if n := len(cluster); n < len("cluster-100") { // the first hundred
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := (Dispatch{Clusters: clusters(300), Drift: s}).Run(ctx); err == nil || len(s.at) != 200 {
			t.Errorf("%d started, %v", len(s.at), err)
		}
		if d := time.Since(begin); d > 30*time.Second {
			t.Errorf("ended after %s", d)
		}
	})
}

func TestWithoutClustersThereIsNothingToStart(t *testing.T) {
	if err := (Dispatch{}).Run(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestADriftEventNamesOneCluster(t *testing.T) {
	for name, c := range map[string]struct{ event, cluster, want string }{
		"as the dispatcher sends it": {load[string](t, "drift/cluster.json"), "in-cluster", ""},
		"an EKS cluster":             {`{"cluster":"arn:aws:eks:eu-west-1:123456789012:cluster/staging"}`, "arn:aws:eks:eu-west-1:123456789012:cluster/staging", ""},
		"no cluster":                 {`{}`, "", "cluster is missing"},
		"null":                       {`null`, "", "cluster is missing"},
		"an unknown field":           {`{"cluster":"a","mode":"watch"}`, "", `unknown field "mode"`},
		"a field in another case":    {`{"CLUSTER":"a"}`, "", `unknown field "CLUSTER"`},
		"a field twice":              {`{"cluster":"a","cluster":"b"}`, "", `duplicate field "cluster"`},
		"another type":               {`{"cluster":["a","b"]}`, "", "decode drift event"},
		"a text":                     {`"a"`, "", "decode drift event"},
		"no JSON":                    {`cluster`, "", "decode drift event"},
		"too long":                   {`{"cluster":"` + strings.Repeat("a", maxEvent) + `"}`, "", "at most 4096"},
	} {
		e, err := ParseDrift([]byte(c.event))
		switch {
		case c.want == "" && (err != nil || e.Cluster != c.cluster):
			t.Errorf("%s: %+v, %v", name, e, err)
		case c.want != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: got %v, want one line with %s", name, err, c.want)
		}
	}
}
