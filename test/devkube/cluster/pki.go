package cluster

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// pki names the files under DIR that make the components know each other.
type pki struct {
	caCert, caKey         string
	serverCert, serverKey string
	saKey                 string // signs service account tokens
	tokens                string
	caPEM                 []byte
	admin                 string // the administrator's kubeconfig; kubeconfig names the others
}

// ensurePKI makes the certificates, keys and tokens under dir/pki, or uses the ones that are there, so that
// kubeconfigs stay good over a restart on the same dir; the kubeconfigs themselves are written anew for server.
func ensurePKI(dir, server string) (*pki, error) {
	d := filepath.Join(dir, "pki")
	if err := os.MkdirAll(d, 0o700); err != nil {
		return nil, err
	}
	in := func(name string) string { return filepath.Join(d, name) }
	p := &pki{
		caCert: in("ca.crt"), caKey: in("ca.key"), serverCert: in("server.crt"), serverKey: in("server.key"),
		saKey: in("sa.key"), tokens: in("tokens.csv"), admin: filepath.Join(dir, "kubeconfig"),
	}
	complete := in("complete") // written last: a start that was cut short leaves no half a set
	if _, err := os.Stat(complete); errors.Is(err, fs.ErrNotExist) {
		if err := p.make(in("admin.crt"), in("admin.key")); err != nil {
			return nil, err
		}
		if err := os.WriteFile(complete, nil, 0o600); err != nil {
			return nil, err
		}
	}
	return p, p.writeKubeconfigs(server, in("admin.crt"), in("admin.key"))
}

func (p *pki) make(adminCert, adminKey string) error {
	ca, caKey, err := sign(p.caCert, p.caKey, &x509.Certificate{
		Subject: pkix.Name{CommonName: "devkube-ca"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}, nil, nil)
	if err != nil {
		return err
	}
	if _, _, err := sign(p.serverCert, p.serverKey, &x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, caKey); err != nil {
		return err
	}
	if _, _, err := sign(adminCert, adminKey, &x509.Certificate{
		Subject:  pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca, caKey); err != nil {
		return err
	}
	sa, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	return writeKey(p.saKey, sa)
}

// sign makes a key and a certificate for it, signed by ca or, when ca is nil, by itself, and writes both.
func sign(certPath, keyPath string, t, ca *x509.Certificate, caKey crypto.Signer) (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, nil, err
	}
	t.NotBefore, t.NotAfter = time.Now().Add(-time.Hour), time.Now().AddDate(5, 0, 0)
	if ca == nil {
		ca, caKey = t, key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, ca, key.Public(), caKey)
	if err != nil {
		return nil, nil, fmt.Errorf("sign %s: %w", certPath, err)
	}
	if err := os.WriteFile(certPath, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	return cert, key, writeKey(keyPath, key)
}

func writeKey(path string, k *ecdsa.PrivateKey) error {
	b, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: b}), 0o600)
}
