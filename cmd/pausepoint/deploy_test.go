package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// deployed is a Pausepoint that a file for containers starts: its arguments, what it finds in its environment, the ports that are opened
// for it, such as 7882/udp, and how long it has to come to its end before it is killed; 0 if the file does not say.
type deployed struct {
	name  string
	args  []string
	env   map[string]string
	ports []string
	grace time.Duration
}

// Every server that the files below deploy would start is one whose command line and environment are understood, who is reached, and who
// has the time to hand its calls to others. That the files are right in themselves is looked at in deploy.
func TestDeployments(t *testing.T) {
	secrets := map[string]string{"POSTGRES_PASSWORD": "secret", "REDIS_PASSWORD": "secret", "S3_SECRET": "secret"}
	for file, servers := range map[string][]deployed{
		"Dockerfile":                {imageIn(t, "../../Dockerfile")},
		"compose.yaml":              composed(t, "../../compose.yaml", nil),
		"deploy/compose.nodes.yaml": composed(t, "../../deploy/compose.nodes.yaml", secrets),
		"deploy/kubernetes":         orchestrated(t, "../../deploy/kubernetes"),
	} {
		if len(servers) == 0 {
			t.Errorf("%s starts no server", file)
		}
		for _, s := range servers {
			t.Run(file+"/"+s.name, func(t *testing.T) { s.check(t) })
		}
	}
}

// check parses what the server would be started with, and wants no variable that it would overlook.
func (d deployed) check(t *testing.T) {
	t.Helper()
	var seen []string
	app, err := parse(d.args, func(name string) (string, bool) {
		seen = append(seen, name)
		value, ok := d.env[name]
		return value, ok
	}, io.Discard, io.Discard)
	if err != nil || app.command != "serve" {
		t.Errorf("it does not start: %v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(d.env)) {
		if strings.HasPrefix(name, envPrefix) && !slices.Contains(seen, name) {
			t.Errorf("%s means nothing", name)
		}
	}
	d.checkPorts(t, app.flags.Serve)
	needs := closeWithin
	if app.flags.Serve.Redis != "" {
		needs = stopWithin
	}
	if d.grace != 0 && d.grace <= needs {
		t.Errorf("it is killed after %s, and may need %s", d.grace, needs)
	}
}

// checkPorts wants that nothing is opened at which nobody listens, and that media gets in, over UDP and TCP.
func (d deployed) checkPorts(t *testing.T, f serveFlags) {
	t.Helper()
	listens := []string{portOf(t, f.Addr) + "/tcp"}
	if f.MetricsAddr != "" {
		listens = append(listens, portOf(t, f.MetricsAddr)+"/tcp")
	}
	for _, protocol := range []string{"/udp", "/tcp"} {
		media := portOf(t, f.MediaAddr) + protocol
		if listens = append(listens, media); !slices.Contains(d.ports, media) {
			t.Errorf("media does not get in at %s", media)
		}
	}
	for _, port := range d.ports {
		if !slices.Contains(listens, port) {
			t.Errorf("nobody listens at %s", port)
		}
	}
}

func portOf(t *testing.T, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

var (
	execForm = regexp.MustCompile(`(?m)^(ENTRYPOINT|CMD) (\[.*\])$`)
	exposed  = regexp.MustCompile(`(?m)^EXPOSE (.*)$`)
)

// imageIn is what the image is started as that a Dockerfile ends with.
func imageIn(t *testing.T, file string) deployed {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string][]string{}
	for _, m := range execForm.FindAllSubmatch(text, -1) {
		var args []string
		if err := json.Unmarshal(m[2], &args); err != nil {
			t.Fatalf("%s: %v", m[0], err)
		}
		said[string(m[1])] = args
	}
	if !slices.Equal(said["ENTRYPOINT"], []string{"pausepoint"}) {
		t.Fatalf("the image runs %v", said["ENTRYPOINT"])
	}
	exposes := exposed.FindAllSubmatch(text, -1)
	return deployed{name: "image", args: said["CMD"], ports: strings.Fields(string(exposes[len(exposes)-1][1]))}
}

// composed are the services of a compose file that run our image, with a .env.
func composed(t *testing.T, file string, env map[string]string) (all []deployed) {
	t.Helper()
	var c struct {
		Services map[string]struct {
			Image       string
			Command     []string
			Environment map[string]string
			Ports       []string
			Grace       time.Duration `yaml:"stop_grace_period"`
		}
	}
	for document := range documents(t, file) {
		if err := document.Decode(&c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	for name, s := range c.Services {
		if s.Image != "pausepoint" {
			continue
		}
		for i := range s.Command {
			s.Command[i] = interpolated(t, s.Command[i], env)
		}
		for key, value := range s.Environment {
			s.Environment[key] = interpolated(t, value, env)
		}
		all = append(all, deployed{name, s.Command, s.Environment, published(t, s.Ports), s.Grace})
	}
	return all
}

// published are ports as a container has them. Browsers are told the number that the server has: it has to be the machine's, too.
func published(t *testing.T, ports []string) (all []string) {
	t.Helper()
	for _, p := range ports {
		outside, inside, _ := strings.Cut(p, ":")
		if !strings.Contains(inside, "/") {
			inside += "/tcp"
		}
		if number, _, _ := strings.Cut(inside, "/"); number != outside {
			t.Errorf("%s has another number outside", p)
		}
		all = append(all, inside)
	}
	return all
}

var variable = regexp.MustCompile(`\$\{(\w+)(:-|:\?)([^}]*)\}`)

// interpolated is a value as compose reads it: with variables, and what stands for those that are not set.
func interpolated(t *testing.T, value string, env map[string]string) string {
	t.Helper()
	return variable.ReplaceAllStringFunc(value, func(found string) string {
		m := variable.FindStringSubmatch(found)
		if set := env[m[1]]; set != "" {
			return set
		}
		if m[2] == ":?" {
			t.Errorf("%s is not set", m[1])
		}
		return m[3]
	})
}

// documents are those in a YAML file.
func documents(t *testing.T, file string) func(yield func(*yaml.Node) bool) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	in := yaml.NewDecoder(bytes.NewReader(text))
	return func(yield func(*yaml.Node) bool) {
		for {
			var node yaml.Node
			err := in.Decode(&node)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(fmt.Errorf("%s: %w", file, err))
			}
			if !yield(&node) {
				return
			}
		}
	}
}
