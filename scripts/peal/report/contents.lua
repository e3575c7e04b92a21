--- The configuration as a profile: all of it, or what has changed.
-- No secret is in it. A rule or URL with a key or password in it is shown
-- without, and marked preserve-value, so that a report that is applied again
-- changes nothing; so is a value that no profile could have given (our
-- choice).
-- Source: MPP provisioning guide, "Report_Rule", ua, user-pref.
local baseline = require "peal.report.baseline"
local encode = require "peal.encode"
local secret = require "peal.secret"
local shown = require "peal.shown"

local contents = {}

-- Names that can stand in XML; a store may hold others that nobody knows.
local NAME <const> = "^[%a_\128-\255][%w_%.%-\128-\255]*$"

local function is_told(about)
  if about.secret then return false end
  if about.untyped and secret.sounds_like(about.name) then return false end
  return about.name:find(NAME) ~= nil
end

-- Would a profile with this text give this value? Blanks at its ends and line
-- ends are lost, two quotes are the empty text, and XML has no control
-- characters.
local function survives(text)
  return not text:find("^[ \t]") and not text:find("[ \t]$")
    and not text:find("[\0-\8\10-\31]") and text ~= '""'
    and utf8.len(text) ~= nil and not text:find("\xEF\xBF[\xBE\xBF]")
end

local function element(store, about)
  local text = shown.value(store, about)
  return { name = about.name, text = text, ua = about.ua,
    user_pref = about.user_pref, user_modified = about.user_modified,
    preserve = text ~= about.text or not survives(text) }
end

--- The configuration as it is.
--   delta   true: only what differs from what the server was told
-- @treturn[1] string XML; nil for a delta where nothing has changed
-- @treturn[1] table marks for baseline.write(), once it has arrived
-- @treturn[1] integer how many parameters are in it
-- @return[2] nil, nil, sentence, word
function contents.configuration(phone, delta)
  local store, list, marks = phone.world.store, {}, {}
  local told = baseline.read(phone)
  for about in store:each() do
    if is_told(about) then
      local changed, mark = baseline.changed(store, told, about)
      if mark then marks[#marks + 1] = { about.name, mark } end
      if changed or not delta then list[#list + 1] = element(store, about) end
    end
  end
  if #list == 0 and delta then return nil, marks, 0 end
  local xml, sentence, word = encode.profile(list)
  if not xml then return nil, nil, sentence, word end
  return xml, marks, #list
end

return contents
