
-- JK: protocols/jk.py and what it hands on to: jk_tlv, jk02, jk_modbus, jk_display ----------------

local JK = TABLES.jk

-- 4E 57: registers one behind the other.

local JK_CELLS, JK_FIRST, JK_CODING = 0x79, 0x80, 0xC0

local function jk_width(view, place, last)
  if place + 1 >= last then
    return 0
  end
  local register = view:byte(place)
  local width = register == JK_CELLS and 1 + view:byte(place + 1) or JK_WIDTHS[register] or 0
  return place + 1 + width <= last and width or 0
end

local function jk_temp(view, register, at)
  local raw = view:word(at)
  if raw > 140 then
    return
  end
  local dc = 10 * (raw <= 100 and raw or 100 - raw)
  if register == JK_FIRST then
    view:set("mos_temp_dc", dc, at, 2)
  else
    view:set_one_of("temp_dc", register - JK_FIRST - 1, dc, at, 2)
  end
end

-- Register C0 says how to read 84; a whole list without it is one of 2020.
local function jk_current(view, at, coding, is_whole)
  local raw = view:word(at)
  if coding == 1 then
    view:set("current_ma", raw >= 0x8000 and 10 * (raw - 0x8000) or -10 * raw, at, 2)
  elseif coding <= 0 and is_whole then
    view:set("current_ma", 10 * (10000 - raw), at, 2)
  end
end

local function jk_walk(view, place, last)
  local current_at, soc_at, cycles_at, coding, is_listed
  local width = jk_width(view, place, last)
  while width > 0 do
    local register, data = view:byte(place), place + 1
    if register == JK_CELLS then
      for at = data + 1, data + view:byte(data) - 2, 3 do
        if view:byte(at) > 0 then
          view:set_one_of("cell_mv", view:byte(at) - 1, view:word(at + 1), at, 3)
        end
      end
    elseif register <= 0x82 then
      jk_temp(view, register, data)
    elseif register == 0x84 then
      current_at = data
    elseif register == 0x85 then
      soc_at = data
    elseif register == 0x87 then
      cycles_at = data
    elseif register == JK_CODING then
      coding = view:byte(data)
    else
      is_listed = is_listed or register == 0xB7
      view:read(JK.REGISTERS, data, register * 16, width)
    end
    place = data + width
    width = jk_width(view, place, last)
  end
  if current_at then
    jk_current(view, current_at, coding or -1, is_listed and place == last)
  end
  local soc, cycles = soc_at and view:byte(soc_at), cycles_at and view:word(cycles_at)
  if soc and soc > 0 or cycles and cycles > 0 then -- a board that has just started says 0 of both
    if soc then
      view:set("soc_pct", soc, soc_at, 1)
    end
    if cycles then
      view:set("cycles", cycles, cycles_at, 2)
    end
  end
end

local function jk_tlv(view)
  local size = #view.text
  if view:byte(size - 5) ~= 0x68 then
    return "unknown"
  end
  local command, what = view:byte(8), view:byte(10)
  view:set("command", command, 8, 1)
  local is_known = command == 3 or command == 6
  if what == 0 then
    return is_known and "read" or command == 1 and "wake"
      or (command == 2 or command == 5) and "write" or "unknown"
  elseif what == 1 or what == 2 then
    if is_known then
      jk_walk(view, 11, size - 9)
    end
    return is_known and "reply" or "ack"
  end
  return "unknown"
end

-- 55 AA EB 90: 300 bytes in two layouts.

-- Cells in a mask of 32 bits from its `first` byte on: 0 = none, or with gaps between them.
local function jk_strung(view, at, code)
  local mask, cells = number(view.text, at, code), 0
  while mask % 2 == 1 do
    mask, cells = floor(mask / 2), cells + 1
  end
  return mask == 0 and cells or 0
end


local function jk_sum(view, at, cells, code)
  local total = 0
  for place = at, at + 2 * cells - 2, 2 do
    total = total + number(view.text, place, code)
  end
  return total
