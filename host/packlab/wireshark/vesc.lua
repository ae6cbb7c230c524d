
-- VESC: protocols/vesc.py -------------------------------------------------------------------------

local VESC_FORWARD, VESC_CAN = 34, 113
local VESC_ALL = 2 ^ 22 - 1
local VESC_UNUSED = 9900 -- raw of a probe that is not there; so is 0

local function vesc_is_read(view, body, size)
  local command = view:byte(body)
  return size == 1 and VESC_READS[command] or size == 5 and (command == 50 or command == 51)
end

-- Fields whose bits are set lie one behind the other, as far as the frame goes.
local function vesc_masked(view, body, size, skip, name)
  local mask = skip == 1 and VESC_ALL or number(view.text, body + 1, ">I")
  local place, offset = body + skip, 1
  for bit, width in ipairs(VESC_WIDTHS[name]) do
    if floor(mask / 2 ^ (bit - 1)) % 2 == 1 then
      if place + width > body + size then
        break
      end
      view:read(TABLES.vesc[name], place, offset, width)
      place = place + width
    end
    offset = offset + width
  end
  local motor_dc = view:value("motor_temp_dc")
  if motor_dc and (motor_dc < -400 or motor_dc > 3000) then
    view:drop("motor_temp_dc")
  end
end

local function vesc_probe(view, place, at)
  local raw = number(view.text, at, ">h")
  local is_there = raw ~= 0 and raw ~= VESC_UNUSED
  view:set_one_of("temp_dc", place, is_there and floor((raw + 5) / 10) or nil, at, 2)
end

-- Bridges that know no state of charge send 0.
local function vesc_hide_no_soc(view, lowest_mv)
  if view:value("soc_pct") == 0 and lowest_mv > 3500 then
    view:drop("soc_pct")
  end
end

local function vesc_bms(view, body, size)
  local cells = size > 25 and view:byte(body + 25) or 0
  local temps_at = 27 + 3 * cells
  if size < temps_at then
    return "unknown"
  end
  local temps = view:byte(body + temps_at - 1)
  local tail_at = temps_at + 2 * temps
  if size < tail_at + 12 then
    return "unknown"
  elseif cells == 0 then
    return "reply"
  end
  view:read(TABLES.vesc.BMS, body, 0, 5)
  local at = number(view.text, body + 13, ">I") ~= 0 and 13 or 9 -- its own current, if it has one
  view:read(TABLES.vesc.BMS, body + at, at, 4)
  view:read(TABLES.vesc.BMS_CELLS, body + 26, 26, 2 * cells)
  local balanced, first = {}, body + 26 + 2 * cells
  for cell = 1, math.min(cells, MAX_CELLS) do
    if view:byte(first + cell - 1) > 0 then
      balanced[#balanced + 1] = cell
    end
  end
  view:set("balance", balanced, first, cells)
  for place = 0, temps - 1 do
    vesc_probe(view, place, body + temps_at + 2 * place)
  end
  view:read(TABLES.vesc.BMS_TAIL, body + tail_at, 0, size - tail_at)
  local lowest = math.huge
  for _, one in ipairs(view.found) do
    lowest = one.slot == "cell_mv" and math.min(lowest, one.value) or lowest
  end
  vesc_hide_no_soc(view, lowest)
  return "reply"
end

-- Behind a version and a name is an identity: never shown as a field.
local function vesc_version(view, body, size)
  local major, minor = view:byte(body + 1), view:byte(body + 2)
  if major < 10 and minor < 100 then
    view:set("firmware", string.format("%d.%02d", major, minor), body + 1, 2)
  end
  local stop = view.text:find("\0", body + 4, true)
  if stop and stop - 1 > body + 3 and stop <= body + size then
    view:set_text("model", body + 3, stop - 1 - body - 3)
  end
  return "reply"
end

-- What a BMS says on the CAN bus. Cells and probes come in several frames; a set that is whole in
-- one is shown.
local function vesc_can(view, body, size)
  if size < 3 or size > 11 then
    return "unknown"
  end
  local command, place = view:byte(body + 2), body + 3
  size = size - 3
  if command == 41 or command == 43 then
    if size >= 4 and view:byte(place) == 0 and view:byte(place + 1) == floor(size / 2) - 1 then
      for at = 0, view:byte(place + 1) - 1 do
        if command == 43 then
          vesc_probe(view, at, place + 2 + 2 * at)
        else
          local mv = number(view.text, place + 2 + 2 * at, ">h")
          view:set_one_of("cell_mv", at, mv, place + 2 + 2 * at, 2)
        end
      end
    end
  elseif command == 39 then
    if size == 8 then
      local skip = number(view.text, place + 4, ">I") ~= 0 and 4 or 0
      view:read(TABLES.vesc.CAN, place + skip, 8 * 39 + skip, 4)
    end
  elseif command ~= 45 then
    view:read(TABLES.vesc.CAN, place, 8 * command, size)
  elseif size == 8 then
    view:read(TABLES.vesc.CAN, place, 8 * 45, 8)
    vesc_hide_no_soc(view, number(view.text, place, ">h"))
  end
  return "bms_can"
end

local function vesc_answer(view, body, size, command)
  if command == 4 and size == 56 then
    view:read(TABLES.vesc.OLD_VALUES, body, 0, size)
  elseif command == 4 and size >= 59 then
    vesc_masked(view, body, size, 1, "VALUES")
  elseif command == 50 and size > 5 then
    vesc_masked(view, body, size, 5, "VALUES")
  elseif command == 47 and size >= 62 then
    vesc_masked(view, body, size, 1, "SETUP")
  elseif command == 51 and size > 5 then
    vesc_masked(view, body, size, 5, "SETUP")
  elseif command == 96 then
    return vesc_bms(view, body, size)
  elseif command == 0 and size > 2 then
    return vesc_version(view, body, size)
  elseif command ~= 62 then
    return "unknown"
  end
  return "reply"
end

function SHOW.vesc(view)
  local body = view.row == 2 and 3 or 2
  local size = #view.text - body - 3
  local command = view:byte(body)
  view:set("command", command, body, 1)
  if vesc_is_read(view, body, size) then
    return "read"
  elseif command == VESC_FORWARD then
    return size > 2 and vesc_is_read(view, body + 2, size - 2) and "read" or "write"
  elseif command == VESC_CAN then
    return vesc_can(view, body, size)
  elseif VESC_WRITES[command] then
    return "write"
  end
  return vesc_answer(view, body, size, command)
end
