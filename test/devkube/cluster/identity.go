package cluster

import (
	"bytes"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// identities are the components that write, each a user of its own, so that audit events and managed fields tell
// them apart. The controllers have the service accounts that kube-controller-manager makes for them. The two
// system users have the roles that the API server binds to their names; the others may do anything.
var identities = []struct{ user, group string }{
	{"system:kube-controller-manager", ""},
	{"system:kube-scheduler", ""},
	{"kwok", "system:masters"},
	{"prometheus", "system:masters"},
}

// kubeconfig is the path of an identity's.
func (p *pki) kubeconfig(user string) string {
	return filepath.Join(filepath.Dir(p.tokens), strings.TrimPrefix(user, "system:")+".kubeconfig")
}

// ensureTokens answers with the identities' tokens: those of kube-apiserver's static token file (token, user, uid,
// groups), which it makes, or completes when the directory is older than an identity.
func (p *pki) ensureTokens() (map[string]string, error) {
	old, err := os.ReadFile(p.tokens)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(old))
	r.FieldsPerRecord = 4
	lines, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", p.tokens, err)
	}
	tokens := map[string]string{}
	for _, l := range lines {
		tokens[l[1]] = l[0]
	}
	for _, id := range identities {
		if tokens[id.user] == "" {
			tokens[id.user] = rand.Text()
			lines = append(lines, []string{tokens[id.user], id.user, id.user, id.group})
		}
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(lines); err != nil {
		return nil, err
	}
	return tokens, os.WriteFile(p.tokens, b.Bytes(), 0o600)
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
	tokens, err := p.ensureTokens()
	if err != nil {
		return err
	}
	for user, token := range tokens {
		if err := p.write(p.kubeconfig(user), server, &api.AuthInfo{Token: token}); err != nil {
			return err
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
