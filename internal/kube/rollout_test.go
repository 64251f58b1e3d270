package kube

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// sent is a request as the server sees it.
func sent(t *testing.T, r *http.Request) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	q := r.URL.Query()
	if !q.Has("timeout") && r.Method != http.MethodGet {
		t.Errorf("%s %s: the server is not told when we give up", r.Method, r.URL)
	}
	return fmt.Sprintf("%s %s %s/%s %s %s", r.Method, r.URL.Path, q.Get("fieldManager"), q.Get("fieldValidation"), r.Header.Get("Content-Type"), body)
}

func TestWhatARolloutWritesNamesItAndTheStateThatWasRead(t *testing.T) {
	const configMap = "/api/v1/namespaces/n/configmaps/a"
	for name, test := range map[string]struct {
		do   func(r *RolloutClient) error
		want string
	}{
		"a merge patch": {
			func(r *RolloutClient) error {
				u, err := r.Merge(t.Context(), aConfigMap, "u", "2", "", []byte(`{"data":{"big":12345678901234567890}}`))
				if err == nil && u.GetResourceVersion() != "7" {
					err = fmt.Errorf("answers with %v", u)
				}
				return err
			},
			"PATCH " + configMap + ` slipway-rollout/Strict application/merge-patch+json {"data":{"big":12345678901234567890},"metadata":{"resourceVersion":"2","uid":"u"}}`,
		},
		"a merge patch of the status, with metadata": {
			func(r *RolloutClient) error {
				_, err := r.Merge(t.Context(), aConfigMap, "u", "2", "status", []byte(`{"metadata":{"labels":{"a":null}},"status":{"abort":null}}`))
				return err
			},
			"PATCH " + configMap + `/status slipway-rollout/Strict application/merge-patch+json {"metadata":{"labels":{"a":null},"resourceVersion":"2","uid":"u"},"status":{"abort":null}}`,
		},
		"a new object": {
			func(r *RolloutClient) error { _, err := r.Create(t.Context(), someObject("ConfigMap")); return err },
			`POST /api/v1/namespaces/n/configmaps slipway-rollout/Strict application/json {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"n"}}`,
		},
		"a removal": {
			func(r *RolloutClient) error { return r.Remove(t.Context(), aConfigMap, "u", "2") },
			"DELETE " + configMap + ` / application/json {"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"u","resourceVersion":"2"},"propagationPolicy":"Background"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			c, s := fake(t, func(w http.ResponseWriter, r *http.Request) { got = sent(t, r); echo(w, r) }, token)
			if err := test.do(c.Rollouts()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, got); d != "" || s.asked.Load() != 1 {
				t.Error(d, s.asked.Load())
			}
		})
	}
}

func TestAMergePatchThatWouldHoldNothingIsNotSent(t *testing.T) {
	c, s := fake(t, echo, token)
	for _, test := range [][3]string{{"", "2", "{}"}, {"u", "", "{}"}, {"u", "2", "null"}, {"u", "2", "[]"}, {"u", "2", ""}, {"u", "2", `{"metadata":null}`}, {"u", "2", `{"metadata":"x"}`}} {
		if _, err := c.Rollouts().Merge(t.Context(), aConfigMap, types.UID(test[0]), test[1], "", []byte(test[2])); !fault.Is(err, fault.Internal) {
			t.Errorf("%v: %v", test, err)
		}
	}
	if err := c.Rollouts().Remove(t.Context(), aConfigMap, "", "2"); !fault.Is(err, fault.Internal) {
		t.Error(err)
	}
	if err := c.Rollouts().Evict(t.Context(), "n", "p", ""); !fault.Is(err, fault.Internal) {
		t.Error(err)
	}
	if s.asked.Load() != 0 {
		t.Errorf("%d requests", s.asked.Load())
	}
}

func TestARolloutsWritesTellWhoWasFirstFromWhatIsWrong(t *testing.T) {
	merge := func(r *RolloutClient) error {
		_, err := r.Merge(t.Context(), aConfigMap, "u", "2", "", []byte("{}"))
		return err
	}
	create := func(r *RolloutClient) error { _, err := r.Create(t.Context(), someObject("ConfigMap")); return err }
	remove := func(r *RolloutClient) error { return r.Remove(t.Context(), aConfigMap, "u", "2") }
	for name, test := range map[string]struct {
		do       func(r *RolloutClient) error
		code     int
		reason   string
		want     fault.Kind
		inFlight bool
		none     bool
	}{
		"merged by another":        {merge, 409, "Conflict", fault.Conflict, false, false},
		"merged into nothing":      {merge, 404, "NotFound", fault.NotFound, false, false},
		"merged with a wrong type": {merge, 422, "Invalid", fault.Invalid, false, false},
		"merged by nobody":         {merge, 403, "Forbidden", fault.Denied, false, false},
		"merged or not":            {merge, 500, "InternalError", fault.Unavailable, true, false},
		"made by another":          {create, 409, "AlreadyExists", fault.Conflict, false, false},
		"made with a wrong field":  {create, 400, "BadRequest", fault.Invalid, false, false},
		"removed by another":       {remove, 404, "NotFound", 0, false, true},
		"moved before removal":     {remove, 409, "Conflict", fault.Conflict, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := fake(t, func(w http.ResponseWriter, _ *http.Request) { status(w, test.code, test.reason, "because") }, token)
			err := test.do(c.Rollouts())
			if test.none != (err == nil) || err != nil && !fault.Is(err, test.want) || fault.IsInFlight(err) != test.inFlight || s.asked.Load() != 1 {
				t.Errorf("%v, in flight %v, %d requests", err, fault.IsInFlight(err), s.asked.Load())
			}
		})
	}
}

func TestARefusedWriteOfASecretShowsNothingOfIt(t *testing.T) {
	c, _ := fake(t, func(w http.ResponseWriter, _ *http.Request) {
		status(w, 422, "Invalid", `Invalid value: "hunter2"`)
	}, token)
	r, id := c.Rollouts(), manifest.ID{Kind: "Secret", Namespace: "n", Name: "a"}
	_, merged := r.Merge(t.Context(), id, "u", "2", "", []byte(`{"stringData":{"k":"hunter2"}}`))
	_, made := r.Create(t.Context(), someObject("Secret"))
	for _, err := range []error{merged, made} {
		if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "hunter2") {
			t.Error(err)
		}
	}
}

func TestAPatchThatMakesNoSenseIsRefusedWithoutTheObjectThatItWouldMake(t *testing.T) {
	c, _ := fake(t, func(w http.ResponseWriter, _ *http.Request) {
		status(w, 422, "Invalid", ` "" is invalid: patch: Invalid value: "{\"spec\":{\"env\":\"hunter2\\\\\"}}": strict decoding error: unknown field "spec.replicaz"`)
	}, token)
	_, err := c.Rollouts().Merge(t.Context(), aConfigMap, "u", "2", "", []byte("{}"))
	says(t, err, `: "" is invalid: patch: strict decoding error: unknown field "spec.replicaz"`)
	if strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}

func TestAnEvictionThatABudgetForbidsIsBusyAndNotRepeated(t *testing.T) {
	pods := strings.Replace(discoveryGroups, `"items":[`, `"items":[{"metadata":{},"versions":[{"version":"v1","resources":[{"resource":"pods","responseKind":{"version":"v1","kind":"Pod"},"scope":"Namespaced","verbs":["list"]}]}]},`, 1)
	const budget = `{"kind":"Status","apiVersion":"v1","status":"Failure","code":429,"reason":"TooManyRequests","message":"Cannot evict pod",` +
		`"details":{"causes":[{"reason":"DisruptionBudget","message":"needs 1"}]}}`
	for name, test := range map[string]struct {
		answer func(w http.ResponseWriter)
		want   fault.Kind
		none   bool
		asked  int32
	}{
		"a budget says no":      {func(w http.ResponseWriter) { w.WriteHeader(429); _, _ = io.WriteString(w, budget) }, fault.Busy, false, 1},
		"the server is busy":    {func(w http.ResponseWriter) { status(w, 429, "TooManyRequests", "slow down") }, fault.Unavailable, false, maxTries},
		"another pod is there":  {func(w http.ResponseWriter) { status(w, 409, "Conflict", "uid") }, fault.Conflict, false, 1},
		"it is gone":            {func(w http.ResponseWriter) { status(w, 404, "NotFound", `pods "p" not found`) }, 0, true, 1},
		"it is evicted":         {func(w http.ResponseWriter) { w.WriteHeader(201); _, _ = io.WriteString(w, "{}") }, 0, true, 1},
		"nobody may evict here": {func(w http.ResponseWriter) { status(w, 403, "Forbidden", "no") }, fault.Denied, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := ""
				c, s := timed(func(w http.ResponseWriter, r *http.Request) { got = sent(t, r); test.answer(w) })
				s.groups.Store(&pods)
				err := c.Rollouts().Evict(t.Context(), "n", "p", "u")
				if test.none != (err == nil) || err != nil && !fault.Is(err, test.want) || s.asked.Load() != test.asked {
					t.Errorf("%v, %d requests", err, s.asked.Load())
				}
				want := `POST /api/v1/namespaces/n/pods/p/eviction / application/json {"kind":"Eviction","apiVersion":"policy/v1","metadata":{"name":"p","namespace":"n"},"deleteOptions":{"preconditions":{"uid":"u"}}}`
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

func TestAllGoesThroughPagesOfWholeObjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expired := true
		c, s := timed(func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			if r.URL.Path != "/api/v1/namespaces/n/configmaps" || q.Get("labelSelector") != "app=web" || q.Has("resourceVersion") || r.Header.Get("Accept") != "application/json" {
				t.Errorf("%s accepts %s", r.URL, r.Header.Get("Accept"))
			}
			switch {
			case q.Get("continue") == "":
				_, _ = io.WriteString(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"continue":"2"},"items":[{"metadata":{"name":"a"},"data":{"k":"1"}}]}`)
			case expired:
				expired = false
				status(w, http.StatusGone, "Expired", "too old")
			default:
				_, _ = io.WriteString(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"b"}}]}`)
			}
		})
		items, err := c.Rollouts().All(t.Context(), configMapKind, "n", "app=web")
		if err != nil || s.asked.Load() != 4 {
			t.Fatal(err, s.asked.Load())
		}
		var got []map[string]any
		for _, u := range items {
			got = append(got, u.Object)
		}
		want := []map[string]any{
			{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}, "data": map[string]any{"k": "1"}},
			{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "b"}},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}

// A Rollout that is gone ends what runs for it; one whose kind is gone may come back with it.
func TestAKindThatIsMissingIsNoObjectThatIsGone(t *testing.T) {
	rollout := manifest.ID{Group: "argoproj.io", Kind: "Rollout", Namespace: "n", Name: "a"}
	made := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": map[string]any{"name": "a", "namespace": "n"}}}
	c, _ := fake(t, func(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) }, token)
	r := c.Rollouts()
	_, got := r.Get(t.Context(), rollout)
	_, merged := r.Merge(t.Context(), rollout, "u", "2", "", []byte("{}"))
	_, created := r.Create(t.Context(), made)
	_, went := r.Get(t.Context(), aConfigMap) // discovery still has it, the server has not
	for _, err := range []error{got, merged, created, went} {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%v: %v", fault.Of(err), err)
		}
		says(t, err, "slipway crds | kubectl apply --server-side -f -")
	}
	says(t, got, "get Rollout.argoproj.io n/a: cluster fake has no kind Rollout.argoproj.io")
	for _, gk := range []schema.GroupKind{rollout.GroupKind(), configMapKind} {
		items, err := r.All(t.Context(), gk, "", "")
		if !fault.Is(err, fault.NotFound) || len(items) > 0 {
			t.Errorf("%v: %v", fault.Of(err), err)
		}
		says(t, err, "slipway crds")
	}
}

func TestAClusterThatKnowsNoRolloutsHasNone(t *testing.T) {
	c, _ := fake(t, func(w http.ResponseWriter, _ *http.Request) { status(w, 500, "InternalError", "b3cause") }, token)
	if got, err := c.RolloutsIn(t.Context(), "n"); err != nil || len(got) > 0 {
		t.Error(got, err)
	}
	known := strings.Replace(discoveryGroups, `"items":[`, `"items":[{"metadata":{"name":"argoproj.io"},"versions":[{"version":"v1alpha1","resources":[{"resource":"rollouts","responseKind":{"group":"argoproj.io","version":"v1alpha1","kind":"Rollout"},"scope":"Namespaced","verbs":["list"]}]}]},`, 1)
	c, s := fake(t, func(w http.ResponseWriter, _ *http.Request) { status(w, 403, "Forbidden", "b3cause") }, token)
	s.groups.Store(&known)
	if got, err := c.RolloutsIn(t.Context(), "n"); !fault.Is(err, fault.Denied) || got != nil {
		t.Errorf("whether there are Rollouts is not known: %v, %v", got, err)
	}
}

func TestAWriteWhoseAnswerCannotBeReadIsInFlight(t *testing.T) {
	c, s := fake(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"kind":"ConfigMapList"`) }, token)
	_, listed := c.Rollouts().All(t.Context(), configMapKind, "n", "")
	_, merged := c.Rollouts().Merge(t.Context(), aConfigMap, "u", "2", "", []byte("{}"))
	for err, inFlight := range map[error]bool{listed: false, merged: true} {
		if !fault.Is(err, fault.Unavailable) || fault.IsInFlight(err) != inFlight {
			t.Error(err)
		}
	}
	if s.asked.Load() != 2 {
		t.Errorf("%d requests", s.asked.Load())
	}
}
