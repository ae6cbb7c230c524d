
-- Daly: protocols/daly.py, with what stands where in daly_map.py ----------------------------------

local DALY_D2, DALY_ASKED, DALY_ANSWERING, DALY_BOARDS = 0xD2, 0x81, 0x51, 2

local function daly_drop_impossible(view, cells)
  for _, limit in ipairs(DALY_LIMITS) do
    local value = view:value(limit[1])
    if value and (value < limit[2] or value > limit[3]) then
      view:drop(limit[1])
    end
  end
  local mv = view:value("pack_mv")
  if mv and cells > 0 and (mv < 1000 * cells or mv > 5000 * cells) then
    view:drop("pack_mv")
  end
end

-- Cells and temperatures come in sets, and another frame tells how many there are: here they are
-- shown as they stand, without what is 0.
local function daly_a5_list(view, command)
  local number = view:byte(4)
  if command == 0x95 and number >= 1 then
    for place = 0, 2 do
      if view:word(5 + 2 * place) > 0 then
        view:set_one_of("cell_mv", 3 * number - 3 + place, view:word(5 + 2 * place), 5 + 2 * place, 2)
      end
    end
  elseif command == 0x96 and number >= 1 then
    for place = 0, 6 do
      if view:byte(5 + place) > 0 then
        local dc = view:byte(5 + place) * 10 - 400
        view:set_one_of("temp_dc", 7 * number - 7 + place, dc, 5 + place, 1)
      end
    end
  end
end

local function daly_a5(view)
  local address, command = view:byte(1), view:byte(2)
  local is_read = command >= 0x90 and command <= 0x98 or command >= 0x50 and command <= 0x6F
  local is_write = command < 0x50 or command == 0xD9 or command == 0xDA
  view:set("address", address, 1, 1)
  view:set("command", command, 2, 1)
  if address >= 0x20 then
    return is_read and "read" or is_write and "write" or "unknown"
  elseif address < 1 or address > 0x10 then
    return "unknown"
  elseif is_read and address <= DALY_BOARDS then
    if command == 0x95 or command == 0x96 then
      daly_a5_list(view, command)
    else
      view:read(TABLES.daly.A5, 4, 8 * command, 8)
      daly_drop_impossible(view, 0)
    end
  end
  return is_read and "reply" or is_write and "ack" or "unknown"
end

local function daly_order(view, first)
  local is_board = first < DALY_ASKED
  local command = view:byte(1)
  view:set("address", first, 0, 1)
  view:set("command", command, 1, 1)
  view:set("register", view:word(2), 2, 2)
  if command == 3 then
    view:set("wanted", 2 * view:word(4), 4, 2)
    return "read"
  elseif command == 0x06 or command == 0x10 then
    return is_board and "ack" or "write"
  end
  return "unknown"
end

local function daly_fits(view, places)
  for _, one in ipairs(places) do
    local value = view:word(3 + one[1])
    if value < one[2] or value > one[3] then
      return false
    end
  end
  return true
end

-- First register of a reply: as it was asked for, else as its length has it, else nil.
local function daly_start(view, first, size)
  local asked = view.asked
  if asked and #asked == 8 and asked:byte(2) == 3 and asked:byte(1) ~= 0xA5 then
    local answerer = asked:byte(1) == DALY_D2 and DALY_D2
      or asked:byte(1) - (asked:byte(1) < DALY_ASKED and 0 or DALY_ASKED - DALY_ANSWERING)
    if answerer == first and 2 * number(asked, 4, ">H") == size then
      return number(asked, 2, ">H")
    end
  end
  local family = first == DALY_D2 and DALY_D2 or DALY_ANSWERING
  for _, guess in ipairs(DALY_GUESSES) do
    if guess[1] == family and guess[2] == size and daly_fits(view, guess[4]) then
      return guess[3]
    end
  end
end

-- What the frame, which begins at byte address `start`, has of addresses `from` to `to`.
local function daly_take(view, name, start, size, from, to, cells)
  from, to = math.max(from, start), math.min(to, start + size)
  if from < to then
    view:read(TABLES.daly[name], 3 + from - start, from, to - from)
  end
  daly_drop_impossible(view, cells)
end

local function daly_block(view, first)
  local size = #view.text - 5
  local register = daly_start(view, first, size)
  view:set("address", first, 0, 1)
  if not register then
    return "unknown"
  end
  view:set("register", register, 2, 1)
  if first ~= DALY_D2 and first - DALY_ANSWERING >= DALY_BOARDS then
    return "reply"
  end
  local start, is_d2 = 2 * register, first == DALY_D2
  local name, temps, counts = is_d2 and "D2" or "H81", is_d2 and 0x40 or 0x60, is_d2 and 0x62 or 0x78
  local cells, probes = 0, 0
  if start <= counts and counts + 4 <= start + size then
    local said, others = view:word(3 + counts - start), view:word(5 + counts - start)
    if said >= 1 and said <= 48 and others <= 21 then
      cells, probes = said, others
    end
  end
  daly_take(view, name, start, size, temps + 16, start + size, cells)
  daly_take(view, name, start, size, temps, temps + 2 * math.min(probes, 8), cells)
  local last = 2 * math.min(cells, MAX_CELLS)
  for at = 0, math.min(last - start, size) - 2, 2 do
    if view:word(3 + at) == 0 then
      return "reply" -- a cell at 0 V must be there twice
    end
  end
  if start < last then
    daly_take(view, name, start, size, 0, last, cells)
  end
  return "reply"
end

function SHOW.daly(view)
  local first = view:byte(0)
  if first == 0xA5 then
    return daly_a5(view)
  elseif #view.text == 8 then
    return daly_order(view, first)
  end
  return daly_block(view, first)
end
