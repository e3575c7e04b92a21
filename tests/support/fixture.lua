--- The phone that the specs of the classic rule language speak about.
local fixture = {}

local function copy(from, changes)
  local to = {}
  for key, value in pairs(from) do
    to[key] = value
  end
  for key, value in pairs(changes or {}) do
    to[key] = value
  end
  return to
end

fixture.identity = {
  PN = "CP-8841-3PCC",
  MAC = "000e08abcdef",
  SN = "88012BA01234",
  SWVER = "sip88xx.11-3-1MPP-234",
  HWVER = "2.0.1",
  IP = "192.168.1.100",
  EXTIP = "66.43.16.52",
  CCERT = "Installed",
}

fixture.state = { PRVST = 1, PRVTMR = 900, UPGTMR = 4000, REGTMR1 = 0 }

fixture.params = {
  GPP_A = "ABCDEF",
  GPP_B = "Dj6Lmp23Q",
  GPP_C = "",
  GPP_D = "$MA",
  GPP_E = "x | http://evil/",
  GPP_SA = "MyUserID",
  GPP_SB = 'My "Secret" Pass',
  GPP_SC = "k3y",
  User_ID_1_ = '1001" eq "',
}

--- A context for macro.variables(); `changes` has identity, state, params
-- (each laid over the phone's own) and any other field.
function fixture.phone(changes)
  changes = changes or {}
  local params = copy(fixture.params, changes.params)
  local ctx = copy(changes)
  ctx.identity = copy(fixture.identity, changes.identity)
  ctx.state = copy(fixture.state, changes.state)
  ctx.param = function(name)
    return params[name]
  end
  return ctx
end

--- Calls `try(text)` with random text: bytes, and pieces of `words`.
-- The seed is fixed; the first failure names the text.
function fixture.fuzz(words, try)
  math.randomseed(20261122)
  for _ = 1, 2000 do
    local parts = {}
    for i = 1, math.random(0, 24) do
      parts[i] = math.random(4) == 1 and string.char(math.random(0, 255))
        or words[math.random(#words)]
    end
    local text = table.concat(parts)
    local ok, message = pcall(try, text)
    if not ok then
      error(("%q: %s"):format(text, message), 0)
    end
  end
end

return fixture
