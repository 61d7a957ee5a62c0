//go:build !linux

package transport

import (
	"testing"
	"time"
)

func refuseSegments(testing.TB, *Network) {}

func plain(*Network) {}

func cpuTime() time.Duration { return 0 }
