package metrics

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/internal/fault"
)

// amp is a host of Amazon Managed Prometheus, also one of a VPC endpoint, with its region.
var amp = regexp.MustCompile(`(?:^|\.)aps-workspaces(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|api\.aws)$`)

// signer signs requests to Amazon Managed Prometheus, where the metric has a sigv4. Argo leaves out the signature
// silently for any other host; a signed request holds a session token, so here it is refused.
func (p *Prometheus) signer(ctx context.Context, t target, s v1alpha1.Sigv4Config) (func(*http.Request) error, error) {
	if s == (v1alpha1.Sigv4Config{}) {
		return nil, nil
	}
	host := amp.FindStringSubmatch(t.address.Hostname())
	switch {
	case host == nil || t.address.Scheme != "https":
		return nil, fault.New(fault.Invalid, "%s: sigv4 is for https://aps-workspaces.REGION.amazonaws.com", t.host)
	case t.user != nil, slices.ContainsFunc(t.headers, func(h v1alpha1.WebMetricHeader) bool { return strings.EqualFold(h.Key, "Authorization") }):
		return nil, fault.New(fault.Invalid, "%s: has a sigv4 and another authorization", t.host)
	case s.Profile != "":
		return nil, fault.New(fault.Invalid, "%s: sigv4.profile is not supported: a function has a role, and no profiles", t.host)
	case s.Region != "" && s.Region != host[1]:
		return nil, fault.New(fault.Invalid, "%s: sigv4.region is %.40q", t.host, s.Region)
	}
	from := p.options.AWS.Credentials
	if from == nil {
		return nil, fault.New(fault.Denied, "%s: there are no AWS credentials to sign with", t.host)
	}
	if s.RoleARN != "" {
		cfg := p.options.AWS.Copy()
		cfg.Region = host[1]
		from = stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), s.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = "slipway"
		})
	}
	credentials, err := from.Retrieve(ctx)
	if err != nil {
		return nil, fault.Wrap(fault.Denied, fmt.Errorf("get credentials to sign with: %w", err))
	}
	return func(r *http.Request) error { return signAt(r, credentials, host[1], time.Now()) }, nil
}

func signAt(r *http.Request, credentials aws.Credentials, region string, at time.Time) error {
	// The client marks a POST as one that may be sent twice by a header without a value. It would be signed and not sent.
	delete(r.Header, "Idempotency-Key")
	hash := sha256.New()
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return fmt.Errorf("sign request: %w", err)
		}
		if _, err := io.Copy(hash, body); err != nil {
			return fmt.Errorf("sign request: %w", err)
		}
	}
	return v4.NewSigner().SignHTTP(r.Context(), credentials, r, hex.EncodeToString(hash.Sum(nil)), "aps", region, at)
}
