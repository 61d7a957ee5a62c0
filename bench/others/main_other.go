//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "others needs Linux: it gives servers and members a core each.")
	os.Exit(1)
}
