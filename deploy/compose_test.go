package deploy

import (
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// secrets are what deploy/compose.nodes.yaml wants to be given.
var secrets = types.Mapping{"POSTGRES_PASSWORD": "secret", "REDIS_PASSWORD": "redis1secret", "S3_SECRET": "secret"}

// project is a compose file as docker compose itself reads it: held against its schema, with variables, and with volumes and services
// that refer to each other.
func project(t *testing.T, file string, env types.Mapping) (*types.Project, error) {
	t.Helper()
	path, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	return loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: filepath.Dir(path), ConfigFiles: []types.ConfigFile{{Filename: path}}, Environment: maps.Clone(env),
	})
}

// docker compose takes both files, and what they refer to is there.
func TestComposeFiles(t *testing.T) {
	for file, env := range map[string]types.Mapping{"../compose.yaml": {}, "compose.nodes.yaml": secrets} {
		t.Run(file, func(t *testing.T) {
			p, err := project(t, file, env)
			if err != nil {
				t.Fatal(err)
			}
			published, images := map[string]string{}, map[string]string{}
			for name, s := range p.Services {
				checkBuild(t, s, images)
				checkMounts(t, s)
				for _, port := range s.Ports {
					at := port.Published + "/" + port.Protocol
					if other := published[at]; other != "" {
						t.Errorf("%s and %s both want port %s", other, name, at)
					}
					published[at] = name
				}
				for key, value := range s.Environment {
					checkHost(t, p, name, key, *value)
				}
			}
		})
	}
}

// Nobody gets a password that stands in a file.
func TestComposeAsksForSecrets(t *testing.T) {
	for name := range secrets {
		given := types.Mapping{}
		for other, value := range secrets {
			if other != name {
				given[other] = value
			}
		}
		if _, err := project(t, "compose.nodes.yaml", given); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// Redis lets nobody in without the password that the nodes have.
func TestRedisWantsAPassword(t *testing.T) {
	p, err := project(t, "compose.nodes.yaml", secrets)
	if err != nil {
		t.Fatal(err)
	}
	command := p.Services["redis"].Command
	if i := slices.Index(command, "--requirepass"); i < 0 || i+1 == len(command) || command[i+1] != secrets["REDIS_PASSWORD"] {
		t.Errorf("redis is started with %q", command)
	}
	for name, s := range p.Services {
		address := s.Environment["PAUSEPOINT_REDIS"]
		if address == nil {
			continue
		}
		if u, err := url.Parse(*address); err != nil || u.User.String() != ":"+secrets["REDIS_PASSWORD"] {
			t.Errorf("%s knows Redis as %s: %v", name, *address, err)
		}
	}
}

// checkBuild wants a stage of the Dockerfile, and one image of each.
func checkBuild(t *testing.T, s types.ServiceConfig, images map[string]string) {
	t.Helper()
	if s.Build == nil {
		if s.Image == "" || !strings.Contains(s.Image, ":") {
			t.Errorf("%s is of the image %q, without a version", s.Name, s.Image)
		}
		return
	}
	if _, err := os.Stat(filepath.Join(s.Build.Context, "Dockerfile")); err != nil {
		t.Errorf("%s: %v", s.Name, err)
	}
	if _, ok := stages(t)[s.Build.Target]; !ok {
		t.Errorf("%s: the Dockerfile has no stage %s", s.Name, s.Build.Target)
	}
	if other, ok := images[s.Image]; ok && other != s.Build.Target {
		t.Errorf("the image %s is made of %s and of %s", s.Image, other, s.Build.Target)
	}
	images[s.Image] = s.Build.Target
}

// checkMounts wants files that are there, and a volume for what a server keeps where it can write nowhere else.
func checkMounts(t *testing.T, s types.ServiceConfig) {
	t.Helper()
	var kept []string
	for _, v := range s.Volumes {
		if v.Type == types.VolumeTypeVolume {
			kept = append(kept, v.Target)
		}
		if _, err := os.Stat(v.Source); v.Type == types.VolumeTypeBind && err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	if i := slices.Index(s.Command, "--data"); i >= 0 && !slices.Contains(kept, s.Command[i+1]) {
		t.Errorf("%s keeps its data in %s, which is no volume", s.Name, s.Command[i+1])
	}
}

// checkHost wants that what a service is told to reach is a service, too.
func checkHost(t *testing.T, p *types.Project, service, key, value string) {
	t.Helper()
	u, err := url.Parse(value)
	if err != nil || !slices.Contains([]string{"PAUSEPOINT_DATABASE", "PAUSEPOINT_REDIS", "PAUSEPOINT_BLOBS"}, key) {
		return
	}
	if endpoint := u.Query().Get("endpoint"); endpoint != "" {
		if u, err = url.Parse(endpoint); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := p.Services[u.Hostname()]; !ok {
		t.Errorf("%s of %s goes to %s, which is no service", key, service, u.Hostname())
	}
}

var (
	preset = regexp.MustCompile(`(?m)^\s*presetenv (\S+) (\S+)$`)
	behind = regexp.MustCompile(`(?m)^\s*server \S+ "\$\{(\S+)\}" (check|backup)`)
)

// presets are the variables that HAProxy gets from its own file, where its environment has no others.
func presets(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, m := range preset.FindAllStringSubmatch(text(t, "haproxy.cfg"), -1) {
		all[m[1]] = m[2]
	}
	return all
}

// HAProxy brings people to each of the nodes, and to nothing else.
func TestBalancerKnowsTheNodes(t *testing.T) {
	p, err := project(t, "compose.nodes.yaml", secrets)
	if err != nil {
		t.Fatal(err)
	}
	var nodes []string
	for name, s := range p.Services {
		if s.Image == "pausepoint" {
			nodes = append(nodes, name+":8080 check", name+":8080 backup")
		}
	}
	var known []string
	for _, m := range behind.FindAllStringSubmatch(text(t, "haproxy.cfg"), -1) {
		known = append(known, presets(t)[m[1]]+" "+m[2])
	}
	slices.Sort(nodes)
	slices.Sort(known)
	if !slices.Equal(nodes, known) {
		t.Errorf("it knows %v, and there are %v", known, nodes)
	}
}
