//go:build !linux

package clip

import "math"

// freeBytes does not know; a full disk is then found by the write that fails.
func freeBytes(string) (int64, error) { return math.MaxInt64, nil }
