package signaling

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pausepoint/pausepoint/clip"
	"github.com/pausepoint/pausepoint/keeping"
)

// described is what the test reads of the document.
type described struct {
	OpenAPI    string
	Paths      map[string]map[string]json.RawMessage
	Components struct{ Schemas map[string]json.RawMessage }
}

func document(t *testing.T) described {
	t.Helper()
	var d described
	if err := json.Unmarshal(openAPI, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Every route is described, and what is described is there.
func TestRoutesAreDescribed(t *testing.T) {
	var routes []string
	for _, r := range (&Server{library: &clip.Library{}}).table() {
		routes = append(routes, r.method+" "+r.path)
	}
	var operations []string
	for path, item := range document(t).Paths {
		for method := range item {
			if method == "parameters" {
				continue
			}
			for _, p := range expand(path) {
				operations = append(operations, strings.ToUpper(method)+" "+p)
			}
		}
	}
	slices.Sort(routes)
	slices.Sort(operations)
	if !slices.Equal(routes, operations) {
		t.Errorf("routes:\n%s\ndescribed:\n%s", strings.Join(routes, "\n"), strings.Join(operations, "\n"))
	}
}

// expand makes a path for each format, which http.ServeMux cannot have as a part of a segment.
func expand(path string) []string {
	before, ok := strings.CutSuffix(path, ".{format}")
	if !ok {
		return []string{path}
	}
	return []string{before + ".vtt", before + ".csv", before + ".json"}
}

// Every operation says what it is for and what it answers, every parameter of a path is described, and references lead
// somewhere.
func TestDescriptionIsComplete(t *testing.T) {
	d := document(t)
	if d.OpenAPI != "3.1.0" {
		t.Errorf("version %q", d.OpenAPI)
	}
	parameter := regexp.MustCompile(`\{(\w+)\}`)
	for path, item := range d.Paths {
		for method, raw := range item {
			if method == "parameters" {
				continue
			}
			var op struct {
				Summary   string
				Responses map[string]struct{ Description string }
			}
			if err := json.Unmarshal(raw, &op); err != nil || op.Summary == "" || len(op.Responses) == 0 {
				t.Errorf("%s %s says too little: %v", method, path, err)
			}
			for status, response := range op.Responses {
				if response.Description == "" {
					t.Errorf("%s %s does not describe %s", method, path, status)
				}
			}
		}
		for _, found := range parameter.FindAllStringSubmatch(path, -1) {
			if all := string(item["parameters"]); !strings.Contains(all, `"`+found[1]+`"`) && !strings.Contains(all, "/parameters/"+found[1]) {
				t.Errorf("%s does not describe %s", path, found[1])
			}
		}
	}
	if stray := regexp.MustCompile(`"[^"]*": null`).Find(openAPI); stray != nil {
		t.Errorf("%s means nothing in a description", stray)
	}
	for _, ref := range regexp.MustCompile(`"#/components/schemas/(\w+)"`).FindAllStringSubmatch(string(openAPI), -1) {
		if d.Components.Schemas[ref[1]] == nil {
			t.Errorf("no schema %s; there are %v", ref[1], slices.Sorted(maps.Keys(d.Components.Schemas)))
		}
	}
}

// What is answered has the fields that are described.
func TestAnswersAreDescribed(t *testing.T) {
	d := document(t)
	for name, v := range map[string]any{
		"Clip": clipJSON{}, "SessionCard": cardJSON{}, "Door": doorJSON{}, "Me": meJSON{}, "Link": linkJSON{},
		"Keeping": keepingJSON{}, "Receipt": keeping.Receipt{}, "Kept": keptJSON{},
	} {
		var schema struct{ Properties map[string]json.RawMessage }
		if err := json.Unmarshal(d.Components.Schemas[name], &schema); err != nil {
			t.Fatal(err)
		}
		if got, want := fieldsOf(v), slices.Sorted(maps.Keys(schema.Properties)); !slices.Equal(got, want) {
			t.Errorf("%s has %v; described are %v", name, got, want)
		}
	}
	var change struct{ Properties map[string]json.RawMessage }
	if err := json.Unmarshal(d.Components.Schemas["ClipChange"], &change); err != nil {
		t.Fatal(err)
	}
	if got, want := fieldsOf(clipChange{}), slices.Sorted(maps.Keys(change.Properties)); !slices.Equal(got, want) {
		t.Errorf("ClipChange has %v; described are %v", got, want)
	}
}
