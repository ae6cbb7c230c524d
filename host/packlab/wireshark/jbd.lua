
-- JBD: protocols/jbd.py ---------------------------------------------------------------------------

local JBD_READ, JBD_WRITE, JBD_TAIL, JBD_TEMPS = 0xA5, 0x5A, 0x100, 23

local function jbd_is_basic(view, body, size)
  if size < JBD_TEMPS then
    return false
  end
  local tail = size - JBD_TEMPS - 2 * view:byte(body + 22)
  return (tail == 0 or tail >= 9) and view:byte(body + 21) <= 32
end

local function jbd_is_cells(view, body, size, most_mv)
  if size % 2 == 1 or size < 4 or size > 64 then
    return false
  end
  for at = body, body + size - 2, 2 do
    if view:word(at) > most_mv then
      return false
    end
  end
  return true
end

-- The register old firmware answers with A5 in its place: as it was asked, else by the data's shape.
local function jbd_answered(view, body, size)
  local asked = view.asked
  if asked and asked:byte(2) == JBD_READ and (asked:byte(3) > 0 or #asked == 7) then
    return asked:byte(3)
  elseif jbd_is_basic(view, body, size) then
    return 3
  end
  return jbd_is_cells(view, body, size, 5000) and 4 or 5
end

local function jbd_basic(view, body, size)
  local tail = JBD_TEMPS + 2 * view:byte(body + 22)
  local charge = view:byte(body + 20) >= 128 and "CHARGE_X10" or "CHARGE"
  for _, name in ipairs({ charge, "BASIC" }) do
    view:read(TABLES.jbd[name], body, 0, tail)
    view:read(TABLES.jbd[name], body + tail, JBD_TAIL, size - tail)
  end
end

function SHOW.jbd(view)
  local first, second = view:byte(1), view:byte(2)
  local body, size = 4, #view.text - 7
  if first == JBD_WRITE then
    view:set("register", second, 2, 1)
    return "write"
  elseif first == JBD_READ and (second > 0 or size == 0) then
    view:set("register", second, 2, 1)
    return "read"
  end
  local register = first == JBD_READ and jbd_answered(view, body, size) or first
  view:set("register", register, 1, 1)
  if second > 0 or size == 0 then
    return "ack"
  elseif register == 3 and jbd_is_basic(view, body, size) then
    jbd_basic(view, body, size)
  elseif register == 4 and jbd_is_cells(view, body, size, 0x2020) then
    view:read(TABLES.jbd.CELLS, body, 0, size)
  elseif register == 5 and not view.text:sub(body + 1, body + size):find("[^\x20-\x7e]") then
    view:set_text("model", body, size)
  elseif register == 0xAA and (size == 22 or size == 24) then
    view:read(TABLES.jbd.COUNTERS, body, 0, size)
  elseif register >= 3 and register <= 5 or register == 0xAA then
    return "unknown"
  end
  return "reply"
end
