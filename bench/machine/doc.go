// Package machine gives servers under test and their load a core each, and reads what processes use. It needs Linux.
package machine
