--- Alias maps: which elements of a foreign XML file are which parameters.
--
--     /CPE/SIP-Credentials/name = /flat-profile/Display_Name_1_ ;
--
-- Source: Small Business IP telephony devices provisioning guide, "Parameter
-- aliases"; MPP provisioning guide, option --alias.
local alias = {}

local match, find = string.match, string.find

local ENTRY_MAX <const> = 30   -- from the guide
local DEPTH_MAX <const> = 64   -- as deep as a profile may nest
local TEXT_MAX <const> = 8192  -- the longest parameter value

-- An element name; bytes above 7f are taken as letters.
local ELEMENT <const> = "^[A-Za-z_:\128-\255][A-Za-z0-9_.:\128-\255-]*$"
local TARGET <const> = "^flat%-profile/([A-Za-z][A-Za-z0-9_.-]*)$"

-- "/a/b" with free blanks: {"a", "b"}.
local function path_of(text)
  local names = {}
  if not find(text, "^[ \t\r\n]*/") then
    return nil
  end
  for piece in text:gmatch("/([^/]*)") do
    local name = match(piece, "^[ \t\r\n]*([^ \t\r\n]+)[ \t\r\n]*$")
    if not name or not find(name, ELEMENT) or #names == DEPTH_MAX then
      return nil
    end
    names[#names + 1] = name
  end
  return names
end

local function entry_of(text)
  local left, right = match(text, "^([^=]*)=([^=]*)$")
  local path = left and path_of(left)
  local target = right and path_of(right)
  local name = target and match(table.concat(target, "/"), TARGET)
  return path and name and { path = path, name = name }
end

--- Reads a map. It is not macro-expanded.
-- @tparam string text
-- @treturn table entries in order: path (element names, outermost first) and
--   name (a parameter). The longest path that fits an element wins, then the
--   first in the map.
-- @treturn table warnings, sentences. Entries that are malformed or beyond
--   the 30th are dropped; malformed ones count (our choice).
function alias.parse(text)
  local map, warnings, count = {}, {}, 0
  if #text > TEXT_MAX then
    return map, { ("Alias map longer than %d bytes"):format(TEXT_MAX) }
  end
  for piece in (text .. ";"):gmatch("([^;]*);") do
    if find(piece, "[^ \t\r\n]") then
      count = count + 1
      if count <= ENTRY_MAX then
        local entry = entry_of(piece)
        if entry then
          map[#map + 1] = entry
        else
          warnings[#warnings + 1] =
            ("Alias entry %d is malformed"):format(count)
        end
      end
    end
  end
  if count > ENTRY_MAX then
    warnings[#warnings + 1] = ("Alias entries past %d are dropped: %d")
      :format(ENTRY_MAX, count - ENTRY_MAX)
  end
  return map, warnings
end

return alias
