// Package deploy holds the files of this folder against what reads them, without a cluster and without a container engine. It is a module
// of its own, so that the server needs nothing of that. What the files start the server with is looked at beside the server's own
// command line, in cmd/pausepoint.
package deploy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	apiservice "k8s.io/kubernetes/pkg/api/service"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/secret"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
)

// strategies are by what Kubernetes' own API server takes or refuses new objects.
var strategies = map[string]rest.RESTCreateStrategy{
	"ConfigMap":           configmap.Strategy,
	"Deployment":          deployment.Strategy,
	"PodDisruptionBudget": poddisruptionbudget.Strategy,
	"Secret":              secret.Strategy,
	"Service":             service.Strategy,
	"StatefulSet":         statefulset.Strategy,
}

// manifests are the objects in deploy/kubernetes.
type manifests struct {
	all      []runtime.Object
	services map[string]*corev1.Service
	secrets  map[string]*corev1.Secret
	configs  map[string]*corev1.ConfigMap
	budgets  []*policyv1.PodDisruptionBudget
	sets     []*appsv1.StatefulSet
	fronts   []*appsv1.Deployment
}

// read decodes strictly: a field that Kubernetes does not know, or that is there twice, is an error.
func read(t *testing.T) manifests {
	t.Helper()
	decoder := serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	m := manifests{services: map[string]*corev1.Service{}, secrets: map[string]*corev1.Secret{}, configs: map[string]*corev1.ConfigMap{}}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = file.Close() }()
		documents := yaml.NewYAMLReader(bufio.NewReader(file))
		for {
			text, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			obj, _, err := decoder.Decode(text, nil, nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			m.add(t, obj)
		}
	}
	return m
}

func (m *manifests) add(t *testing.T, obj runtime.Object) {
	t.Helper()
	m.all = append(m.all, obj)
	switch o := obj.(type) {
	case *corev1.Service:
		m.services[o.Name] = o
	case *corev1.Secret:
		m.secrets[o.Name] = o
	case *corev1.ConfigMap:
		m.configs[o.Name] = o
	case *appsv1.Deployment:
		m.fronts = append(m.fronts, o)
	case *policyv1.PodDisruptionBudget:
		m.budgets = append(m.budgets, o)
	case *appsv1.StatefulSet:
		m.sets = append(m.sets, o)
	default:
		t.Fatalf("nothing here checks a %T", obj)
	}
}

// An API server would take each of the objects, without a warning.
func TestAPIServerTakesThem(t *testing.T) {
	for _, obj := range read(t).all {
		kind := obj.GetObjectKind().GroupVersionKind()
		t.Run(kind.Kind, func(t *testing.T) {
			legacyscheme.Scheme.Default(obj)
			internal, err := legacyscheme.Scheme.UnsafeConvertToVersion(obj, runtime.InternalGroupVersioner)
			if err != nil {
				t.Fatal(err)
			}
			object, err := meta.Accessor(internal)
			if err != nil {
				t.Fatal(err)
			}
			rest.FillObjectMetaSystemFields(object)
			if s, ok := internal.(*core.Service); ok {
				fillService(s)
			}
			ctx := request.WithNamespace(t.Context(), metav1.NamespaceDefault)
			ctx = request.WithRequestInfo(ctx, &request.RequestInfo{APIGroup: kind.Group, APIVersion: kind.Version})
			if err := rest.BeforeCreate(strategies[kind.Kind], ctx, internal); err != nil {
				t.Error(err)
			}
			for _, warning := range strategies[kind.Kind].WarningsOnCreate(ctx, internal) {
				t.Error(warning)
			}
		})
	}
}

// fillService does what an API server does before it looks at a service: it allocates a port, and puts one address in a list.
func fillService(s *core.Service) {
	if apiservice.NeedsHealthCheck(s) {
		s.Spec.HealthCheckNodePort = 30000
	}
	if s.Spec.ClusterIP != "" {
		s.Spec.ClusterIPs = []string{s.Spec.ClusterIP}
	}
}

// What the objects say of each other is so.
func TestManifestsKnowEachOther(t *testing.T) {
	m := read(t)
	if len(m.sets) != 1 || len(m.fronts) != 1 {
		t.Fatalf("there are %d stateful sets and %d deployments", len(m.sets), len(m.fronts))
	}
	set, front := m.sets[0], m.fronts[0]
	if m.services[set.Spec.ServiceName] == nil {
		t.Errorf("there is no service %s", set.Spec.ServiceName)
	}
	m.checkPods(t, set.Spec.Template, set.Spec.Selector, int(*set.Spec.Replicas), set.Spec.VolumeClaimTemplates)
	m.checkPods(t, front.Spec.Template, front.Spec.Selector, int(*front.Spec.Replicas), nil)
	for _, term := range set.Spec.Template.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
		selects(t, "the anti-affinity", term.LabelSelector, set.Spec.Template)
	}
	for _, term := range front.Spec.Template.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution {
		selects(t, "the anti-affinity", term.PodAffinityTerm.LabelSelector, front.Spec.Template)
	}
	if len(m.services) != 2 || len(m.budgets) != 2 {
		t.Errorf("for two kinds of pods there are %d services and %d budgets", len(m.services), len(m.budgets))
	}
	if user := fmt.Sprintf("USER %d", *set.Spec.Template.Spec.SecurityContext.RunAsUser); stages(t)["pausepoint"].user != user {
		t.Errorf("the pods want %s, and the image has %s", user, stages(t)["pausepoint"].user)
	}
}

