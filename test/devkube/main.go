// Command devkube is a whole Kubernetes control plane in one process, for development and tests.
//
//	devkube up --dir DIR [...]   etcd, kube-apiserver, kube-controller-manager, kube-scheduler, KWOK nodes
//	devkube up --prometheus      and a Prometheus in it, which scrapes traffic that is pretended (package workload)
//	devkube kubectl ...          kubectl itself
//
// It is a module of its own: k8s.io/kubernetes needs a replace line for each of its 33 staging modules, and
// neither those nor its 180 modules, and 90 more of Prometheus, may reach the product's go.mod.
package main

import (
	"fmt"
	"os"
)

const usage = "usage: devkube up --dir DIR [flags]; devkube up -h lists the flags; devkube kubectl ... is kubectl"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "kubectl" {
		os.Exit(kubectl(os.Args[2:]))
	}
	if len(os.Args) < 2 || os.Args[1] != "up" {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	// up moves os.Stderr and os.Args, so that what is said last is said by up itself.
	os.Exit(up(os.Args[2:]))
}
