package cluster

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/pausepoint/pausepoint/room/event"
)

// Keys. All are below one name, so that a Redis can be shared with other programs.
const (
	nodesKey  = "pausepoint:nodes" // a set of names, some of the dead
	rollKey   = "pausepoint:roll"  // what all nodes say, for a moment
	nodeBase  = "pausepoint:node:"
	inboxBase = "pausepoint:to:"
	everybody = "pausepoint:all"
)

func nodeKey(name string) string       { return nodeBase + name }
func sessionKey(session string) string { return "pausepoint:session:" + session }
func inboxOf(name string) string       { return inboxBase + name }

// enrol says that a node is there, and tells who else is: KEYS node, nodes, roll; ARGV id, name, forgotten (ms), a new text, what begins
// nodes' keys, for how long (ms) the roll is kept, and what the node says of itself: region, pages, load, draining, impaired. The result
// is "taken" if the name is another's; or else the memory of this node, a text that stays the same for as long as it is remembered; and the
// roll, a JSON array with the name, the id, and what each says. It is read from all nodes' keys for one node in many: those that come soon
// after get what is kept, unless somebody has said more than another load.
var enrol = redis.NewScript(`
local at = redis.call('HMGET', KEYS[1], 'id', 'memory', 'draining', 'impaired')
if at[1] and at[1] ~= ARGV[1] then return {'taken', ''} end
local memory = at[2] or ARGV[4]
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'memory', memory, 'placed', 0,
  'region', ARGV[7], 'pages', ARGV[8], 'load', ARGV[9], 'draining', ARGV[10], 'impaired', ARGV[11])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SADD', KEYS[2], ARGV[2])
local roll = at[3] == ARGV[10] and at[4] == ARGV[11] and redis.call('GET', KEYS[3])
if not roll then
  local all = {}
  for _, name in ipairs(redis.call('SMEMBERS', KEYS[2])) do
    local said = redis.call('HMGET', ARGV[5] .. name, 'id', 'region', 'pages', 'load', 'draining', 'impaired')
    if said[1] then
      table.insert(all, {name, said[1], said[2] or '', said[3] or '', said[4], said[5], said[6]})
    else
      redis.call('SREM', KEYS[2], name)
    end
  end
  roll = cjson.encode(all)
  redis.call('SET', KEYS[3], roll, 'PX', ARGV[6])
end
return {memory, roll}`)

// leave makes a node forgotten: KEYS node, roll; ARGV id.
var leave = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'id') == ARGV[1] then redis.call('DEL', KEYS[1], KEYS[2]) end
return 1`)

// claim says that a node has sessions: KEYS sessions; ARGV name, forgotten (ms), and each session's epoch. The result lists those, by
// number, that another has under an epoch as high.
var claim = redis.NewScript(`
local lost = {}
for i, session in ipairs(KEYS) do
  local epoch = ARGV[2 + i]
  local at = redis.call('HMGET', session, 'node', 'epoch')
  if at[1] and at[1] ~= ARGV[1] and tonumber(at[2]) >= tonumber(epoch) then
    table.insert(lost, i)
  else
    redis.call('HSET', session, 'node', ARGV[1], 'epoch', epoch)
    redis.call('PEXPIRE', session, ARGV[2])
  end
end
return lost`)

// claimed is how many sessions are claimed at once: Redis does nothing else meanwhile.
const claimed = 256

// release says that a node has a session no more: KEYS session; ARGV name, epoch.
var release = redis.NewScript(`
local at = redis.call('HMGET', KEYS[1], 'node', 'epoch')
if at[1] == ARGV[1] and tonumber(at[2]) <= tonumber(ARGV[2]) then redis.call('DEL', KEYS[1]) end
return 1`)

// place finds where a session is, or chooses where it shall be: KEYS session, nodes, node that asks; ARGV what begins nodes' keys, the
// region of who asks, "1" if nodes that say they are without the database are as good as others, the lease's holder ("?" if that is not known yet), "1" if a
// holder who is not there is waited for, forgotten (ms), who takes a session that nobody runs, or "" for the best node, and the memory of who
// asks: if it is another by now, Redis has forgotten all since then, and a holder is waited for.
//
// The result is a name; "?" if the holder must be known, "" if there is nobody. Of the nodes that do not drain it is the
// least loaded. A session that was placed since a node's load was measured counts as a fiftieth of its room, another region as a half.
var place = redis.NewScript(`
local function fit(name)
  if not name or name == '' then return false end
  local node = redis.call('HMGET', ARGV[1] .. name, 'id', 'impaired')
  return node[1] and (ARGV[3] == '1' or node[2] ~= '1')
end
local at = redis.call('HGET', KEYS[1], 'node')
if fit(at) then return at end
if ARGV[4] == '?' then return '?' end
local best = nil
if fit(ARGV[4]) then
  best = ARGV[4]
elseif ARGV[4] ~= '' and (ARGV[5] == '1' or redis.call('HGET', KEYS[3], 'memory') ~= ARGV[8]) then
  return ''
elseif ARGV[7] ~= '' then
  best = ARGV[7]