// checkPods wants a service and a budget of these pods' own, and that what is in them is there.
func (m manifests) checkPods(
	t *testing.T, pod corev1.PodTemplateSpec, own *metav1.LabelSelector, replicas int, claims []corev1.PersistentVolumeClaim,
) {
	t.Helper()
	name := pod.Labels["app"]
	selects(t, "its owner", own, pod)
	for _, b := range m.budgets {
		if b.Name != name {
			continue
		}
		selects(t, "the disruption budget", b.Spec.Selector, pod)
		if n := b.Spec.MaxUnavailable.IntValue(); n < 1 || n >= replicas {
			t.Errorf("of %d pods, %d may be away: none can be replaced, or all go at once", replicas, n)
		}
	}
	s := m.services[name]
	if s == nil {
		t.Fatalf("there is no service %s", name)
	}
	selects(t, "service "+name, &metav1.LabelSelector{MatchLabels: s.Spec.Selector}, pod)
	for _, p := range s.Spec.Ports {
		if portOf(pod, p.TargetPort.String()) == nil {
			t.Errorf("service %s: no container has a port %s", name, p.TargetPort.String())
		}
	}
	mountable := map[string]bool{}
	for _, v := range pod.Spec.Volumes {
		mountable[v.Name] = true
		m.checkVolume(t, v)
	}
	for _, v := range claims {
		mountable[v.Name] = true
	}
	for _, c := range pod.Spec.Containers {
		m.checkContainer(t, pod, c, mountable)
	}
}

func selects(t *testing.T, who string, selector *metav1.LabelSelector, pod corev1.PodTemplateSpec) {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil || s.Empty() || !s.Matches(labels.Set(pod.Labels)) {
		t.Errorf("%s does not select the pods, or selects all there are: %v", who, err)
	}
}

// checkVolume wants that what a volume is made of is there, or that secret.yaml says how it is made.
func (m manifests) checkVolume(t *testing.T, v corev1.Volume) {
	t.Helper()
	if from := v.ConfigMap; from != nil && m.configs[from.Name] == nil {
		t.Errorf("there is no config map %s", from.Name)
	}
	if from := v.Secret; from != nil && !strings.Contains(text(t, "kubernetes/secret.yaml"), "kubectl create secret tls "+from.SecretName+" ") {
		t.Errorf("nobody says where the secret %s comes from", from.SecretName)
	}
}

// HAProxy runs with the file that is tried before real servers, in front of each pod and of nothing else, by the port that is opened.
func TestKubernetesHasTheBalancerThatIsTried(t *testing.T) {
	m := read(t)
	if m.configs["balancer"] == nil || m.configs["balancer"].Data["haproxy.cfg"] != text(t, "haproxy.cfg") {
		t.Error("the text in kubernetes/balancer.yaml is not haproxy.cfg: copy it there")
	}
	env := map[string]string{}
	pod := m.fronts[0].Spec.Template
	for _, e := range pod.Spec.Containers[0].Env {
		env[e.Name] = e.Value
	}
	delete(env, "NAMESPACE")
	for name := range presets(t) {
		if env[name] == "" {
			t.Errorf("it is not told %s", name)
		}
	}
	if len(env) != len(presets(t)) {
		t.Errorf("it reads %v, and is told %v", presets(t), env)
	}
	if at := fmt.Sprintf(":%d ssl ", portOf(pod, "pages").ContainerPort); !strings.HasPrefix(env["PAGES"], at) {
		t.Errorf("it is at %s, and not at %s", env["PAGES"], at)
	}
	set := m.sets[0]
	port := portOf(set.Spec.Template, "pages").ContainerPort
	for i := range *set.Spec.Replicas {
		want := fmt.Sprintf("%s-%d.%s.$(NAMESPACE).svc.cluster.local:%d", set.Name, i, set.Spec.ServiceName, port)
		if !slices.Contains(slices.Collect(maps.Values(env)), want) {
			t.Errorf("it does not know %s: %v", want, env)
		}
	}
	if len(env) != 1+int(*set.Spec.Replicas) {
		t.Errorf("of %d pods it is told %v", *set.Spec.Replicas, env)
	}
}

// checkContainer wants that what a container is given is there, and that it is asked at addresses that the server has.
func (m manifests) checkContainer(t *testing.T, pod corev1.PodTemplateSpec, c corev1.Container, mountable map[string]bool) {
	t.Helper()
	for _, v := range c.VolumeMounts {
		if !mountable[v.Name] {
			t.Errorf("there is no volume %s", v.Name)
		}
	}
	for _, e := range c.Env {
		if e.ValueFrom == nil || e.ValueFrom.SecretKeyRef == nil {
			continue
		}
		ref := e.ValueFrom.SecretKeyRef
		if s := m.secrets[ref.Name]; s == nil || s.StringData[ref.Key] == "" {
			t.Errorf("%s: no secret %s has %s", e.Name, ref.Name, ref.Key)
		}
	}
	if before := c.Lifecycle; before == nil || before.PreStop == nil || before.PreStop.Sleep == nil || before.PreStop.Sleep.Seconds < 5 {
		t.Errorf("%s is told to end while people are still sent to it", c.Name)
	}
	known := paths(t)
	for what, probe := range map[string]*corev1.Probe{"readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
		switch {
		case probe != nil && probe.TCPSocket != nil && portOf(pod, probe.TCPSocket.Port.String()) != nil:
			continue
		case probe == nil || probe.HTTPGet == nil:
			t.Errorf("nobody asks the container for its %s", what)
			continue
		}
		if portOf(pod, probe.HTTPGet.Port.String()) == nil || !known[probe.HTTPGet.Path] {
			t.Errorf("its %s is asked for at %s of port %s, which there is not", what, probe.HTTPGet.Path, probe.HTTPGet.Port.String())
		}
	}
}

// portOf is the pod's port of a name; nil if there is none.
func portOf(pod corev1.PodTemplateSpec, name string) *corev1.ContainerPort {
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			if p.Name == name {
				return &p
			}
		}
	}
	return nil
}
