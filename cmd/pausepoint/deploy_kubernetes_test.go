package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// manifest is what the test reads of a Kubernetes object.
type manifest struct {
	Kind       string
	Metadata   struct{ Name string }
	StringData map[string]string `yaml:"stringData"`
	Spec       struct {
		Template struct {
			Spec struct {
				Containers []container
				Grace      int `yaml:"terminationGracePeriodSeconds"`
			}
		}
	}
}

type container struct {
	Name      string
	Image     string
	Args      []string
	Lifecycle struct {
		PreStop struct {
			Sleep struct{ Seconds int }
		} `yaml:"preStop"`
	}
	Env []struct {
		Name, Value string
		ValueFrom   struct {
			FieldRef struct {
				FieldPath string `yaml:"fieldPath"`
			} `yaml:"fieldRef"`
			SecretKeyRef struct{ Name, Key string } `yaml:"secretKeyRef"`
		} `yaml:"valueFrom"`
	}
	Ports []struct {
		Number   int `yaml:"containerPort"`
		Protocol string
	}
}

// orchestrated are the containers of a folder of manifests that run our image, which find in their environment what the folder's secrets hold.
func orchestrated(t *testing.T, folder string) (all []deployed) {
	t.Helper()
	found := map[string]string{"metadata.name": "pausepoint-0", "status.hostIP": "203.0.113.7", "status.podIP": "203.0.113.7", "metadata.namespace": "default"}
	manifests := manifestsIn(t, folder)
	for _, m := range manifests {
		for key, value := range m.StringData {
			found[m.Metadata.Name+"/"+key] = value
		}
	}
	for _, m := range manifests {
		for _, c := range m.Spec.Template.Spec.Containers {
			if !strings.Contains(c.Image, "/pausepoint:") {
				continue
			}
			var ports []string
			for _, p := range c.Ports {
				ports = append(ports, strings.ToLower(fmt.Sprintf("%d/%s", p.Number, cmp.Or(p.Protocol, "TCP"))))
			}
			grace := time.Duration(m.Spec.Template.Spec.Grace-c.Lifecycle.PreStop.Sleep.Seconds) * time.Second // from SIGTERM on
			all = append(all, deployed{c.Name, c.Args, c.environment(t, found), ports, grace})
		}
	}
	return all
}

func manifestsIn(t *testing.T, folder string) (all []manifest) {
	t.Helper()
	files, err := filepath.Glob(folder + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for document := range documents(t, file) {
			var m manifest
			if err := document.Decode(&m); err != nil || m.Kind == "" || m.Metadata.Name == "" {
				t.Fatalf("%s: %v", file, err)
			}
			all = append(all, m)
		}
	}
	return all
}

// environment is what the container gets, with $(NAME) for what stands before in it.
func (c container) environment(t *testing.T, found map[string]string) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, e := range c.Env {
		value := e.Value
		for name := range env {
			value = strings.ReplaceAll(value, "$("+name+")", env[name])
		}
		for _, from := range []string{e.ValueFrom.FieldRef.FieldPath, e.ValueFrom.SecretKeyRef.Name + "/" + e.ValueFrom.SecretKeyRef.Key} {
			value += found[from]
		}
		if value == "" || strings.Contains(value, "$(") {
			t.Errorf("%s is %q", e.Name, value)
		}
		env[e.Name] = value
	}
	return env
}
