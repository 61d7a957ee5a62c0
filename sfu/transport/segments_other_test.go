//go:build !linux

package transport

import "testing"

func refuseSegments(testing.TB, *Network) {}

func plain(*Network) {}
