package cluster

import (
	"crypto/rand"
	"encoding/csv"
	"fmt"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// identities are the components that write, each a user of its own, so that audit events and managed fields tell
// them apart. The controllers have the service accounts that kube-controller-manager makes for them. The two
// system users have the roles that the API server binds to their names; kwok may do anything.
var identities = []struct{ user, group string }{
	{"system:kube-controller-manager", ""},
	{"system:kube-scheduler", ""},
	{"kwok", "system:masters"},
}

func (p *pki) kubeconfigOf(user string) string {
	return map[string]string{
		"system:kube-controller-manager": p.controllers,
		"system:kube-scheduler":          p.scheduler,
		"kwok":                           p.kwok,
	}[user]
}

// writeTokens writes kube-apiserver's static token file: token, user, uid, groups.
func (p *pki) writeTokens() error {
	f, err := os.OpenFile(p.tokens, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	w := csv.NewWriter(f)
	for _, id := range identities {
		if err := w.Write([]string{rand.Text(), id.user, id.user, id.group}); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// writeKubeconfigs writes one for the administrator and one for each identity.
func (p *pki) writeKubeconfigs(server, adminCert, adminKey string) error {
	var err error
	if p.caPEM, err = os.ReadFile(p.caCert); err != nil {
		return err
	}
	cert, err := os.ReadFile(adminCert)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(adminKey)
	if err != nil {
		return err
	}
	if err := p.write(p.admin, server, &api.AuthInfo{ClientCertificateData: cert, ClientKeyData: key}); err != nil {
		return err
	}
	f, err := os.Open(p.tokens)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(f)
	r.FieldsPerRecord = 4
	lines, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("read %s: %w", p.tokens, err)
	}
	for _, l := range lines {
		if path := p.kubeconfigOf(l[1]); path != "" {
			if err := p.write(path, server, &api.AuthInfo{Token: l[0]}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *pki) write(path, server string, user *api.AuthInfo) error {
	c := api.NewConfig()
	c.Clusters["devkube"] = &api.Cluster{Server: server, CertificateAuthorityData: p.caPEM}
	c.AuthInfos["user"] = user
	c.Contexts["devkube"] = &api.Context{Cluster: "devkube", AuthInfo: "user"}
	c.CurrentContext = "devkube"
	return clientcmd.WriteToFile(*c, path)
}
