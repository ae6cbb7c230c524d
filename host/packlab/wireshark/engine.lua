
local RTAC_BYTES = 12 -- RTAC serial's own header, in front of what passed
local GAP_S = 0.1 -- silence that ends a frame, as in the firmware's framer
local SETTLED = 20 -- frames after which families that are behind are no longer tried
local NONE, BAD_LENGTH, CUT, BAD_CHECK = 0, 1, 2, 3

local xor, both = (bit32 or bit).bxor, (bit32 or bit).band
local floor = math.floor

-- Checksums: (bytes as a string, first and last place, 1-based) -> integer ------------------------

local function sum(text, first, last)
  local total = 0
  for i = first, last do
    total = total + text:byte(i)
  end
  return total
end

local function modbus(text, first, last)
  local crc = 0xFFFF
  for i = first, last do
    crc = xor(crc, text:byte(i))
    for _ = 1, 8 do
      local odd = crc % 2 == 1
      crc = floor(crc / 2)
      if odd then
        crc = xor(crc, 0xA001)
      end
    end
  end
  return crc
end

local function xmodem(text, first, last)
  local crc = 0
  for i = first, last do
    crc = xor(crc, text:byte(i) * 256)
    for _ = 1, 8 do
      crc = crc * 2
      if crc > 0xFFFF then
        crc = both(xor(crc, 0x1021), 0xFFFF)
      end
    end
  end
  return crc
end

local CHECKS = {
  sum8 = function(...) return sum(...) % 0x100 end,
  sum16 = function(...) return sum(...) % 0x10000 end,
  sum16_inverted = function(...) return (0xFFFF - sum(...)) % 0x10000 end,
  sum16_negated = function(...) return -sum(...) % 0x10000 end,
  crc16_modbus = modbus,
  crc16_xmodem = xmodem,
}

-- Numbers -----------------------------------------------------------------------------------------

local WIDTHS = { B = 1, b = 1, H = 2, h = 2, I = 4, i = 4 }

-- The number at a 0-based place, in a struct code of fields.py, and how many bytes it has.
local function number(text, at, code)
  local kind = code:sub(-1)
  local width = WIDTHS[kind]
  local value = 0
  for i = 0, width - 1 do
    local place = code:sub(1, 1) == ">" and i or width - 1 - i
    value = value * 256 + text:byte(at + place + 1)
  end
  if kind:lower() == kind and value >= 2 ^ (8 * width - 1) then
    value = value - 2 ^ (8 * width)
  end
  return value, width
end

-- Frames: what framer.py does, row by row ---------------------------------------------------------

