--- Rules as people may see them: `[--key ***] http://***@host/path`.
--
-- Works on any text, broken rules too, and then rather hides too much: what
-- follows an option that is not known to be harmless, what stands where a
-- server should, what is assigned to a parameter that keeps a secret.
local parse = require "peal.rule.parse"
local secrets = require "peal.secret"

local find, match, sub, lower = string.find, string.match, string.sub,
  string.lower

-- Options whose argument may be shown.
local SHOWN <const> = {
  uid = true, post = true, put = true, alias = true, srv = true,
  delta = true, status = true,
}

local function hide(ranges, from, to)
  if to >= from then
    ranges[#ranges + 1] = { from, to }
  end
end

-- Last byte of an option's argument: before "]", before a blank and the next
-- option, or the end. Closed quotes are passed over.
local function argument_end(mask, at)
  while true do
    local from = find(mask, '[%]" \t\r\n]', at)
    local c = from and sub(mask, from, from)
    if not from then
      return #mask, #mask + 1
    elseif c == "]" then
      return from - 1, from
    elseif c == '"' then
      at = find(mask, '"', from + 1, true) or #mask
    else
      at = find(mask, "[^ \t\r\n]", from) or #mask + 1
      if find(mask, "^%-%-", at) then
        return from - 1, from
      end
      at = at - 1
    end
    at = at + 1
  end
end

-- Behind "]" stand a URL or two. Words without "/" next to others mean that
-- the bracket belonged to the secret. Returns where the words end.
local function hide_leftover(ranges, mask, close)
  local stop = find(mask, "[|%[]", close + 1) or #mask + 1
  local count, odd = 0, false
  for word in sub(mask, close + 1, stop - 1):gmatch("[^ \t\r\n]+") do
    count = count + 1
    odd = odd or not find(word, "/", 1, true)
  end
  if odd and count > 1 then
    hide(ranges, close + 1, stop - 1)
  end
  return stop
end

-- Typographic dashes, as copied from a guide, count as "-".
local function plain_dashes(mask)
  if find(mask, "\226\128", 1, true) then
    mask = mask:gsub("\226\128[\144-\149]", "---")
  end
  return mask
end

local function hide_options(ranges, mask)
  local at, seen = find(mask, "-", 1, true), 0
  while at do
    local dashes, name, next_at = match(mask, "^(%-+)([A-Za-z_]*)()", at)
    local short = lower(sub(name, 1, 3))
    local secret = short == "key" or short == "pwd"
    if secret then
      next_at = at + #dashes + 3
    end
    local starts = at == 1 or find(mask, "^[ \t\r\n%[]", at - 1)
    if secret and (starts or #dashes > 1)
      or #dashes > 1 and name ~= "" and starts and not SHOWN[name] then
      local from = find(mask, "[^ \t\r\n=]", next_at) or #mask + 1
      local to, stop = argument_end(mask, from)
      hide(ranges, from, to)
      if stop > seen and sub(mask, stop, stop) == "]" then
        seen = hide_leftover(ranges, mask, stop)
      end
      next_at = math.max(stop, next_at)
    end
    at = find(mask, "-", next_at, true)
  end
end

-- Host and port as they should be, macros allowed.
local function clean_authority(text)
  text = text:gsub("%$%([A-Z0-9_:]*%)", "m")
  local rest = match(text, "^%[[%x:.$A-Z\1]*%]?(.*)$")
    or match(text, "^[A-Za-z0-9._$\1-]*(.*)$")
  return rest == "" or find(rest, "^:%d+$") or find(rest, "^:%$[A-Z]+$")
    or find(rest, "^:\1+$")
end

-- Hides user info in the text that begins at `start`, whose server part ends
-- at the first "/"; without "@" the whole server part if it is no such thing.
-- In a path only "x:y@" is hidden: a slash too many makes that of a user.
local function hide_authority(ranges, start, text)
  local last = (find(text, "[/?]") or #text + 1) - 1
  if not clean_authority(sub(text, 1, last)) then
    local at = match(text, "^.*()@")
    hide(ranges, start, start - 1 + (at and at - 1 or last))
    return true
  elseif find(text, "@", 1, true) then
    for from, piece in text:gmatch("()([^/]+)") do
      local at = match(piece, "^[^:@]*:.*()@")
      if at then
        hide(ranges, start + from - 1, start + from + at - 3)
      end
    end
  end
  return false
end

-- A MAC address, perhaps as "mac=00:0e:08:ab:cd:ef,".
local function is_mac(text)
  return find(text, "^[A-Za-z_]*=?" .. ("%x%x:"):rep(5) .. "%x%x[.,;]?$")
end

-- Text without a scheme: "@" or ":" tells that there may be user info.
local function hide_bare(ranges, start, text)
  if find(text, "[@:]") then
    for from, piece in text:gmatch("()([^|%]]+)") do
      if find(piece, "[@:]") and not find(piece, '["?!]')
        and not is_mac(piece) then
        hide_authority(ranges, start + from - 1, piece)
      end
    end
  end
end

-- Text behind "://", up to the next blank or "://".
local function hide_url(ranges, start, text, scheme)
  local code = scheme == "gds" and match(text, "^[0-9][0-9-]*")
  if code then
    hide(ranges, start, start + #code - 1)
  end
  local bar = not hide_authority(ranges, start, text)
    and find(text, "|", 1, true)
  if bar then
    hide_bare(ranges, start + bar, sub(text, bar + 1))
  end
end

local function hide_user_info(ranges, mask)
  for start, word in mask:gmatch("()([^ \t\r\n]+)") do
    local from, scheme = 1, nil
    repeat
      local at, to = find(word, "://", from, true)
      local text = sub(word, from, (at or #word + 1) - 1)
      if scheme then
        hide_url(ranges, start + from - 1, text, scheme)
      else
        hide_bare(ranges, start, text)
      end
      scheme, from = lower(sub(text, -3)), to and to + 1
    until not from
  end
end

local function hide_assigned(ranges, mask, is_secret)
  local at, to = find(mask, '=[ \t\r\n]*"?')
  while at do
    local before = sub(mask, math.max(1, at - 100), at - 1)
    local name = match(before, "[A-Za-z0-9_.-]*[ \t\r\n]*$")
    name = match(name, "[^ \t\r\n]+")
    if name and is_secret(name) then
      local stop = sub(mask, to, to) == '"' and '"' or '[;)" \t\r\n]'
      hide(ranges, to + 1, (find(mask, stop, to + 1) or #mask + 1) - 1)
    end
    at, to = find(mask, '=[ \t\r\n]*"?', to + 1)
  end
end

-- Quotes that do not pair hide all from the first one, or the first "=", on.
local function hide_quoted(ranges, mask)
  local _, count = mask:gsub('"', "")
  if count % 2 == 1 then
    hide(ranges, find(mask, '["=]') + 1, #mask)
    return
  end
  local at = find(mask, '"', 1, true)
  while at do
    local to = find(mask, '"', at + 1, true) or #mask + 1
    hide(ranges, at + 1, to - 1)
    at = find(mask, '"', to + 1, true)
  end
end

-- What stands in brackets, or before one that was never opened.
local function hide_brackets(ranges, mask)
  local open = 0
  local at = find(mask, "[%[%]]")
  while at do
    if sub(mask, at, at) == "]" then
      if not find(mask, "^[%x:.]+%]", open + 1) then
        hide(ranges, open + 1, at - 1)
      end
      open = at
    else
      open = at
    end
    at = find(mask, "[%[%]]", at + 1)
  end
  if open > 0 and sub(mask, open, open) == "[" then
    hide(ranges, open + 1, #mask)
  end
end

-- In a rule that cannot be read nobody knows what is what: nothing is shown
-- of quotes, brackets, and words up to an "@".
local function hide_roughly(ranges, mask)
  hide_quoted(ranges, mask)
  hide_brackets(ranges, mask)
  for start, word in mask:gmatch("()([^ \t\r\n]+)") do
    local at = match(word, "^.*()@")
    if at then
      hide(ranges, start, start + at - 2)
    end
  end
end

local function apply(text, ranges)
  table.sort(ranges, function(a, b) return a[1] < b[1] end)
  local out, at = {}, 1
  for _, range in ipairs(ranges) do
    if range[1] >= at then
      out[#out + 1] = sub(text, at, range[1] - 1)
      out[#out + 1] = "***"
    end
    at = math.max(at, range[2] + 1)
  end
  out[#out + 1] = sub(text, at)
  return table.concat(out)
end

local function texts_of(text, ranges)
  local list = {}
  for i, range in ipairs(ranges) do
    list[i] = sub(text, range[1], range[2])
  end
  return list
end

--- The text with key and password arguments, user info, activation codes and
-- values assigned to secret parameters shown as `***`.
-- @tparam string text a rule, expanded or not, well-formed or not
-- @tparam[opt] string mask from macro.expand()
-- @tparam[opt] function is_secret parameter name -> boolean; without it names
--   are judged by their wording
-- @tparam[opt] boolean broken the rule cannot be read; nil: find out
-- @treturn string
-- @treturn table the texts that are surely secret, in no order
local function redact(text, mask, is_secret, broken)
  if not find(text, '[@:="%[%]-]') then
    return text, {}
  end
  mask = mask or text
  if broken == nil and find(mask, '[@"%[%]]') then
    broken = not parse(text, mask, "any")
  end
  mask = plain_dashes(mask)
  local ranges = {}
  hide_options(ranges, mask)
  hide_user_info(ranges, mask)
  hide_assigned(ranges, mask, is_secret or secrets.sounds_like)
  local found = texts_of(text, ranges)
  if broken then
    hide_roughly(ranges, mask)
  end
  return #ranges > 0 and apply(text, ranges) or text, found
end

return redact
