// Package kube talks to one Kubernetes API server: it connects, lists, applies, deletes and knows which kinds there
// are. It is the only importer of client-go, and of that it takes the kubeconfig loader and the transport (TLS, tokens,
// HTTP/2 health checks). Requests are made here: client-go's own retry sleeps up to ten times inside a call and forgets
// the Retry-After that it was told (client-go rest/with_retry.go), and whether a broken write may have arrived decides
// what happens next (fault.InFlight).
//
// It decides nothing about what to write, and never logs.
package kube

import (
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Bounds of every call.
const (
	callTime   = 10 * time.Second // one call with its retries; the server is told the same, so that no write lands later
	listTime   = 30 * time.Second // one page of a list
	maxTries   = 4                // requests a call may make
	maxAnswer  = 64 << 20         // bytes of one answer
	pageSize   = 500              // objects of one page of a list
	maxPages   = 1000             // pages of one kind: half a million objects with our label
	sweepSize  = 500              // objects of one page of a sweep: as fast as 2,000, at half the memory
	sideBySide = 8                // lists at once
)

// Cluster is a connection to one API server and what is known of its kinds. It is safe for concurrent use.
type Cluster struct {
	name    string       // as the configuration calls it, for error texts
	base    *url.URL     // of the API server
	http    *http.Client // with TLS and credentials
	renews  bool         // the token comes from a file, so one more try after a 401 makes sense
	coding  string       // of a sweep's answers
	known   atomic.Pointer[knowledge]
	turn    chan struct{} // one refresh of known at a time
	learnMu sync.Mutex
	learned map[schema.GroupKind]learnedKind // from CRDs that discovery does not show yet
}

func newCluster(name string, base *url.URL, client *http.Client) *Cluster {
	return &Cluster{
		name: name, base: base, http: client, coding: coding(base.Hostname()),
		turn: make(chan struct{}, 1), learned: map[schema.GroupKind]learnedKind{},
	}
}

// coding is how a sweep's answers should travel. Of 10,000 objects they are 15.4 MB, and 1.2 MB in gzip, which costs the
// server a third more processor time and us 7 % (measured on 1.36.3): worth it on a network, where bytes are paid for, and not on
// this machine.
func coding(host string) string {
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return "identity"
	}
	return "gzip"
}

// Close drops idle connections. A call after it dials anew.
func (c *Cluster) Close() { c.http.CloseIdleConnections() }
