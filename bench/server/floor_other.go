//go:build !linux

package server

import "errors"

func newFloor(string) (backend, error) {
	return nil, errors.New("this server needs Linux")
}