end

local function jk_is_32(view)
  if number(view.text, 54, "<I") == 0 then
    return true
  end
  local cells, pack_mv = jk_strung(view, 70, "<I"), number(view.text, 150, "<I")
  if cells == 0 or pack_mv >= 2 ^ 30 or view:fitted(6, 32) > cells then
    return false
  end
  return math.abs(jk_sum(view, 6, cells, "<H") - pack_mv) <= 5500
end

-- A board without a third and fourth sensor sends 0 in both.
local function jk_more_probes(view, at, rows)
  if number(view.text, at, "<I") ~= 0 then
    view:read(rows, at, 0, 4)
  else
    view:set_one_of("temp_dc", 2, nil, at, 2)
    view:set_one_of("temp_dc", 3, nil, at + 2, 2)
  end
end

local function jk_live(view)
  local is_32 = jk_is_32(view)
  local mask, most = is_32 and 70 or 54, is_32 and 32 or 24
  local cells = math.min(most, jk_strung(view, mask, "<I"))
  cells = cells > 0 and cells or view:fitted(6, most)
  view:set("cell_count", cells, mask, 4)
  view:read(JK.CELLS, 6, 6, 2 * cells)
  view:read(JK.WIRES, is_32 and 80 or 64, 80, 2 * cells)
  view:read(JK.LIVE, 0, is_32 and 0 or 32, 300)
  view:read(is_32 and JK.LIVE_32 or JK.LIVE_24, 0, 0, 300)
  if is_32 then
    jk_more_probes(view, 256, JK.PROBES)
  end
end

local function jk_device(view)
  view:read(JK.DEVICE, 0, 0, 300)
  local year, month, day = view.text:sub(79, 84):match("^(%d%d)(%d%d)(%d%d)$")
  if year then
    view:set("made_on", string.format("20%s-%s-%s", year, month, day), 78, 6)
  end
end

local function jk02(view)
  local kind = view:byte(4)
  view:set("command", kind, 4, 1)
  if kind == 1 then
    view:read(JK.SETTINGS, 0, 0, 300)
  elseif kind == 2 then
    jk_live(view)
  elseif kind == 3 then
    jk_device(view)
  end
  return (kind >= 1 and kind <= 3 or kind == 5) and "reply" or "unknown"
end

local function jk02_command(view)
  local command = view:byte(4)
  view:set("command", command, 4, 1)
  local is_read = command == 0x96 or command == 0x97 or command == 0xA1
  return is_read and "read" or command == 0xC8 and "ack" or "write"
end

-- Modbus: a reply does not say what was asked.

local function jk_registers(view)
  local asked, size = view.asked, #view.text - 5
  if not asked or #asked ~= 8 or asked:byte(2) ~= 3 or asked:byte(1) ~= view:byte(0)
    or 2 * number(asked, 4, ">H") ~= size then
    return "reply"
  end
  local register = number(asked, 2, ">H")
  local base, offset = floor(register / 512) * 512, register % 512
  local body, start = 3, offset + 6
  view:set("register", register, 2, 1)
  if base == 0x1200 then
    view:read(JK.LIVE_BIG, body, start, size)
    local cells, wires = 0, 0
    if offset <= 0x40 and 0x44 <= offset + size then
      cells = jk_strung(view, body + 0x40 - offset, ">I")
      if cells > 0 then
        view:set("cell_count", cells, body + 0x40 - offset, 4)
      end
    end
    if cells == 0 and offset < 0x40 then
      cells = floor(offset / 2) + view:fitted(body, floor(math.min(size, 0x40 - offset) / 2))
    end
    view:read(JK.CELLS_BIG, body, start, math.min(size, 2 * cells - offset))
    for _, one in ipairs(view.found) do
      wires = one.slot == "cell_mv" and one.place or wires
    end
    view:read(JK.WIRES_BIG, body, start, math.min(size, 0x4A + 2 * wires - offset))
    if offset <= 0xFA and 0xFE <= offset + size then
      jk_more_probes(view, body + 0xFA - offset, JK.PROBES_BIG)
    end
  elseif base == 0x1000 then
    view:read(JK.SETTINGS_BIG, body, start, size)
  elseif base == 0x1400 then
    view:read(JK.DEVICE_BIG, body, start, size)
  end
  return "reply"
