//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "sfubench needs Linux: it uses recvmmsg, UDP_SEGMENT and processor affinity.")
	os.Exit(1)
}
