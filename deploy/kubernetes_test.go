// Package deploy holds the files of this folder against what reads them, without a cluster and without a container engine. It is a module
// of its own, so that the server needs nothing of that. What the files start the server with is looked at beside the server's own
// command line, in cmd/pausepoint.
package deploy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
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
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/core/secret"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/networking/ingress"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
)

// strategies are by what Kubernetes' own API server takes or refuses new objects.
var strategies = map[string]rest.RESTCreateStrategy{
	"Ingress":             ingress.Strategy,
	"PodDisruptionBudget": poddisruptionbudget.Strategy,
	"Secret":              secret.Strategy,
	"Service":             service.Strategy,
	"StatefulSet":         statefulset.Strategy,
}

// manifests are the objects in deploy/kubernetes.
type manifests struct {
	all       []runtime.Object
	services  map[string]*corev1.Service
	secrets   map[string]*corev1.Secret
	ingresses []*networkingv1.Ingress
	budgets   []*policyv1.PodDisruptionBudget
	sets      []*appsv1.StatefulSet
}

// read decodes strictly: a field that Kubernetes does not know, or that is there twice, is an error.
func read(t *testing.T) manifests {
	t.Helper()
	decoder := serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	m := manifests{services: map[string]*corev1.Service{}, secrets: map[string]*corev1.Secret{}}
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
	case *networkingv1.Ingress:
		m.ingresses = append(m.ingresses, o)
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

// What the objects say of each other is so.
func TestManifestsKnowEachOther(t *testing.T) {
	m := read(t)
	if len(m.sets) != 1 || len(m.services) == 0 || len(m.ingresses) == 0 || len(m.budgets) == 0 {
		t.Fatalf("there are %d stateful sets, %d services, %d ingresses and %d budgets", len(m.sets), len(m.services), len(m.ingresses), len(m.budgets))
	}
	set := m.sets[0]
	pod := set.Spec.Template
	if m.services[set.Spec.ServiceName] == nil {
		t.Errorf("there is no service %s", set.Spec.ServiceName)
	}
	selects(t, "the stateful set", set.Spec.Selector, pod)
	for _, term := range pod.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution {
		selects(t, "the anti-affinity", term.LabelSelector, pod)
	}
	for _, b := range m.budgets {
		selects(t, "the disruption budget", b.Spec.Selector, pod)
		if n := b.Spec.MaxUnavailable.IntValue(); n < 1 || n >= int(*set.Spec.Replicas) {
			t.Errorf("of %d pods, %d may be away: none can be replaced, or all go at once", *set.Spec.Replicas, n)
		}
	}
	for name, s := range m.services {
		selects(t, "service "+name, &metav1.LabelSelector{MatchLabels: s.Spec.Selector}, pod)
		for _, p := range s.Spec.Ports {
			if portOf(pod, p.TargetPort.String()) == nil {
				t.Errorf("service %s: no container has a port %s", name, p.TargetPort.String())
			}
		}
	}
	for _, i := range m.ingresses {
		m.checkIngress(t, i)
	}
	mountable := map[string]bool{}
	for _, v := range pod.Spec.Volumes {
		mountable[v.Name] = true
	}
	for _, v := range set.Spec.VolumeClaimTemplates {
		mountable[v.Name] = true
	}
	for _, c := range pod.Spec.Containers {
		m.checkContainer(t, pod, c, mountable)
	}
	if user := fmt.Sprintf("USER %d", *pod.Spec.SecurityContext.RunAsUser); stages(t)["pausepoint"].user != user {
		t.Errorf("the pods want %s, and the image has %s", user, stages(t)["pausepoint"].user)
	}
}

func selects(t *testing.T, who string, selector *metav1.LabelSelector, pod corev1.PodTemplateSpec) {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil || s.Empty() || !s.Matches(labels.Set(pod.Labels)) {
		t.Errorf("%s does not select the pods, or selects all there are: %v", who, err)
	}
}

// checkIngress wants that what comes in goes to a service's port, and over a name that has a certificate.
func (m manifests) checkIngress(t *testing.T, i *networkingv1.Ingress) {
	t.Helper()
	secured := map[string]bool{}
	for _, s := range i.Spec.TLS {
		for _, host := range s.Hosts {
			secured[host] = true
		}
	}
	for _, rule := range i.Spec.Rules {
		if !secured[rule.Host] {
			t.Errorf("%s has no certificate", rule.Host)
		}
		for _, p := range rule.HTTP.Paths {
			to := p.Backend.Service
			s := m.services[to.Name]
			if s == nil {
				t.Errorf("there is no service %s", to.Name)
				continue
			}
			found := false
			for _, port := range s.Spec.Ports {
				found = found || port.Name == to.Port.Name
			}
			if !found {
				t.Errorf("service %s has no port %s", to.Name, to.Port.Name)
			}
		}
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
	known := paths(t)
	for what, probe := range map[string]*corev1.Probe{"readiness": c.ReadinessProbe, "liveness": c.LivenessProbe} {
		if probe == nil || probe.HTTPGet == nil {
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
