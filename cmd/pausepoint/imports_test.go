package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/pausepoint/pausepoint/"

// rooms is which of our packages each may import, and why no others.
var rooms = map[string]struct {
	may []string
	why string
}{
	"room/event":      {nil, "the vocabulary is what everybody shares: it knows nobody"},
	"room/event/text": {nil, "a text is clean or not, whatever it is about"},
	"room/event/gen":  {[]string{"room/event"}, "it writes the vocabulary down in TypeScript"},
	"sfu/rtpmap":      {nil, "arithmetic, without pion's types"},
	"sfu/codec":       {nil, "what a payload says does not depend on who gets it"},
	"sfu/bwe":         {nil, "a bandwidth is estimated from times and sizes"},
	"sfu/allocate":    {nil, "arithmetic on integers"},
	"sfu/negotiate":   {nil, "session descriptions are text"},
	"sfu/transport":   {nil, "a connection carries packets: it knows no rooms"},
	"sfu": {
		[]string{"sfu/allocate", "sfu/bwe", "sfu/codec", "sfu/negotiate", "sfu/rtpmap", "sfu/transport"},
		"media knows no session, clip or note",
	},
	"room":           {[]string{"room/event", "room/event/text"}, "a session decides from commands and time alone"},
	"ffmpeg":         {nil, "it runs programs, whatever they are for"},
	"clip":           {[]string{"ffmpeg", "room/event/text"}, "clips do not know who watches them, nor where they are kept"},
	"account":        {[]string{"room/event", "room/event/text"}, "people and plans know no media, no HTTP and no SQL"},
	"audience":       {[]string{"sfu", "sfu/negotiate"}, "it carries media between servers, and knows sessions by their name only"},
	"recorder":       {[]string{"room/event", "room/event/text", "sfu", "sfu/codec"}, "it taps media, knows what its payloads say, and reads journals; what it needs of SQL it declares"},
	"render":         {[]string{"ctxio", "ffmpeg", "recorder", "room/event"}, "it makes files of journals and segments, wherever those are"},
	"keeping":        {[]string{"recorder", "room/event"}, "what is deleted and when does not depend on who asks; what it needs of SQL it declares"},
	"backup":         {[]string{"ctxio"}, "what is saved is tables, blobs and files, whatever they are about"},
	"cluster":        {[]string{"room", "room/event"}, "it finds sessions and carries bytes between nodes: what these mean, the edge knows"},
	"store":          {[]string{"account", "backup", "clip", "cluster", "ctxio", "keeping", "recorder", "render", "room", "room/event"}, "it implements what these declare"},
	"static":         {nil, "the client is files"},
	"ctxio":          {nil, "it reads, whatever is read"},
	"quota":          {nil, "it counts, whatever is counted"},
	"entrance":       {[]string{"quota"}, "it tells beginnings apart, and knows nobody whom it lets in"},
	"relay":          {[]string{"quota"}, "it carries packets to addresses that it is told, and knows nobody"},
	"metrics":        {[]string{"clip", "cluster", "cluster", "recorder", "room", "room/event", "sfu", "signaling"}, "it reads what the parts count; none of them knows who reads it"},
	"traces":         {[]string{"clip", "room", "room/event", "signaling"}, "it looks on as parts are used; none of them knows who looks"},
	"signaling":      {[]string{"account", "audience", "clip", "cluster", "ctxio", "keeping", "quota", "recorder", "render", "room", "room/event", "sfu"}, "the edge must not know SQL, or it would decide by it"},
	"bench/faults":   {[]string{"room/event"}, "it judges servers by what they tell their clients"},
	"load/shape":     {nil, "media that is made up knows no server"},
	"load/media":     {[]string{"load/shape", "load/stats"}, "media that load a server know it by its protocol only, however descriptions get there"},
	"load/visit":     {[]string{"room/event"}, "people get in by what a deployment offers to browsers"},
	"load":           {[]string{"load/media", "load/stats", "load/visit", "room/event"}, "members that load a deployment know it by its protocol only, as browsers do"},
	"bench/load":     {[]string{"bench/wire", "load/media", "load/stats"}, "members that load a server know it by its protocol only"},
	"bench/machine":  {nil, "processes, whatever they do"},
	"bench/others":   {[]string{"bench/machine", "load/shape", "load/stats", "load/visit", "room/event"}, "servers of all makers are known by their protocols only"},
	"bench/server":   {[]string{"audience", "bench/wire", "load/shape", "sfu"}, "servers under test, all behind one protocol"},
	"bench/sfubench": {[]string{"bench/load", "bench/machine", "bench/server", "load/stats"}, "it starts servers and members, and compares"},
	"bench/soak":     {[]string{"bench/server", "bench/wire", "load/shape", "load/stats", "sfu"}, "it wears the media plane out, through its public face"},
	"bench/stores":   {[]string{"store/storetest"}, "it starts what browser tests keep things on"},
	"cmd/pausepoint": {
		[]string{"account", "backup", "clip", "cluster", "entrance", "keeping", "load", "load/visit", "metrics", "recorder", "relay", "render", "room", "room/event", "sfu", "signaling", "static", "store", "traces"},
		"the only place where the parts are wired; all but wiring is elsewhere",
	},
	"store/storetest": {nil, "it starts servers that tests keep things on, whatever those are"},
}

