
local RTAC_BYTES = 12 -- RTAC serial's own header, in front of what passed
local GAP_S = 0.1 -- silence that ends a frame, as in the firmware's framer
local PATIENCE_S = 1 -- a reply belongs to a question no older than this
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

local WIDTHS = { B = 1, b = 1, H = 2, h = 2, I = 4, i = 4, f = 4 }

-- A big-endian single in thousandths, as fields.py has it: of the 24 bits of its fraction the upper
-- 22 are used. Nil beyond 30 bits.
local function thousandths(text, at)
  local b0, b1, b2, b3 = text:byte(at + 1, at + 4)
  local exponent = b0 % 128 * 2 + floor(b1 / 128)
  local value = ((b1 % 128 + 128) * 16384 + b2 * 64 + floor(b3 / 4)) * 125
  local shift = 145 - exponent
  if shift < -1 then
    return nil
  end
  value = shift > 29 and 0 or shift < 0 and value * 2 or floor(value / 2 ^ shift + 0.5)
  return b0 >= 128 and -value or value
end

-- The number at a 0-based place, in a struct code of rows.py, and how many bytes it has.
local function number(text, at, code)
  local kind = code:sub(-1)
  local width = WIDTHS[kind]
  if kind == "f" then
    return thousandths(text, at), width
  end
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

