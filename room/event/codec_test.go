package event

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestEveryEventSurvivesTheWire(t *testing.T) {
	for _, body := range Bodies() {
		want := Event{Seq: 7, At: 81234, By: "m", Cmd: "c", Body: body}
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Event
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s came back as %+v", b, got)
		}
	}
}

func TestEveryClientFrameIsParsed(t *testing.T) {
	var all []any
	for _, c := range Commands() {
		all = append(all, c)
	}
	for _, f := range clientFrames() {
		all = append(all, f)
	}
	for _, v := range all {
		b, err := Encode("id", v)
		if err != nil {
			t.Fatal(err)
		}
		in, err := Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if in.ID != "id" || reflect.TypeOf(in.Body) != reflect.TypeOf(v) {
			t.Errorf("%s came back as %+v", b, in)
		}
	}
}

func TestNamesAreDistinct(t *testing.T) {
	if got, want := len(bodyTypes), len(Bodies()); got != want {
		t.Errorf("%d names for %d events", got, want)
	}
	if got, want := len(incomingTypes), len(Commands())+len(clientFrames()); got != want {
		t.Errorf("%d names for %d client frames", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"empty":          "",
		"not JSON":       "hello",
		"two values":     `{"type":"ping"} {"type":"ping"}`,
		"unknown type":   `{"type":"drop.table"}`,
		"server's frame": `{"type":"welcome","data":{}}`,
		"event":          `{"type":"note.added","data":{}}`,
		"wrong data":     `{"type":"playback.seek","data":{"position":"now"}}`,
		"no number":      `{"type":"drawing.add","data":{"points":[NaN]}}`,
		"too far":        `{"type":"drawing.add","data":{"points":[1e999]}}`,
		"many points":    `{"type":"drawing.add","data":{"points":[` + strings.Repeat("0,", MaxFrame) + `0]}}`,
		"data no object": `{"type":"playback.seek","data":7}`,
		"duplicate key":  `{"type":"playback.play","type":"playback.stop"}`,
		"two cases":      `{"type":"playback.play","Type":"playback.stop"}`,
		"nested twice":   `{"type":"playback.seek","data":{"position":1,"position":2}}`,
		"deep":           `{"type":"ping","data":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + `}`,
		"cut":            `{"type":"ping","data":{"t0":1`,
		"too large":      `{"type":"ping","data":"` + strings.Repeat("x", MaxFrame) + `"}`,
	} {
		_, err := Parse([]byte(in))
		var p *Problem
		if !errors.As(err, &p) {
			t.Errorf("%s: got %v, want a *Problem", name, err)
		}
	}
}

func TestParseKeepsTheIDOfWhatItDoesNotUnderstand(t *testing.T) {
	in, err := Parse([]byte(`{"type":"later.version","id":"abc"}`))
	if err == nil || in.ID != "abc" {
		t.Errorf("got %+v, %v", in, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"type":"note.add","id":"x","data":{"id":"y","text":"z","at":5}}`))
	f.Add([]byte(`{"type":"ping","data":{"t0":1.5}}`))
	f.Add([]byte(`[[[[]]]]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Encode(in.ID, in.Body)
		if err != nil {
			t.Fatalf("parsed but not encoded: %v", err)
		}
		in2, err := Parse(again)
		if len(again) <= MaxFrame && (err != nil || !reflect.DeepEqual(in, in2)) {
			t.Fatalf("%s is not stable: %v", again, err)
		}
	})
}
