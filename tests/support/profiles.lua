--- Synthetic profiles of any size, the same for the same options.
-- Names come from the registry: lines, general purpose parameters and what the
-- runtime only stores, so that applying one changes nothing about how the
-- phone is provisioned. Values are made up.
local registry = require("peal.registry")

local profiles = {}

local GROUPS <const> = {
  ["Lines"] = true, ["General Purpose Parameters"] = true,
  ["Further Parameters"] = true,
}
local WORDS <const> = {
  "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath",
  "inlet", "jetty", "knoll", "larch", "maple", "north", "ochre", "plain",
}
local PAD_MAX <const> = 4000 -- a value stays under the limit of its type

--- Dice that fall the same way everywhere.
local function dice(seed)
  local state = seed
  return function(n)
    state = (state * 1103515245 + 12345) % 0x80000000
    return (state >> 8) % n + 1
  end
end

local by_type = {
  Bool = function(roll) return roll(2) == 1 and "Yes" or "No" end,
  Choice = function(roll, entry)
    local plain = {}
    for _, choice in ipairs(entry.choices) do
      if not choice:find("=", 1, true) then
        plain[#plain + 1] = choice
      end
    end
    return plain[roll(#plain)]
  end,
  Port = function(roll) return tostring(5000 + roll(999)) end,
  FQDN = function(roll)
    return ("%s%d.example.net"):format(WORDS[roll(#WORDS)], roll(99))
  end,
  DialPlanScript = function(roll)
    return ("(*xx|[2-9]x%s|1xxx[2-9]xxxxxx)"):format(("x"):rep(roll(6)))
  end,
}

local function words(roll)
  return WORDS[roll(#WORDS)] .. " " .. roll(9999)
end

--- All names that may be used, lines of a family side by side.
local function known_names()
  local list = {}
  for _, group in ipairs(registry.groups()) do
    for _, entry in ipairs(GROUPS[group.name] and group or {}) do
      for number = 1, entry.count or 1 do
        list[#list + 1] = {
          name = entry.count and entry.name:gsub("_n_", "_" .. number .. "_")
            or entry.name,
          entry = entry,
        }
      end
    end
  end
  return list
end

--- The wanted number of names: `known` ones spread over the registry, and
-- unknown ones spread among them where it has too few.
local function pick(params)
  local known = known_names()
  local n = math.min(params, #known)
  local list, unknown = {}, 0
  for i = 1, params do
    local here = i * n // params
    if here > (i - 1) * n // params then
      list[i] = known[here * #known // n]
    else
      unknown = unknown + 1
      list[i] = { name = ("Synthetic_Field_%05d"):format(unknown) }
    end
  end
  return list
end

local function escape(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;",
    [">"] = "&gt;" }))
end

local function element(item, value)
  return ('  <%s ua="na">%s</%s>'):format(item.name, escape(value), item.name)
end

local function is_plain_text(item)
  local entry = item.entry
  return not entry or entry.type == "Str" and not entry.secret
    and (not entry.max or entry.max >= PAD_MAX)
end

--- Lengthen values until the lines come to `missing` bytes more.
local function pad(list, missing)
  local wide = {}
  for _, item in ipairs(list) do
    if is_plain_text(item) then
      wide[#wide + 1] = item
    end
  end
  assert(#wide > 0 and missing / #wide <= PAD_MAX,
    "so few parameters cannot be so many bytes")
  for i, item in ipairs(wide) do
    local n = i * missing // #wide - (i - 1) * missing // #wide
    local filler = (" " .. table.concat(WORDS, " ")):rep(n // 96 + 1)
    -- the last byte is no blank, which a phone would cut off
    item.value = item.value .. (n > 0 and filler:sub(1, n - 1) .. "." or "")
  end
end

--- Lines of the document; a repeated parameter is first written with a value
-- that does not last.
local function lines_of(list, options)
  local repeats = math.min(options.repeats or 0, #list)
  local lines = {}
  if options.declaration then
    lines[1] = '<?xml version="1.0" encoding="UTF-8"?>'
  end
  lines[#lines + 1] = "<flat-profile>"
  for i = 1, repeats do
    local item = list[i * #list // repeats]
    lines[#lines + 1] = element(item, item.before)
  end
  for i, item in ipairs(list) do
    if options.comments and i % 50 == 1 then
      lines[#lines + 1] = ("  <!-- part %d -->"):format(i // 50 + 1)
    end
    lines[#lines + 1] = element(item, item.value)
  end
  lines[#lines + 1] = "</flat-profile>"
  local break_ = options.crlf and "\r\n" or "\n"
  return table.concat(lines, break_) .. break_
end

local function value_of(item, roll)
  local entry = item.entry
  local make = entry and by_type[entry.type]
  if make then
    return make(roll, entry)
  end
  local text = words(roll)
  return roll(10) == 1 and text .. " <& co>" or text
end

--- Make a profile.
-- @tparam table options
--   params       number of different parameters (2500)
--   bytes        size of the text, exactly; absent: what it comes to
--   crlf         lines end in CR LF
--   comments     a comment before every fiftieth parameter
--   repeats      so many parameters stand there twice, the last one counts
--   declaration  begin with an XML declaration
--   seed         for other values (1)
-- @treturn string the document
-- @treturn table name -> value, as a phone must hold it afterwards
-- @treturn table name -> value of the names that no registry knows
function profiles.make(options)
  local roll = dice(options.seed or 1)
  local list = pick(options.params or 2500)
  for _, item in ipairs(list) do
    item.before = value_of(item, roll)
    item.value = value_of(item, roll)
  end
  local text = lines_of(list, options)
  if options.bytes then
    assert(options.bytes >= #text, "so many parameters need more bytes")
    pad(list, options.bytes - #text)
    text = lines_of(list, options)
  end
  local expected, unknown = {}, {}
  for _, item in ipairs(list) do
    (item.entry and expected or unknown)[item.name] = item.value
  end
  return text, expected, unknown
end

return profiles
