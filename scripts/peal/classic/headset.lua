--- Headset firmware as rule files speak of it: pure functions of a view.
-- Source: MPP provisioning guide, Cisco_Headset_Upgrade_Rule; which version is
-- later is our choice.
local macro = require "peal.macro"
local url = require "peal.url"

local headset = {}

-- The numbers of "1-6-0-162" or "1.10", as digits without leading zeros.
local function numbers(text)
  local out = {}
  for part in (text .. "-"):gmatch("([^.-]*)[.-]") do
    local digits = part:match("^0*(%d+)$")
    if not digits then return nil end
    out[#out + 1] = digits
  end
  return out
end

-- Numbers of any length.
local function order(a, b)
  if #a ~= #b then return #a < #b and -1 or 1 end
  return a < b and -1 or a > b and 1 or 0
end

--- Compare two versions, part by part as numbers; a missing part is 0.
-- @treturn[1] integer -1, 0 or 1
-- @return[2] nil, sentence, "invalid"
function headset.compare(a, b)
  local left, right = numbers(a), numbers(b)
  if not left or not right then
    return nil, ("no version of a headset: %s"):format(left and b or a),
      "invalid"
  end
  for i = 1, math.max(#left, #right) do
    local way = order(left[i] or "0", right[i] or "0")
    if way ~= 0 then return way end
  end
  return 0
end

--- Is `offer` later than `have`? Never, where either is no version.
function headset.newer(offer, have)
  return headset.compare(offer, have) == 1
end

--- Where the manifest is: what Cisco_Headset_Upgrade_Rule says.
-- @treturn[1] table { action = "fetch", fetch = } or { action = "skip" }
-- @return[2] nil, sentence, word
function headset.manifest(phone)
  local text = phone.param.Cisco_Headset_Upgrade_Rule or ""
  local expanded, sentence, word = macro.expand(text, macro.variables {
    identity = phone.identity, state = phone.state,
    param = function(name) return phone.param[name] end })
  if not expanded then return nil, sentence, word end
  expanded = expanded:match("^%s*(.-)%s*$")
  if expanded == "" then
    return { action = "skip", reason = "Cisco_Headset_Upgrade_Rule is empty" }
  end
  local u
  u, sentence, word = url.parse(expanded)
  if not u then return nil, sentence, word end
  if not u.host then return nil, "No server", "no-server" end
  return { action = "fetch", fetch = { url = u } }
end

--- The offer with the latest firmware for the headset that is attached, if it
-- is later than what the headset has.
-- @treturn[1] integer its place in phone.offers
-- @treturn[2] nil
-- @treturn[2] string why there is none
function headset.offer(phone)
  local best, known
  for i, offer in ipairs(phone.offers) do
    if offer.model == phone.headset.model then
      known = true
      local have = best and phone.offers[best].version
        or phone.headset.version
      if headset.newer(offer.version, have) then best = i end
    end
  end
  if best then return best end
  return nil, known and "the headset's firmware is the latest"
    or ("the manifest does not know headset %s"):format(phone.headset.model)
end

return headset