else
  local least = nil
  local names = redis.call('SMEMBERS', KEYS[2])
  table.sort(names)
  for _, name in ipairs(names) do
    local node = redis.call('HMGET', ARGV[1] .. name, 'id', 'load', 'region', 'draining', 'placed')
    if not node[1] then
      redis.call('SREM', KEYS[2], name)
    elseif node[4] ~= '1' and fit(name) then
      local load = tonumber(node[2]) + tonumber(node[5]) / 50
      if node[3] ~= ARGV[2] then load = load + 0.5 end
      if not least or load < least then best, least = name, load end
    end
  end
  if not best then return '' end
  redis.call('HINCRBY', ARGV[1] .. best, 'placed', 1)
end
redis.call('HSET', KEYS[1], 'node', best, 'epoch', 0)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return best`)

// What people are told.
var (
	errElsewhere = event.Errorf("unavailable", "The call goes on in another place. You are brought back in a moment.")
	errNowhere   = event.Errorf("unavailable", "No server can take this call right now. Try again in a moment.")
	errCutOff    = event.Errorf("unavailable", "This call is on another server, which cannot be reached right now. Reload the page in a moment; if that does not help, tell whoever runs this server that its Redis is gone.")
)

// Owner says which node runs a session. One that nobody runs is placed. An error is a *event.Problem, or the database's.
func (n *Node) Owner(ctx context.Context, session string) (string, error) {
	if n.owns(session) {
		return n.cfg.Name, nil
	}
	if n.up() {
		name, err := n.place(ctx, session, "")
		if err == nil || errors.Is(err, errNowhere) {
			return name, err
		}
	}
	holder, err := n.leases.Holder(ctx, session)
	switch {
	case err != nil:
		return "", wrap("find who has a session", err)
	case holder == "" || holder == n.cfg.Name:
		return n.cfg.Name, nil
	}
	return "", errCutOff
}

// Detour is where the pages are of the node that runs a session, while this node cannot open a line to it, as Redis is away. It is empty
// if there is no need of one, or none is known.
func (n *Node) Detour(ctx context.Context, session string) (pages string) {
	s := n.seen.Load()
	if s.err == nil || n.owns(session) {
		return ""
	}
	holder, err := n.leases.Holder(ctx, session)
	if err != nil || holder == n.cfg.Name {
		return ""
	}
	return s.pages[holder]
}

// place is the script's caller; rather is who takes a session that nobody runs, if it is not to be the best node.
func (n *Node) place(ctx context.Context, session, rather string) (string, error) {
	name, err := n.runPlace(ctx, session, "?", rather)
	if err == nil && name == "?" {
		var holder string
		if holder, err = n.leases.Holder(ctx, session); err != nil {
			return "", wrap("find who has a session", err)
		}
		name, err = n.runPlace(ctx, session, holder, rather)
	}
	if err != nil {
		return "", wrap("place a session", err)
	}
	if name == "" {
		return "", errNowhere
	}
	return name, nil
}

func (n *Node) runPlace(ctx context.Context, session, holder, rather string) (string, error) {
	s := n.seen.Load()
	keys := []string{sessionKey(session), nodesKey, nodeKey(n.cfg.Name)}
	return place.Run(ctx, n.redis, keys, nodeBase, n.cfg.Region, flag(n.impaired.Load() || !n.steady()), holder,
		flag(!s.settled()), forgotten.Milliseconds(), rather, s.memory).Text()
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

// tellOwned says in Redis what this node has, and lets go of what another one has.
func (n *Node) tellOwned(ctx context.Context, owned map[string]int64) error {
	for sessions := range slices.Chunk(slices.Collect(maps.Keys(owned)), claimed) {
		keys, args := make([]string, 0, len(sessions)), []any{n.cfg.Name, forgotten.Milliseconds()}
		for _, session := range sessions {
			keys, args = append(keys, sessionKey(session)), append(args, owned[session])
		}
		lost, err := claim.Run(ctx, n.redis, keys, args...).Int64Slice()
		if err != nil {
			return wrap("say which sessions are here", err)
		}
		for _, i := range lost {
			n.lose(sessions[i-1], owned[sessions[i-1]])
		}
	}
	return nil
}

// seeTaken lets go of what another node has taken. It is how a node learns of it that the database does not answer.
func (n *Node) seeTaken(ctx context.Context, owned map[string]int64) error {
	said := make(map[string]*redis.SliceCmd, len(owned))
	_, err := n.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for session := range owned {
			said[session] = p.HMGet(ctx, sessionKey(session), "node", "epoch")
		}
		return nil
	})
	if err != nil {
		return wrap("see which sessions are elsewhere", err)
	}
	for session, at := range said {
		var there struct {
			Node  string `redis:"node"`
			Epoch int64  `redis:"epoch"`
		}
		if err := at.Scan(&there); err == nil && there.Node != n.cfg.Name && there.Epoch > owned[session] {
			n.lose(session, owned[session])
		}
	}
	return nil
}

// free says in Redis that a session is not here any more; where Redis is gone, that is forgotten by itself.
func (n *Node) free(ctx context.Context, session string, epoch int64) {
	if n.up() {
		_ = release.Run(ctx, n.redis, []string{sessionKey(session)}, n.cfg.Name, strconv.FormatInt(epoch, 10)).Err()
	}
}
