//go:build !unix

package cluster

import "time"

// cpuTime is not known here: such a node's load is its members alone.
func cpuTime() time.Duration { return 0 }