-- Does the frame's beginning stand at `at` (0-based), as far as the text goes?
local function begins(row, text, at)
  local lead = 0
  if row.before then
    local address = text:byte(at + 1)
    if address and (address < row.before[1] or address > row.before[2]) then
      return false
    end
    lead = 1
  end
  local there = text:sub(at + lead + 1, at + lead + #row.header)
  return there == row.header:sub(1, #there)
end

-- Total size that a frame claims; nil while that is not in yet, false when out of bounds.
local function measure(row, text, at)
  local available = #text - at
  local width = row.code == "" and 0 or WIDTHS[row.code:sub(-1)]
  if available < (row.before and 1 or 0) + #row.header or available < row.offset + width then
    return nil
  end
  local size = row.add
  if width > 0 then
    size = size + number(text, at + row.offset, row.code)
  end
  return size >= row.lowest and size <= row.highest and size
end

local function holds(row, text, at, size)
  if row.tail ~= "" and text:sub(at + size - #row.tail + 1, at + size) ~= row.tail then
    return false
  end
  if row.check == "" then
    return true
  end
  local stored = number(text, at + size - row.check_at, row.check_code)
  return CHECKS[row.check](text, at + row.check_from + 1, at + size - row.check_end) == stored
end

-- Size of what belongs to the frame behind `at`. What has not come yet is a frame of its own here.
local function follows(row, text, at)
  for _, inner in ipairs(row.after or {}) do
    if at < #text and begins(inner, text, at) then
      local size = measure(inner, text, at)
      if size and at + size <= #text and holds(inner, text, at, size) then
        return size
      end
    end
  end
  return 0
end

-- What stands at `at`: a size and NONE, nil while bytes are missing, or false, why not, and the
-- size of the candidate.
local function judge(rows, text, at, final)
  local reason, damaged = NONE, 0
  for _, row in ipairs(rows) do
    if begins(row, text, at) then
      local size = measure(row, text, at)
      if size == nil or size and size > #text - at then
        if not final then
          return nil
        end
        reason = math.max(reason, CUT)
      elseif not size then
        reason = math.max(reason, BAD_LENGTH)
      elseif holds(row, text, at, size) then
        return size + follows(row, text, at + size), row.check == ""
      else
        reason, damaged = BAD_CHECK, size
      end
    end
  end
  return false, reason, damaged
end

-- Takes a chunk; `pending` is what waited before it. Gives the frames that it completes, each with
-- its bytes and its place (0-based) in the chunk, and what waits now.
local function scan(rows, pending, chunk, final)
  local text = pending .. chunk
  local found, at = {}, 0
  while at < #text do
    local size, what, damaged = judge(rows, text, at, final)
    if size == nil then
      break
    elseif size then
      local check = what and "none" or "good"
      found[#found + 1] = { text = text:sub(at + 1, at + size), at = at - #pending, check = check }
      at = at + size
    else
      if what == BAD_CHECK then
        local bytes = text:sub(at + 1, at + damaged)
        found[#found + 1] = { text = bytes, at = at - #pending, check = "bad" }
      end
      at = at + 1
    end
  end
  return found, text:sub(at + 1)
end

-- Fields ------------------------------------------------------------------------------------------

local deckwatch = Proto("deckwatch", "Battery line (Deckwatch)")
local VALUES = base.UNIT_STRING

local fields = {
  family = ProtoField.string("deckwatch.family", "Family"),
  kind = ProtoField.string("deckwatch.kind", "Kind"),
  check = ProtoField.string("deckwatch.checksum", "Checksum"),
  bytes = ProtoField.bytes("deckwatch.frame", "Frame"),
  source = ProtoField.uint8("deckwatch.source", "Source address", base.HEX),
  address = ProtoField.uint8("deckwatch.address", "Address", base.HEX),
  command = ProtoField.uint8("deckwatch.command", "Command", base.HEX),
  register = ProtoField.uint8("deckwatch.register", "Register or argument", base.HEX),
  wanted = ProtoField.uint8("deckwatch.wanted", "Bytes asked for"),
  no_probe = ProtoField.uint8("deckwatch.no_probe", "Probe not fitted"),
  faults = ProtoField.string("deckwatch.faults", "Faults"),
  balance = ProtoField.string("deckwatch.balance", "Cells being balanced"),
}
local function label(slot)
  local words = slot:gsub("_[^_]+$", UNITS[slot] and "" or "%0"):gsub("_", " ")
  return words:sub(1, 1):upper() .. words:sub(2)
end
for _, slot in ipairs(SLOTS) do
  local unit = UNITS[slot]
  fields[slot] = unit and ProtoField.int32("deckwatch." .. slot, label(slot), VALUES, { unit })
    or ProtoField.int32("deckwatch." .. slot, label(slot))
end
for _, slot in ipairs(TEXTS) do
  fields[slot] = ProtoField.string("deckwatch." .. slot, label(slot))
end
deckwatch.fields = fields

local function text_of(raw, code)
  if code == "bcd" then
    return string.format("%x.%x.%x", floor(raw / 256) % 16, floor(raw / 16) % 16, raw % 16)
  end
  return string.format("%04d-%02d-%02d", 2000 + floor(raw / 512), floor(raw / 32) % 16, raw % 32)
end

local function names_of(raw, faults)
  local set = {}
  for _, fault in ipairs(faults) do
    if floor(raw / 2 ^ fault[1]) % 2 == fault[3] then
      set[#set + 1] = fault[2]
    end
  end
  return #set > 0 and table.concat(set, ",") or "none"
end

local function cells_of(raw)
  local set = {}
  for cell = 1, 16 do
    if floor(raw / 2 ^ (cell - 1)) % 2 == 1 then
      set[#set + 1] = cell
    end
  end
  return #set > 0 and table.concat(set, ",") or "none"
end

local function scaled(raw, row)
  local value = raw * row.mul
  if row.div < 0 then
    local whole = floor(math.abs(value) / -row.div + 0.5)
    return (value < 0 and -whole or whole) + row.add
  end
  return floor(value / row.div) + row.add
end

-- Cells are shown as far as there are any: the list's end without a cell is left out.
local function fitted(cells)
  local last, most = #cells, 0
  for _, cell in ipairs(cells) do
    most = math.max(most, cell.value)
  end
  while most >= FITTED_MV and cells[last].value < FITTED_MV do
    last = last - 1
  end
  return last
end

-- Shows every row of a table that lies wholly in text[body : body + size], which holds `start`.
local function read(tree, range, text, body, start, size, rows)
  local cells = {}
  local function within(offset, width)
    return offset >= start and offset + width <= start + size
  end
  local function place(offset, width)
    return body + offset - start, range(body + offset - start, width)
  end
  for _, row in ipairs(rows) do
    local kind, slot = row.kind, row.slot
    if kind == "text" then
      if within(row.offset, row.width) then
        local at, where = place(row.offset, row.width)
        local said = text:sub(at + 1, at + row.width):gsub("^%z+", ""):gsub("%z+$", "")
        tree:add(fields[slot], where, said)
      end
    else
      for element = 0, row.count - 1 do
        local width = WIDTHS[row.code:sub(-1)]
        local offset = row.offset + element * width
        if within(offset, width) then
          local at, where = place(offset, width)
          local raw = number(text, at, row.code)
          local field = fields[slot]
          if kind == "bcd" or kind == "date" then
            if raw ~= 0 then
              tree:add(field, where, text_of(raw, kind))
            end
          elseif kind == "faults" then
            tree:add(fields.faults, where, names_of(raw, row.faults))
          elseif kind == "balance" then
            tree:add(fields.balance, where, cells_of(raw))
          elseif kind == "bit" then
            tree:add(field, where, floor(raw / 2 ^ row.bit) % 2)
          elseif raw == row.absent then
            if slot == "temp_dc" then
              tree:add(fields.no_probe, where, row.first + element + 1)
            end
          elseif width < 4 or math.abs(raw) <= floor((2 ^ 30 - 1) / math.abs(row.mul)) then
            local value = scaled(raw, row)
            if slot == "cell_mv" then
              cells[#cells + 1] = { value = value, where = where, first = row.first + element }
            else
              local item = tree:add(field, where, value)
              if slot == "temp_dc" then
                item:append_text(string.format(" (probe %d)", row.first + element + 1))
              end
            end
          end
        end
      end
    end
  end
  for i = 1, #cells > 0 and fitted(cells) or 0 do
    local item = tree:add(fields.cell_mv, cells[i].where, cells[i].value)
    item:append_text(string.format(" (cell %d)", cells[i].first + 1))
  end
end

-- Dashboard and controller of a scooter (protocols/dash.py).
local function dash(tree, range, text, body, size, kind, command)
  local function show(slot, place, value)
    tree:add(fields[slot], range(place, 1), value or text:byte(place + 1))
  end
  if kind == "dash_input" then
    local first = body + (command == 0x61 and 2 or 1)
    if first + 2 <= body + size then
      show("throttle_raw", first)
      show("brake_raw", first + 1)
    end
  elseif kind == "dash_state" then
    if size >= 4 then
      show("mode", body)
    end
    if size >= 6 then
      show("controller_soc_pct", body + 1)
      show("speed_mh", body + 4, text:byte(body + 5) * 1000)
      show("error_code", body + 5)
    end
  end
end

-- What a scooter's frame says (protocols/xiaomi.py, protocols/ninebot.py).
local function scooter(tree, range, text, family)
  local source = family == "ninebot" and text:byte(4)
  local at = source and 4 or 3 -- of the address
  local address, command, register = text:byte(at + 1), text:byte(at + 2), text:byte(at + 3)
  local body, size = at + 3, #text - at - 5
  local kinds = KINDS[family][source and source * 256 + address or address]
    or KINDS[family][source and source * 256 + OTHER] or KINDS[family][OTHER * 256 + address]
    or KINDS[family][OTHER * 256 + OTHER]
  local kind = kinds and kinds[command] or "unknown"
  if source then
    tree:add(fields.source, range(3, 1), source)
  end
  tree:add(fields.address, range(at, 1), address)
  tree:add(fields.command, range(at + 1, 1), command)
  tree:add(fields.register, range(at + 2, 1), register)
  if (kind == "read" or kind == "dash_input" and command == 0x61) and size > 0 then
    tree:add(fields.wanted, range(body, 1), text:byte(body + 1))
  end
  if kind == "reply" then
    for _, name in ipairs(READERS[family][source or address] or {}) do
      read(tree, range, text, body, 2 * register, size, TABLES[family][name])
    end
  end
  dash(tree, range, text, body, size, kind, command)
  return kind
end

-- One frame's branch.
local function show(tree, range, frame, family)
  local branch = tree:add(deckwatch, range(0, #frame.text))
  branch:add(fields.family, range(0, 0), family):set_generated()
  branch:add(fields.check, range(0, 0), frame.check):set_generated()
  branch:add(fields.bytes, range(0, #frame.text))
  local said = family
  if frame.check ~= "bad" and KINDS[family] then
    local kind = scooter(branch, range, frame.text, family)
    branch:add(fields.kind, range(0, 0), kind):set_generated()
    said = said .. " " .. kind
  end
  if frame.check == "bad" then
    said = said .. ", checksum does not fit"
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

local waiting, heard, results -- pending bytes by wire and family; frames by family; by packet

function deckwatch.init()
  waiting, heard, results = {}, {}, {}
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
