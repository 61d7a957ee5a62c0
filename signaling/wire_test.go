package signaling

import (
	"testing"
	"testing/synctest"
	"time"
)

// quiet is a line on which a few frames come, and then nothing any more.
type quiet struct {
	frames chan []byte
	closed chan struct{}
}

func (q quiet) Send([]byte) bool { return true }

func (q quiet) Next() ([]byte, bool) {
	select {
	case f := <-q.frames:
		return f, true
	case <-q.closed:
		return nil, false
	}
}

func (q quiet) Close([]byte) { close(q.closed) }

func closed(w *farWire) bool {
	select {
	case <-w.Done():
		return true
	default:
		return false
	}
}

func TestAMemberWhoseEndWasLostOnTheWayIsNotThereForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := quiet{make(chan []byte), make(chan struct{})}
		w := newFarWire(q)
		came := 0
		go w.read(func(heard) { came++ })
		for range 3 {
			time.Sleep(farSilence - time.Second)
			q.frames <- []byte(`{"type":"ping","data":{"t0":1}}`)
		}
		synctest.Wait()
		if closed(w) || came != 3 {
			t.Fatalf("closed, or %d frames of 3 heard", came)
		}
		time.Sleep(farSilence)
		synctest.Wait()
		if !closed(w) {
			t.Fatal("still there after silence")
		}
	})
}
