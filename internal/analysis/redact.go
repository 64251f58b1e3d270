package analysis

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// messageCap is how much of an error a measurement keeps.
const messageCap = 1000

// args are a run's arguments with the values of its secrets, and those values, to be taken out of all that is kept.
func (t Meter) args(ctx context.Context, run *v1alpha1.AnalysisRun) ([]v1alpha1.Argument, []string, error) {
	args := slices.Clone(run.Spec.Args)
	var secrets []string
	for i, arg := range args {
		if arg.ValueFrom == nil || arg.ValueFrom.SecretKeyRef == nil {
			continue
		}
		ref := arg.ValueFrom.SecretKeyRef
		v, err := t.Secrets.Secret(ctx, run.Namespace, ref.Name, ref.Key)
		if err != nil {
			return nil, secrets, fmt.Errorf("read argument %s: %w", arg.Name, err)
		}
		text := string(v.Reveal())
		args[i] = v1alpha1.Argument{Name: arg.Name, Value: &text}
		secrets = append(secrets, text)
	}
	return args, secrets, nil
}

// redact takes the secrets out of everything that goes into a status, and cuts what is too long.
func (t *Taken) redact(secrets []string) {
	m := &t.Measurement
	m.Message = redact(m.Message, secrets)
	m.Value = hide(m.Value, secrets)
	for k, v := range m.Metadata {
		m.Metadata[k] = redact(v, secrets)
	}
	for k, v := range t.Metadata {
		t.Metadata[k] = hide(v, secrets)
	}
}

func redact(s string, secrets []string) string {
	s = strings.ToValidUTF8(hide(s, secrets), "?")
	if len(s) > messageCap {
		s = strings.ToValidUTF8(s[:messageCap], "") + "..."
	}
	return s
}

// hide replaces secrets, also as they are written inside quotes and in URLs, the longest first: one may be part of
// another.
func hide(s string, secrets []string) string {
	var forms []string
	for _, secret := range secrets {
		quoted := strconv.Quote(secret)
		forms = append(forms, secret, quoted[1:len(quoted)-1], url.QueryEscape(secret), url.PathEscape(secret))
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, form := range forms {
		if form != "" {
			s = strings.ReplaceAll(s, form, "*****")
		}
	}
	return s
}
