package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Limits of a frame that a client sends.
const (
	MaxFrame = 64 << 10 // bytes; a session description with many m-lines fits
	maxDepth = 16       // nesting
)

// envelope is every frame's shape.
type envelope struct {
	Type string          `json:"type"`
	ID   string          `json:"id,omitempty"`
	Seq  int64           `json:"seq,omitempty"`
	At   int64           `json:"at,omitempty"`
	By   string          `json:"by,omitempty"`
	Cmd  string          `json:"cmd,omitempty"`
	Data json.RawMessage `json:"data,omitempty"`
}

// Incoming is a client's frame: a Command or a Frame, and the id it came with.
type Incoming struct {
	ID   string
	Body any
}

// registry finds a Go type by its name on the wire.
type registry map[string]reflect.Type

var (
	bodyTypes     = registryOf(Bodies(), Body.event)
	incomingTypes = merge(registryOf(Commands(), Command.command), registryOf(clientFrames(), Frame.frame))
)

func clientFrames() []Frame {
	return []Frame{Hello{}, Ping{}, RTCOffer{}, RTCAnswer{}, RTCCandidate{}, RTCRestart{}, RTCViews{}}
}

func registryOf[T any](values []T, name func(T) string) registry {
	r := registry{}
	for _, v := range values {
		r[name(v)] = reflect.TypeOf(v)
	}
	return r
}

func merge(rs ...registry) registry {
	all := registry{}
	for _, r := range rs {
		for k, v := range r {
			all[k] = v
		}
	}
	return all
}

// Name returns the name on the wire of a Command, a Body or a Frame, and "" for anything else.
func Name(v any) string {
	switch v := v.(type) {
	case Command:
		return v.command()
	case Body:
		return v.event()
	case Frame:
		return v.frame()
	}
	return ""
}

// MarshalJSON writes the event's envelope and body.
func (e Event) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(e.Body)
	if err != nil {
		return nil, fmt.Errorf("marshal event body: %w", err)
	}
	// An event always has its time, at the very beginning too; other frames have none.
	return json.Marshal(struct {
		Type string          `json:"type"`
		Seq  int64           `json:"seq,omitempty"`
		At   int64           `json:"at"`
		By   string          `json:"by,omitempty"`
		Cmd  string          `json:"cmd,omitempty"`
		Data json.RawMessage `json:"data"`
	}{Name(e.Body), e.Seq, e.At, e.By, e.Cmd, data})
}

// UnmarshalJSON reads an event as MarshalJSON wrote it.
func (e *Event) UnmarshalJSON(b []byte) error {
	var env envelope
	if err := json.Unmarshal(b, &env); err != nil {
		return fmt.Errorf("unmarshal event: %w", err)
	}
	body, err := bodyTypes.decode(env.Type, env.Data)
	if err != nil {
		return err
	}
	*e = Event{Seq: env.Seq, At: env.At, By: env.By, Cmd: env.Cmd, Body: body.(Body)}
	return nil
}

// decode makes a value of the named type from its JSON.
func (r registry) decode(name string, data json.RawMessage) (any, error) {
	t, ok := r[name]
	if !ok {
		return nil, fmt.Errorf("unknown type %q", name)
	}
	v := reflect.New(t)
	if len(data) > 0 {
		if err := json.Unmarshal(data, v.Interface()); err != nil {
			return nil, fmt.Errorf("data of %s: %w", name, err)
		}
	}
	return v.Elem().Interface(), nil
}

// Encode writes a Frame or a Command with an optional id.
func Encode(id string, v any) ([]byte, error) {
	name := Name(v)
	if name == "" {
		return nil, fmt.Errorf("%T is not part of the protocol", v)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("marshal %s: %w", name, err)
	}
	return json.Marshal(envelope{Type: name, ID: id, Data: data})
}

// Parse reads a client's frame. An error is a *Problem with the code "invalid" (or "too_large"); the id is set where it
// could be read, so that the reply finds its command.
func Parse(b []byte) (Incoming, error) {
	if len(b) > MaxFrame {
		return Incoming{}, Errorf("too_large", "A message may have at most %d bytes.", MaxFrame)
	}
	if err := checkShape(b); err != nil {
		return Incoming{}, &Problem{Code: "invalid", Message: "That message is not well-formed JSON with distinct keys.", cause: err}
	}
	var env envelope
	if err := json.Unmarshal(b, &env); err != nil {
		return Incoming{}, &Problem{Code: "invalid", Message: "That message is not a frame of this protocol.", cause: err}
	}
	body, err := incomingTypes.decode(env.Type, env.Data)
	if err != nil {
		return Incoming{ID: env.ID}, &Problem{Code: "invalid", Message: "This server does not understand that message.", cause: err}
	}
	return Incoming{ID: env.ID, Body: body}, nil
}

var (
	errDepth     = errors.New("nested too deeply")
	errDuplicate = errors.New("duplicate key")
	errTrailing  = errors.New("more than one value")
)

// checkShape walks the tokens once: one value, no key twice in an object, no deep nesting.
// encoding/json accepts all three, and two readers of one message could then understand different things (RFC 8259 §4).
func checkShape(b []byte) error {
	type level struct {
		keys  map[string]bool // nil in an array
		isKey bool            // the next string is a key
	}
	var stack []level
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		if d, ok := tok.(json.Delim); ok {
			switch d {
			case '{':
				stack = append(stack, level{keys: map[string]bool{}, isKey: true})
			case '[':
				stack = append(stack, level{})
			default:
				stack = stack[:len(stack)-1]
			}
			if len(stack) > maxDepth {
				return errDepth
			}
			if d == '{' || d == '[' {
				continue
			}
		} else if n := len(stack); n > 0 && stack[n-1].isKey {
			key, _ := tok.(string)
			key = strings.ToLower(strings.ToUpper(key)) // encoding/json does not tell cases apart
			if stack[n-1].keys[key] {
				return errDuplicate
			}
			stack[n-1].keys[key], stack[n-1].isKey = true, false
			continue
		}
		n := len(stack)
		if n == 0 {
			break
		}
		if stack[n-1].keys != nil {
			stack[n-1].isKey = true
		}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}