end

local function jk_order(view)
  local register = view:word(2)
  view:set("register", register, 2, 2)
  local is_trigger = register >= 0x161C and register <= 0x1620 and register % 2 == 0
  return is_trigger and "read" or "write"
end

-- Displays and the balancer: values count only where those that must agree do.

local function jk_is_near(mv, pack_mv)
  return 100 * math.abs(mv - pack_mv) <= 3 * pack_mv
end

local function jk_are_cells(view, at, cells, pack_mv)
  for place = at, at + 2 * cells - 2, 2 do
    local mv = view:word(place)
    if mv > 0 and (mv < 500 or mv > 5000) then
      return false
    end
  end
  return cells > 0 and jk_is_near(jk_sum(view, at, cells, ">H"), pack_mv)
end

local function jk_is_charge(soc_pct, full, remaining)
  return soc_pct <= 100 and math.abs(soc_pct * full - 100 * remaining) <= 2 * full
end

local function jk_display(view)
  local cells = view:fitted(30, 24)
  if not jk_are_cells(view, 30, cells, 10 * view:word(6)) or view:word(12) > 100 then
    return "implausible"
  end
  view:read(JK.DISPLAY, 6, 0, 90)
  view:read(JK.DISPLAY_CELLS, 30, 0, 2 * cells)
  if view:word(16) > 0 or view:word(18) > 0 then
    view:read(JK.DISPLAY_TEMPS, 6, 0, 90)
  end
  local set = {}
  for place, name in ipairs(JK_DISPLAY_ALARMS) do
    if view:word(76 + 2 * place) > 0 then
      set[#set + 1] = name
    end
  end
  view:set("faults", set, 78, 2 * #JK_DISPLAY_ALARMS)
  return "reply"
end

local function jk_pb(view)
  if not jk_is_charge(view:word(10), view:word(14), view:word(16)) then
    return "implausible"
  end
  view:read(JK.PB_MAIN, 6, 0, 30)
  return "reply"
end

local function jk_pb_cells(view)
  local cells = view:fitted(6, 16)
  local is_charge = jk_is_charge(view:word(40), view:word(42), view:word(44))
  if not is_charge or not jk_are_cells(view, 6, cells, jk_sum(view, 6, cells, ">H")) then
    return "implausible"
  end
  view:read(JK.DISPLAY_CELLS, 6, 0, 2 * cells)
  return "reply"
end

local function jk_balancer(view)
  if view:byte(3) ~= 0xFF then
    return "unknown"
  end
  local cells = view:fitted(23, 24)
  if not jk_are_cells(view, 23, cells, 10 * view:word(4)) then
    return "implausible"
  end
  view:read(JK.BALANCER, 0, 0, #view.text)
  view:read(JK.DISPLAY_CELLS, 23, 0, 2 * cells)
  return "reply"
end

local JK_BY_ROW = {
  jk_tlv,
  jk02,
  jk02_command,
  function(view)
    view:set("register", view:word(2), 2, 2)
    return "ack"
  end,
  jk_order,
  function(view)
    view:set("register", view:word(2), 2, 2)
    view:set("wanted", 2 * view:word(4), 4, 2)
    return "read"
  end,
  jk_registers,
  function(view)
    view:set("register", view:byte(2), 2, 1)
    return "error"
  end,
  jk_display,
  jk_pb,
  jk_pb_cells,
  jk_balancer,
  function() return "read" end,
}

function SHOW.jk(view)
  local shown = JK_BY_ROW[view.row]
  return shown and shown(view) or "paint"
end
