//go:build !unix

package main

import "os"

// lock does nothing where there is no flock: two servers on one folder are then up to who starts them.
func lock(*os.File) error { return nil }
