package render

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// chartWith is a chart of one template and its values.
func chartWith(template, values string) app.Inputs {
	return app.Inputs{Application: application("apps/web"), Files: map[string][]byte{
		"apps/web/Chart.yaml":            []byte("apiVersion: v2\nname: web\nversion: 1.0.0\n"),
		"apps/web/values.yaml":           []byte(values),
		"apps/web/templates/object.yaml": []byte(template),
	}}
}

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {x: %s}\n"

func TestTheChildGivesWhatIsRenderedInProcess(t *testing.T) {
	numbers := orderService(t, "values-production.yaml")
	numbers.Files["apps/order-service/templates/numbers.yaml"] = []byte(
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n}\nnumbers: [1, 1.5, 1e30, 9223372036854775807, -3, true, null, \"<&>\"]\n")
	cases := map[string]app.Inputs{"numbers": numbers}
	for _, name := range []string{"values-conflict", "env-given-twice", "template-include-error", "schema-not-met", "output-empty"} {
		cases[name], _ = golden(t, "testdata/"+name+".txt")
	}
	for name, in := range cases {
		t.Run(name, func(t *testing.T) {
			want, wantErr := heard(in)
			got, gotErr := New(Options{}).Render(t.Context(), in, target)
			if diff := cmp.Diff(shown(t, want, wantErr), shown(t, got, gotErr)); diff != "" {
				t.Errorf("child differs (-in process +child):\n%s", diff)
			}
			if diff := cmp.Diff(want.Objects, got.Objects, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("child differs (-in process +child):\n%s", diff)
			}
		})
	}
}

func TestABombFailsItsApplicationAndNothingElse(t *testing.T) {
	var doubling strings.Builder
	for i := range 28 {
		fmt.Fprintf(&doubling, "{{define \"d%d\"}}{{include \"d%d\" .}}{{include \"d%d\" .}}{{end}}", i, i+1, i+1)
	}
	doubling.WriteString(`{{define "d28"}}x{{end}}{{include "d0" .}}`)
	cases := []struct {
		name, template, values string
		reasons                []string
	}{
		{"a tpl of 21 bytes that calls itself", `{{ tpl .Values.t . }}`, "t: '{{ tpl .Values.t . }}'", []string{"killed: memory", "killed: 2s deadline"}},
		{"three nested loops", `{{range until 30000}}{{range until 30000}}{{range until 30000}}{{end}}{{end}}{{end}}`, "", []string{"killed: 2s deadline"}},
		{"includes that double", doubling.String(), "", []string{"killed: 2s deadline", "killed: memory", "MiB of text"}},
		{"an output of 1 GB", `{{ repeat 1000000000 "x" }}`, "", []string{"killed: memory", "MiB of text"}},
		{"an output of 60 MB", `{{ repeat 60000000 "x" }}`, "", []string{"MiB of text", "killed: memory"}},
		{"a repeat that overflows", `{{ repeat 9000000000 (repeat 9000000000 "x") }}`, "", []string{"killed: memory", "overflow"}},
	}
	r := New(Options{Deadline: 2 * time.Second, Parallel: 2})
	if _, err := r.Render(t.Context(), chartWith(fmt.Sprintf(configMap, "1"), ""), target); err != nil {
		t.Fatal(err)
	}
	before := peak(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := r.Render(t.Context(), chartWith(c.template, c.values), target)
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("error is %v, want one that is invalid: %v", fault.Of(err), err)
			}
			if raceDetector { // without a limit of address space
				c.reasons = append(c.reasons, "killed: 2s deadline")
			}
			for _, reason := range c.reasons {
				if strings.Contains(err.Error(), reason) {
					return
				}
			}
			t.Errorf("error is %q, want one of %q", err, c.reasons)
		})
	}
	if grown := peak(t) - before; grown > 64<<20 {
		t.Errorf("the parent grew by %d MiB", grown>>20)
	}
	if _, err := r.Render(t.Context(), chartWith(fmt.Sprintf(configMap, "1"), ""), target); err != nil {
		t.Errorf("after the bombs: %v", err)
	}
}

// peak is the most memory that this process ever held.
func peak(t *testing.T) int64 {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "darwin" {
		return u.Maxrss
	}
	return u.Maxrss << 10
}

func TestAStackOverflowIsCalledMemory(t *testing.T) {
	in := chartWith(`{{ tpl .Values.t . }}`, "t: '{{ tpl .Values.t . }}'")
	_, err := New(Options{Deadline: maxDeadline}).Render(t.Context(), in, target)
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "killed: memory") {
		t.Errorf("got %v: %v", fault.Of(err), err)
	}
}

