package shape

import (
	"testing"

	"pgregory.net/rapid"
)

func TestStampsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Stamp{Stream: rapid.Uint32().Draw(t, "stream"), Number: rapid.Uint32().Draw(t, "number"), Sent: rapid.Int64().Draw(t, "sent")}
		payload := make([]byte, StampSize+rapid.IntRange(0, 1200).Draw(t, "more"))
		want.Put(payload)
		if got, ok := ReadStamp(payload); !ok || got != want {
			t.Errorf("%v, %v", got, ok)
		}
		if _, ok := ReadStamp(payload[:len(payload)-1]); ok {
			t.Error("a stamp that is cut off is read")
		}
	})
}
