
-- ANT: protocols/ant.py ---------------------------------------------------------------------------

local ANT_KINDS = {
  [0x12] = "reply", [0x14] = "reply", [0x01] = "read", [0x02] = "read", [0x04] = "read",
  [0x22] = "write", [0x51] = "write", [0x23] = "service", [0x42] = "ack", [0x43] = "ack",
  [0x61] = "ack",
}

-- A MOSFET is on for code 1 alone; every other code is a reason why it is off.
local function ant_codes(view, discharge, charge, balance)
  local codes = { { "discharge", discharge }, { "charge", charge }, { "balance", balance } }
  local set = {}
  for _, one in ipairs(codes) do
    local which, at = one[1], one[2]
    local code = view:byte(at)
    if which ~= "balance" then
      view:set(which .. "_fet", code == 1 and 1 or 0, at, 1)
    end
    local names = ANT_FAULTS[which]
    local name = names[code + 1] or which ~= "balance" and "vendor" or ""
    if name ~= "" then
      set[#set + 1] = name
    end
  end
  local first = math.min(discharge, charge, balance)
  view:set("faults", set, first, math.max(discharge, charge, balance) - first + 1)
end

local function ant_old(view)
  view:read(TABLES.ant.OLD_CELLS, 6, 6, 2 * view:byte(123))
  view:read(TABLES.ant.OLD_STATUS, 0, 0, #view.text)
  ant_codes(view, 104, 103, 105)
  return "reply"
end

local function ant_old_order(view)
  local register = view:byte(2)
  view:set("register", register, 2, 1)
  if view.row > 3 then
    return "write"
  elseif view.row == 2 and register > 0 and view:word(3) > 0 then
    return "reply"
  end
  return "read"
end

local function ant_status(view, size)
  local probes, cells = 2 * view:byte(8), 2 * view:byte(9)
  if size ~= 106 + cells + probes then
    return "unknown"
  end
  view:read(TABLES.ant.CELLS, 34, 34, cells)
  view:read(TABLES.ant.PROBES, 34 + cells, 34, probes)
  local place = 34 + cells + probes
  view:read(TABLES.ant.STATUS, place, 34, 78)
  ant_codes(view, place + 12, place + 13, place + 14)
  return "reply"
end

function SHOW.ant(view)
  if view.row == 1 then
    return ant_old(view)
  elseif view.row < 5 then
    return ant_old_order(view)
  end
  local command, register = view:byte(2), number(view.text, 3, "<H")
  local size = #view.text - (view.row == 7 and 16 or 10)
  view:set("command", command, 2, 1)
  view:set("register", register, 3, 2)
  if command == 0x11 then
    return ant_status(view, size)
  end
  local kind = ANT_KINDS[command] or "unknown"
  if command == 0x12 then
    view:read(TABLES.ant.SETTINGS, 6, register, size)
  elseif kind == "read" then
    view:set("wanted", view:byte(5), 5, 1)
  end
  return kind
end
