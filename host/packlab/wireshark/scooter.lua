
-- Xiaomi and Ninebot: protocols/xiaomi.py, protocols/ninebot.py, protocols/dash.py ----------------

local function dash(view, body, size, kind, command)
  local function show(slot, place, value)
    view:set(slot, value or view:byte(place), place, 1)
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
      show("speed_mh", body + 4, view:byte(body + 4) * 1000)
      show("error_code", body + 5)
    end
  end
end

local function scooter(view, family)
  local source = family == "ninebot" and view:byte(3)
  local at = source and 4 or 3 -- of the address
  local address, command, register = view:byte(at), view:byte(at + 1), view:byte(at + 2)
  local body, size = at + 3, #view.text - at - 5
  local kinds = KINDS[family][source and source * 256 + address or address]
    or KINDS[family][source and source * 256 + OTHER] or KINDS[family][OTHER * 256 + address]
    or KINDS[family][OTHER * 256 + OTHER]
  local kind = kinds and kinds[command] or "unknown"
  if source then
    view:set("source", source, 3, 1)
  end
  view:set("address", address, at, 1)
  view:set("command", command, at + 1, 1)
  view:set("register", register, at + 2, 1)
  if (kind == "read" or kind == "dash_input" and command == 0x61) and size > 0 then
    view:set("wanted", view:byte(body), body, 1)
  end
  if kind == "reply" then
    for _, name in ipairs(READERS[family][source or address] or {}) do
      view:read(TABLES[family][name], body, 2 * register, size)
    end
    view:without_spare_cells()
  end
  dash(view, body, size, kind, command)
  return kind
end

function SHOW.xiaomi(view)
  return scooter(view, "xiaomi")
end

function SHOW.ninebot(view)
  return scooter(view, "ninebot")
end
