
-- One frame's branch ------------------------------------------------------------------------------

local function show(tree, range, frame, family)
  local branch = tree:add(deckwatch, range(0, #frame.text))
  branch:add(fields.family, range(0, 0), family):set_generated()
  branch:add(fields.check, range(0, 0), frame.check):set_generated()
  branch:add(fields.bytes, range(0, #frame.text))
  local said = family
  if frame.check == "bad" then
    said = said .. ", checksum does not fit"
  else
    local view = { tree = branch, range = range, found = {} }
    view.text, view.row, view.asked = frame.text, frame.row, frame.asked
    setmetatable(view, View)
    local kind = SHOW[family](view)
    branch:add(fields.kind, range(0, 0), kind):set_generated()
    view:tell()
    said = said .. " " .. kind
  end
  branch:append_text(": " .. said)
  return said
end

-- Packets -----------------------------------------------------------------------------------------

local event = Field.new("rtacser.eventtype")
local interface = Field.new("frame.interface_id")

local CHOICES = { { 1, "found out", 0 } }
for place, name in ipairs(NAMES) do
  CHOICES[#CHOICES + 1] = { place + 1, name, place }
end
deckwatch.prefs.family = Pref.enum("Family", 0, "Who speaks on the line", CHOICES, false)

-- Pending bytes by wire and family; frames by family; the latest of them; what was found by packet.
local waiting, heard, latest, results

function deckwatch.init()
  waiting, heard, latest, results = {}, {}, {}, {}
  for _, name in ipairs(NAMES) do
    heard[name] = { frames = 0, bytes = 0 }
  end
end

-- The family with the most bytes in good frames, of all wires together.
local function leader()
  local best = NAMES[1]
  for _, name in ipairs(NAMES) do
    if heard[name].bytes > heard[best].bytes then
      best = name
    end
  end
  return best
end

local function listen(wire, chunk, now_s)
  local state = waiting[wire] or { last_s = now_s, pending = {} }
  waiting[wire] = state
  local silent = now_s - state.last_s > GAP_S
  state.last_s = now_s
  local chosen = NAMES[deckwatch.prefs.family]
  local first = leader()
  local all = {}
  for _, name in ipairs(NAMES) do
    local behind = heard[first].frames >= SETTLED and heard[name].bytes * 4 < heard[first].bytes
    if not chosen and not behind or name == chosen then
      local pending = state.pending[name] or ""
      local found = {}
      if silent and pending ~= "" then
        found = scan(FRAMING[name], pending, "", true)
        for _, frame in ipairs(found) do
          frame.at = -1 -- of packets before this one
        end
        pending = ""
      end
      local now
      now, state.pending[name] = scan(FRAMING[name], pending, chunk, false)
      for _, frame in ipairs(now) do
        found[#found + 1] = frame
      end
      all[name] = found
      for _, frame in ipairs(found) do
        if frame.check ~= "bad" then
          heard[name].frames = heard[name].frames + 1
          heard[name].bytes = heard[name].bytes + #frame.text
          local before = latest[name]
          frame.asked = before and now_s - before.at_s <= PATIENCE_S and before.text or nil
          latest[name] = { text = frame.text, at_s = now_s }
        end
      end
    end
  end
  local family = chosen or leader()
  return { family = family, frames = all[family] or {} }
end

function deckwatch.dissector(tvb, pinfo, tree)
  if not event() or tvb:len() <= RTAC_BYTES then
    return
  end
  local wire = interface() and interface().value or 0
  local done = results[pinfo.number]
  if not done then
    done = listen(wire, tvb:raw(RTAC_BYTES), pinfo.abs_ts)
    results[pinfo.number] = done
  end
  for _, frame in ipairs(done.frames) do
    local function range(at, size)
      return tvb(RTAC_BYTES + frame.at + at, size)
    end
    if frame.at < 0 then -- it began in a packet before this one
      local whole = ByteArray.new(frame.text, true):tvb("Frame of several chunks")
      range = function(at, size) return whole(at, size) end
    end
    local said = show(tree, range, frame, done.family)
    pinfo.cols.info:append(", " .. said)
  end
end

register_postdissector(deckwatch)
