//go:build !linux

package main

import "errors"

// freeBytes is known on Linux only.
func freeBytes(string) (int64, error) { return 0, errors.ErrUnsupported }

// clockKept is known on Linux only.
func clockKept() (bool, error) { return false, errors.ErrUnsupported }