-- What stands at `at`: a size, whether nothing checks it, and the number of the row; nil while bytes
-- are missing; or false, why not, and the size of the candidate.
local function judge(rows, text, at, final)
  local reason, damaged = NONE, 0
  for place, row in ipairs(rows) do
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
        return size + follows(row, text, at + size), row.check == "", place
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
    local size, what, more = judge(rows, text, at, final)
    if size == nil then
      break
    elseif size then
      local frame = { text = text:sub(at + 1, at + size), at = at - #pending, row = more }
      frame.check = what and "none" or "good"
      found[#found + 1] = frame
      at = at + size
    else
      if what == BAD_CHECK then
        local bytes = text:sub(at + 1, at + more)
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
  register = ProtoField.uint16("deckwatch.register", "Register or argument", base.HEX),
  wanted = ProtoField.uint32("deckwatch.wanted", "Bytes asked for"),
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

-- A frame being shown: `text`, `row` of FRAMING, `asked`, the frame before it. What is found in it
-- is gathered first, for one part of a frame may say what another is worth; tell() shows it. -------

local View = {}
View.__index = View

function View:byte(at)
  return self.text:byte(at + 1)
end

function View:word(at)
  return number(self.text, at, ">H")
end

function View:set(slot, value, at, width)
  local one = { slot = slot, value = value, at = at, width = width }
  self.found[#self.found + 1] = one
  return one
end

-- Cells, probes and wires count from 0 here, from 1 for people. No value: a probe not fitted.
function View:set_one_of(slot, place, value, at, width)
  if place < (slot == "temp_dc" and MAX_PROBES or MAX_CELLS) then
    local least = slot == "temp_dc" and -0x7FFF or 0
    local most = slot == "temp_dc" and 0x7FFF or 0xFFFF
    if slot == "temp_dc" and value == NO_PROBE then
      value = nil
    end
    value = value and math.min(math.max(value, least), most)
    for number, one in ipairs(self.found) do
      if one.slot == slot and one.place == place + 1 then
        table.remove(self.found, number) -- said twice: the last counts
        break
      end
    end
    self:set(slot, value, at, width).place = place + 1
  end
end

function View:drop(slot)
  for place = #self.found, 1, -1 do
    if self.found[place].slot == slot then
      table.remove(self.found, place)
    end
  end
end

-- The last value found of a slot.
function View:value(slot)
  local value
  for _, one in ipairs(self.found) do
    value = one.slot == slot and one.value or value
  end
  return value
end

function View:reply(body, size)
  self.body, self.size = body, size
  return "reply"
end

-- Where there are inputs without a cell at the list's end, they are left out.
function View:without_spare_cells()
  local most, last = 0, 0
  for _, one in ipairs(self.found) do
    most = one.slot == "cell_mv" and math.max(most, one.value) or most
  end
  for place, one in ipairs(self.found) do
    if one.slot == "cell_mv" and (one.value >= FITTED_MV or most < FITTED_MV) then
      last = place
    end
  end
  for place = #self.found, last + 1, -1 do
    if self.found[place].slot == "cell_mv" then
      table.remove(self.found, place)
    end
  end
end

local NOTES = { cell_mv = "cell", temp_dc = "probe", no_probe = "probe", wire_mohm = "wire of cell" }

-- Faults and balanced cells come from several rows and are told once each.
local function tell_set(view, slot)
  local set, first, last = {}, nil, nil
  for _, one in ipairs(view.found) do
    if one.slot == slot then
      first, last = math.min(first or one.at, one.at), math.max(last or 0, one.at + one.width)
      for _, name in ipairs(one.value) do
        set[name] = true
      end
    end
  end
  if first then
    local names = {}
    for name in pairs(set) do
      names[#names + 1] = name
    end
    table.sort(names)
    local said = #names > 0 and table.concat(names, ",") or "none"
    view.tree:add(fields[slot], view.range(first, last - first), said)
  end
end

function View:tell()
  for _, one in ipairs(self.found) do
    if one.slot ~= "faults" and one.slot ~= "balance" then
      local slot, value = one.slot, one.value
      if slot == "temp_dc" and not value then
        slot, value = "no_probe", one.place
      end
      local item = self.tree:add(fields[slot], self.range(one.at, one.width), value)
      if one.place and slot ~= "no_probe" then
        item:append_text(string.format(" (%s %d)", NOTES[slot], one.place))
      end
    end
  end
  tell_set(self, "faults")
  tell_set(self, "balance")
end

-- Rows --------------------------------------------------------------------------------------------

local function text_of(raw, row)
  if row.kind == "bcd" then
    local digits = {}
    for place = 2 * WIDTHS[row.code:sub(-1)] - (row.code == "B" and 1 or 2), 0, -1 do
      digits[#digits + 1] = string.format("%x", floor(raw / 16 ^ place) % 16)
    end
    return table.concat(digits, ".")
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
  return set
end

local function cells_of(raw, first)
  local set = {}
  for cell = 0, 15 do
    if floor(raw / 2 ^ cell) % 2 == 1 then
      set[#set + 1] = cell + first
    end
  end
  return set
end

local function scaled(raw, row)
  local value, div, add = raw * (row.mul or 1), row.div or 1, row.add or 0
  if div < 0 then
    local whole = floor(math.abs(value) / -div + 0.5)
    return (value < 0 and -whole or whole) + add
  end
  return floor(value / div) + add
end

local ONE_OF = { cell_mv = true, temp_dc = true, wire_mohm = true }

local function take(view, row, element, at, width)
  local slot = row.slot
  local raw = number(view.text, at, row.code)
  if row.kind == "bcd" or row.kind == "date" then
    if raw ~= 0 then
      view:set(slot, text_of(raw, row), at, width)
    end
  elseif row.kind == "faults" then
    view:set("faults", names_of(raw, row.faults), at, width)
  elseif row.kind == "balance" then
    view:set("balance", cells_of(raw, row.first_cell), at, width)
  elseif row.kind == "bit" then
    view:set(slot, floor(raw / 2 ^ row.bit) % 2, at, width)
  elseif raw and raw == row.absent then
    if slot == "temp_dc" then
      view:set_one_of(slot, (row.first or 0) + element, nil, at, width)
    end
  elseif raw and (width < 4 or math.abs(raw) <= floor((2 ^ 30 - 1) / math.abs(row.mul or 1))) then
    local value = scaled(raw, row)
    if ONE_OF[slot] then
      view:set_one_of(slot, (row.first or 0) + element, value, at, width)
    else
      view:set(slot, value, at, width)
    end
  end
end

-- Finds every row of a table that lies wholly in `size` bytes from `body` on, where `start` stands.
function View:read(rows, body, start, size)
  local function within(offset, width)
    return offset >= start and offset + width <= start + size
  end
  for _, row in ipairs(rows) do
    if row.kind == "text" then
      if within(row.offset, row.width) then
        self:set_text(row.slot, body + row.offset - start, row.width)
      end
    else
      local width = WIDTHS[row.code:sub(-1)]
      for element = 0, (row.count or 1) - 1 do
        local offset = row.offset + element * width
        if within(offset, width) then
          take(self, row, element, body + offset - start, width)
        end
      end
    end
  end
end

function View:set_text(slot, at, size)
  size = math.min(size, TEXT_BYTES)
  local said = self.text:sub(at + 1, at + size):gsub("^%z+", ""):gsub("%z+$", "")
  self:set(slot, said, at, size)
end

-- Cells in a list of words without those at its end that are 0.
function View:fitted(at, cells)
  while cells > 0 and self:word(at + 2 * cells - 2) == 0 do
    cells = cells - 1
  end
  return cells
end

-- By family: finds what a frame says and gives its kind. ------------------------------------------

local SHOW = {}