func TestAChildThatMisbehavesIsNamed(t *testing.T) {
	cases := []struct {
		args string
		kind fault.Kind
		want string
	}{
		{"flood", fault.Invalid, "killed: output over 24 MiB"},
		{"babble", fault.Internal, "not JSON"},
		{"fail", fault.Internal, "exit status 7"},
	}
	for _, c := range cases {
		t.Run(c.args, func(t *testing.T) {
			r := New(Options{})
			r.args = []string{c.args}
			before := peak(t)
			_, err := r.Render(t.Context(), chartWith("", ""), target)
			if fault.Of(err) != c.kind || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v: %v; want %v: %s", fault.Of(err), err, c.kind, c.want)
			}
			if grown := peak(t) - before; grown > floodLimit() {
				t.Errorf("the parent grew by %d MiB", grown>>20)
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		_, err := New(Options{Binary: "/nonexistent"}).Render(t.Context(), chartWith("", ""), target)
		if !fault.Is(err, fault.Internal) {
			t.Errorf("got %v: %v", fault.Of(err), err)
		}
	})
}

func TestACallerWhoseTimeEndsIsNotToldThatTheChartIsWrong(t *testing.T) {
	in := chartWith(`{{range until 30000}}{{range until 30000}}{{range until 30000}}{{end}}{{end}}{{end}}`, "")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := New(Options{}).Render(ctx, in, target); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v: %v", fault.Of(err), err)
	}
	r := New(Options{Parallel: 1})
	r.slots <- struct{}{}
	if _, err := r.Render(ctx, in, target); !fault.Is(err, fault.Unavailable) {
		t.Errorf("waiting for a slot: got %v: %v", fault.Of(err), err)
	}
}

func TestOptionsHaveBounds(t *testing.T) {
	for _, c := range []struct{ given, want time.Duration }{
		{0, 8 * time.Second}, {-1, 8 * time.Second}, {time.Second, time.Second}, {time.Hour, 20 * time.Second},
	} {
		if got := New(Options{Deadline: c.given}).deadline; got != c.want {
			t.Errorf("deadline %v becomes %v, want %v", c.given, got, c.want)
		}
	}
}

func TestTheChildHasNothingToLeak(t *testing.T) {
	t.Setenv("SLIPWAY_CANARY", "CANARY-7f3a")
	in := chartWith(fmt.Sprintf(configMap, `'{{ env "SLIPWAY_CANARY" }}'`), "")
	_, err := New(Options{}).Render(t.Context(), in, target)
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), `apps/web/templates/object.yaml:4: function "env" not defined`) {
		t.Errorf("env in a template: %v", err)
	}
	in = chartWith(fmt.Sprintf(configMap, `'{{ getHostByName "localhost" }}{{ len (lookup "v1" "Secret" "default" "") }}'`), "")
	r, err := New(Options{}).Render(t.Context(), in, target)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Objects[0].Object["data"]; !cmp.Equal(got, map[string]any{"x": "0"}) {
		t.Errorf("DNS and lookup give %v, want nothing", got)
	}
}

func BenchmarkRender(b *testing.B) {
	in := orderService(b, "values-production.yaml")
	b.Run("child", func(b *testing.B) {
		r := New(Options{})
		for b.Loop() {
			if _, err := r.Render(b.Context(), in, target); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("in process", func(b *testing.B) {
		for b.Loop() {
			if _, err := InProcess(in, target); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("empty child", func(b *testing.B) {
		for b.Loop() {
			p, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := p.Wait(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestATemplateThatGivesSomethingElseEachTimeIsNamed(t *testing.T) {
	in := chartWith(fmt.Sprintf(configMap, "{{ randAlphaNum 20 }}"), "seen: {}")
	in.Files["apps/web/templates/same.yaml"] = []byte(`{{ if .Values.seen.twice }}{{ fail "values outlive a render" }}{{ end }}{{ $_ := set .Values.seen "twice" true }}`)
	r, err := New(Options{}).Render(t.Context(), in, target)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"output not deterministic: apps/web/templates/object.yaml"}
	if diff := cmp.Diff(want, r.Warnings); diff != "" {
		t.Errorf("warnings differ (-want +got):\n%s", diff)
	}
}

// floodLimit is what a capped output may cost its reader; the race detector's shadow is several times the memory itself.
func floodLimit() int64 {
	if raceDetector {
		return 1 << 30
	}
	return 200 << 20
}
