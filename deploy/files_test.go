package deploy

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

func text(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// stage is what the Dockerfile says of one.
type stage struct{ user string }

var (
	from = regexp.MustCompile(`(?m)^FROM \S+ AS (\S+)$`)
	user = regexp.MustCompile(`(?m)^USER \d+$`)
)

// stages are those of the Dockerfile, by name.
func stages(t *testing.T) map[string]stage {
	t.Helper()
	dockerfile := text(t, "../Dockerfile")
	all := map[string]stage{}
	begins := from.FindAllStringSubmatchIndex(dockerfile, -1)
	for i, b := range begins {
		end := len(dockerfile)
		if i+1 < len(begins) {
			end = begins[i+1][0]
		}
		all[dockerfile[b[2]:b[3]]] = stage{user: user.FindString(dockerfile[b[1]:end])}
	}
	return all
}

// paths are those at which the server answers, by its description.
func paths(t *testing.T) map[string]bool {
	t.Helper()
	var described struct{ Paths map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(text(t, "../signaling/openapi.json")), &described); err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for path := range described.Paths {
		all[path] = true
	}
	return all
}

var asked = regexp.MustCompile(`(?m)^\s*option httpchk GET (\S+)$`)

// HAProxy asks for an address that the server has.
func TestBalancerAsksForWhatThereIs(t *testing.T) {
	m := asked.FindStringSubmatch(text(t, "haproxy.cfg"))
	if m == nil || !paths(t)[strings.TrimSpace(m[1])] {
		t.Errorf("it asks for %v", m)
	}
}
