//go:build conformance && linux

package router

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// apartMark tells the process inside from the one that started it.
const apartMark = "SLIPWAY_ROUTER_APART"

// apart runs tests in a network namespace of their own, where the addresses of pods are this machine's: KWOK's pods have
// addresses, but nothing runs there, and an EndpointSlice may not name a loopback address. So the cluster's own
// controllers write the EndpointSlices, and whoever follows them gets to a server of the test.
func apart(tests func() int) int {
	if os.Getenv(apartMark) == "" {
		return again()
	}
	if err := addressPods(); err != nil {
		fmt.Fprintln(os.Stderr, "give pods their addresses:", err)
		return 1
	}
	return tests()
}

// again runs this binary inside. Who is not root becomes root of a user namespace, where the system allows it.
func again() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...) //nolint:gosec,noctx // this very test, ended by its own timeout
	cmd.Env = append(os.Environ(), apartMark+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1) // -1 when a signal ended it
	case err != nil:
		fmt.Fprintln(os.Stderr, "make a network namespace:", err)
		return 1
	}
	return 0
}

// addressPods starts the loopback device, with 10.244.0.1 as a second address. Of every address of the device's networks the
// kernel says that it is this machine's, and the network of 10.244.0.1 is 10.0.0.0/8, which has all pods
// (test/devkube/cluster/pods.go).
func addressPods() (err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	device, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	device.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, device); err != nil {
		return fmt.Errorf("start the loopback device: %w", err)
	}
	second, err := unix.NewIfreq("lo:pods")
	if err != nil {
		return err
	}
	if err := second.SetInet4Addr([]byte{10, 244, 0, 1}); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, second); err != nil {
		return fmt.Errorf("add an address: %w", err)
	}
	return nil
}