// foreign is what only some packages may import from others, by the beginning of its path.
var foreign = map[string]struct {
	by  []string
	why string
}{
	"github.com/pion/webrtc":       {[]string{"bench/others", "bench/server", "bench/soak"}, "its PeerConnection is what browsers are in tests, and a baseline; the media plane owns its connections"},
	"github.com/pion/dtls":         {[]string{"sfu/transport", "load/media"}, "keys are made in one place"},
	"github.com/pion/srtp":         {[]string{"sfu/transport", "load/media", "bench/server"}, "packets are encrypted in one place"},
	"github.com/pion/sdp":          {[]string{"sfu/negotiate", "load/media"}, "session descriptions are read in one place"},
	"github.com/gorilla/websocket": {[]string{"signaling", "load", "load/visit", "bench/others"}, "a room knows connections, not how they are made; members of a load test are at the other end"},
	"github.com/pion/turn":         {[]string{"relay"}, "the media plane knows no relays: what comes by one comes from an address"},
	"github.com/prometheus":        {[]string{"metrics"}, "the parts count; who reads it, and how, is said in one place"},
	"go.opentelemetry.io":          {[]string{"traces"}, "who reads what takes long, and how, is said in one place"},
	"github.com/redis":             {[]string{"cluster"}, "what is so only now, and may be lost, is asked for in one place"},
	"modernc.org/sqlite":           {[]string{"store"}, "SQL is at the edge"},
	"github.com/jackc/pgx":         {[]string{"store", "store/storetest"}, "SQL is at the edge"},
	"github.com/anishathalye":      {[]string{"bench/faults"}, "servers are judged in one place"},
	"github.com/minio/minio-go":    {[]string{"store", "store/storetest"}, "what keeps blobs is at the edge"},
	"database/sql":                 {[]string{"store"}, "SQL is at the edge"},
	"github.com/alexedwards/scs":   {[]string{"signaling", "store"}, "who somebody is comes from the cookie, and only the edge sees that"},
	"net/http":                     {[]string{"signaling", "static", "clip", "metrics", "traces", "audience", "bench/server", "load", "load/visit", "bench/others", "cmd/pausepoint"}, "sessions, people and media speak no HTTP"},
}

// The packages know each other downwards only.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}: {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		path, list, _ := strings.Cut(strings.TrimSpace(line), ":")
		name := strings.TrimPrefix(path, module)
		imports := strings.Fields(list)
		rule, known := rooms[name]
		if !known && slices.ContainsFunc(imports, ours) {
			t.Errorf("%s is in no rule: add it, with a reason", name)
			continue
		}
		for _, imported := range imports {
			if short := strings.TrimPrefix(imported, module); ours(imported) && !slices.Contains(rule.may, short) {
				t.Errorf("%s imports %s, but %s", name, short, rule.why)
			}
			checkForeign(t, name, imported)
		}
	}
}

func ours(path string) bool { return strings.HasPrefix(path, module) }

func checkForeign(t *testing.T, name, imported string) {
	t.Helper()
	for prefix, rule := range foreign {
		if (imported == prefix || strings.HasPrefix(imported, prefix+"/")) && !slices.Contains(rule.by, name) {
			t.Errorf("%s imports %s, but %s", name, imported, rule.why)
		}
	}
}

// What a package needs by way of others counts too.
func TestDependencies(t *testing.T) {
	for name, never := range map[string][]string{
		"sfu":       {"room", "room/event", "clip", "account", "store", "signaling"},
		"room":      {"sfu", "clip", "account", "store", "signaling"},
		"clip":      {"room", "sfu", "account", "store", "signaling"},
		"account":   {"room", "sfu", "clip", "store", "signaling"},
		"recorder":  {"room", "clip", "account", "store", "signaling"},
		"keeping":   {"room", "clip", "account", "store", "signaling"},
		"signaling": {"store", "static"},
		"store":     {"signaling", "static"},
	} {
		out, err := exec.Command("go", "list", "-deps", module+name).Output()
		if err != nil {
			t.Fatalf("go list -deps %s: %v", name, err)
		}
		deps := strings.Fields(string(out))
		for _, other := range never {
			if slices.Contains(deps, module+other) {
				t.Errorf("%s depends on %s by way of others", name, other)
			}
		}
	}
}
