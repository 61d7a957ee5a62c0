package storetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// OnSmallDisk runs a test on a disk of so many bytes, which is in memory. Whoever is not root runs all of t again, as root of a user and
// mount namespace of their own.
func OnSmallDisk(t testing.TB, size int64, test func(dir string)) {
	t.Helper()
	if os.Getuid() != 0 {
		cmd := exec.Command("unshare", "--map-root-user", "--mount", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v=true")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatalf("make a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("remove a small disk: %v", err)
		}
	})
	test(dir)
}

// Fill makes a file that takes what its disk has left, until it is removed.
func Fill(t testing.TB, dir string) (remove func()) {
	t.Helper()
	f, err := os.CreateTemp(dir, "filler-")
	if err != nil {
		t.Fatal(err)
	}
	for at, piece := int64(0), int64(1<<20); err == nil && piece >= 4096; {
		if err = syscall.Fallocate(int(f.Fd()), 0, at, piece); err == nil {
			at += piece
		} else if errors.Is(err, syscall.ENOSPC) {
			piece, err = piece/2, nil
		}
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatalf("fill a disk: %v", err)
	}
	return func() {
		if err := os.Remove(f.Name()); err != nil {
			t.Fatal(err)
		}
	}
}
