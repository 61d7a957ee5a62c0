package keeping

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestAPageSaysWhereTheNextBegins(t *testing.T) {
	place := func(n int) Place { return Place{At: int64(n), Session: uuid.NewString()} }
	numbers := make([]int, perPage+1)
	for i := range numbers {
		numbers[i] = i
	}
	if p := pageOf(numbers[:perPage], place); len(p.Entries) != perPage || p.Next != nil {
		t.Errorf("a full last page: %d entries, next %v", len(p.Entries), p.Next)
	}
	p := pageOf(numbers, place)
	if len(p.Entries) != perPage || p.Next == nil || p.Next.At != perPage-1 {
		t.Fatalf("a page before another: %d entries, next %v", len(p.Entries), p.Next)
	}
	if read, err := ParsePlace(p.Next.String()); err != nil || read != *p.Next {
		t.Errorf("%v is read as %v, %v", *p.Next, read, err)
	}
}

func TestAnEntryKnowsItsPlace(t *testing.T) {
	at := time.UnixMilli(1700000000123)
	id := uuid.NewString()
	if got, want := (Kept{Session: id, Opened: at, Held: at}).place(), (Place{true, 1700000000123, id}); got != want {
		t.Errorf("place %v, want %v", got, want)
	}
	if got, want := (Receipt{Session: id, Begun: at}).place(), (Place{false, 1700000000123, id}); got != want {
		t.Errorf("place %v, want %v", got, want)
	}
}

func TestPlacesThatAreNone(t *testing.T) {
	id := uuid.NewString()
	if p, err := ParsePlace(""); err != nil || p != Begin {
		t.Errorf("no text is %v, %v", p, err)
	}
	for _, text := range []string{"x", "true~1", "maybe~1~" + id, "true~one~" + id, "true~1~\x00", "true~1~" + id + "~", "true~" + strconv.Itoa(1)} {
		if p, err := ParsePlace(text); err == nil {
			t.Errorf("%q is %v", text, p)
		}
	}
}
