--- A profile's text as somebody who hides its secrets looks at it: element by
-- element, however broken it is, and rather too much than too little.
local profile_text = {}

local ENTITIES <const> = { lt = "<", gt = ">", amp = "&", quot = '"',
  apos = "'" }

-- A reference to a character that there is; else it stays.
local function character(base)
  return function(digits)
    local n = #digits <= 8 and tonumber(digits, base)
    return n and n <= 0x10FFFF and utf8.char(n) or nil
  end
end

--- Text with its references replaced.
function profile_text.unescaped(text)
  return (text:gsub("&#x(%x+);", character(16)):gsub("&#(%d+);",
    character(10)):gsub("&(%a+);", ENTITIES))
end

-- Behind the ">" of a start tag; those in quotes are none.
local function tag_end(text, at)
  while true do
    local from, to, c = text:find("([\"'>])", at)
    if not from then return #text + 1 end
    if c == ">" then return to + 1 end
    at = (text:find(c, to + 1, true) or #text) + 1
  end
end

-- Up to the end tag, or to the end of a text that is cut off. Tags in CDATA
-- and in comments are none.
local function value_end(text, at)
  while true do
    local from = text:find("<", at, true)
    if not from then return #text end
    if text:find("^<!%[CDATA%[", from) then
      at = (select(2, text:find("]]>", from, true)) or #text) + 1
    elseif text:find("^<!%-%-", from) then
      at = (select(2, text:find("-->", from + 4, true)) or #text) + 1
    else
      return from - 1
    end
  end
end

local function plain(text)
  return text:gsub("<!%-%-.-%-%->", ""):gsub("<!%[CDATA%[(.-)%]%]>", "%1")
    :gsub("<!%[CDATA%[", "")
end

--- Elements and attributes, each with its value as it stands and as it is
-- meant: fn(name, raw, meant).
function profile_text.each(text, fn)
  for name, at in text:gmatch("<([%w_.:-]+)()") do
    local from = tag_end(text, at)
    for attribute, _, value in text:sub(at, from - 1):gmatch(
      "([%w_.:-]+)%s*=%s*([\"'])(.-)%2") do
      fn(attribute, value, profile_text.unescaped(value))
    end
    local raw = text:sub(from, value_end(text, from))
    fn(name, raw, profile_text.unescaped((plain(raw))))
  end
end

--- The same text with blanks for what comments say; lines stay lines.
function profile_text.without_comments(text)
  local function blank(words) return (words:gsub("[^\r\n]", " ")) end
  local function between(open, words, close)
    return open .. blank(words) .. close
  end
  text = text:gsub("(<!%-%-)(.-)(%-%->)", between)
  -- one that is cut off
  local at = text:find("<!%-%-[^>]*$")
  return at and text:sub(1, at + 3) .. blank(text:sub(at + 4)) or text
end

return profile_text
