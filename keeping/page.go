package keeping

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/pausepoint/pausepoint/room/event"
)

// perPage is how many entries of a list are given at once.
const perPage = 100

// Page is a part of a list.
type Page[T any] struct {
	Entries []T
	Next    *Place // where the next page begins: after this; nil if there is nothing more
}

// Place is where an entry stands in a list, whether it is still there or not: the order is by these, Held and the latest first.
type Place struct {
	Held    bool  // a list of receipts has none
	At      int64 // Unix ms
	Session string
}

// Begin is the place before the first entry.
var Begin = Place{Held: true, At: math.MaxInt64}

func (r Receipt) place() Place { return Place{At: r.Begun.UnixMilli(), Session: r.Session} }

func (k Kept) place() Place {
	return Place{Held: !k.Held.IsZero(), At: k.Opened.UnixMilli(), Session: k.Session}
}

// pageOf makes a page of what may be one entry more than fits.
func pageOf[T any](list []T, place func(T) Place) Page[T] {
	if len(list) <= perPage {
		return Page[T]{Entries: list}
	}
	next := place(list[perPage-1])
	return Page[T]{Entries: list[:perPage], Next: &next}
}

// String is the place for an address; [ParsePlace] reads it.
func (p Place) String() string {
	return strings.Join([]string{strconv.FormatBool(p.Held), strconv.FormatInt(p.At, 10), p.Session}, "~")
}

// ParsePlace reads a place, of which no text is [Begin]; an *event.Problem says that it is none.
func ParsePlace(text string) (Place, error) {
	if text == "" {
		return Begin, nil
	}
	parts := strings.Split(text, "~")
	if len(parts) != 3 {
		return Place{}, errNoPlace
	}
	held, err := strconv.ParseBool(parts[0])
	at, err2 := strconv.ParseInt(parts[1], 10, 64)
	if cmp.Or(err, err2, uuid.Validate(parts[2])) != nil {
		return Place{}, errNoPlace
	}
	return Place{Held: held, At: at, Session: parts[2]}, nil
}

var errNoPlace = event.Errorf("invalid", "This page of the list cannot be found. Load the list again.")
