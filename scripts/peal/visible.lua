--- Texts of strangers as a terminal or a log may show them: references to
-- secrets as ********, control characters by their numbers, of bounded length.
local secret = require "peal.secret"

local visible = {}

--- Longest line, bytes (our choice).
visible.limit = 500

-- The first `max` bytes, no character halved.
local function cut(text, max)
  if #text <= max then return text end
  local at = max
  while at > max - 4 and text:byte(at + 1) & 0xC0 == 0x80 do at = at - 1 end
  return text:sub(1, at) .. "…"
end

local NAMES <const> = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function number(c)
  return NAMES[c] or ("\\x%02x"):format(c:byte())
end

-- U+0080 to U+009F start sequences on a terminal, as ESC does; so may their
-- bytes where a terminal is not set to UTF-8.
local function escape(text, controls)
  text = secret.mask(text):gsub(controls, number)
  if not utf8.len(text) then return (text:gsub("[\x80-\xff]", number)) end
  return (text:gsub("\xC2([\x80-\x9F])", number))
end

--- `text` as one line.
function visible.line(text, max)
  return escape(cut(text, max or visible.limit), "[\0-\31\127]")
end

--- `text` with its own line ends and tabs.
function visible.text(text, max)
  return escape(cut(text, max), "[\0-\8\11\12\14-\31\127]")
end

return visible
