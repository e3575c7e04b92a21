--- Base64, as mail and certificates write it.
-- Source: RFC 4648 section 4; line breaks and blanks are skipped.
local base64 = {}

local LETTERS <const> = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
  .. "abcdefghijklmnopqrstuvwxyz0123456789+/"
local LINE <const> = 64

local letter, value = {}, {}
for i = 1, 64 do
  letter[i - 1], value[LETTERS:byte(i)] = LETTERS:sub(i, i), i - 1
end

local function quad(bytes, at)
  local a, b, c = bytes:byte(at, at + 2)
  local n = a << 16 | (b or 0) << 8 | (c or 0)
  return letter[n >> 18] .. letter[n >> 12 & 63]
    .. (b and letter[n >> 6 & 63] or "=") .. (c and letter[n & 63] or "=")
end

--- @tparam string bytes
-- @tparam[opt] boolean lines break it into lines of 64 letters
function base64.encode(bytes, lines)
  local out = {}
  for at = 1, #bytes, 3 do
    out[#out + 1] = quad(bytes, at)
    if lines and (#out * 4 % LINE == 0 or at + 3 > #bytes) then
      out[#out] = out[#out] .. "\n"
    end
  end
  return table.concat(out)
end

local function bad()
  return nil, "no base64 text", "corrupt"
end

--- @tparam string text
-- @treturn[1] string bytes
-- @return[2] nil, sentence, "corrupt"
function base64.decode(text)
  local plain = text:gsub("[ \t\r\n]", "")
  local body, pads = plain:match("^([A-Za-z0-9+/]*)(=*)$")
  if not body or #plain % 4 ~= 0 or #pads > 2 then return bad() end
  local out = {}
  for at = 1, #body, 4 do
    local n, count = 0, 0
    for i = at, math.min(at + 3, #body) do
      n, count = n << 6 | value[body:byte(i)], count + 1
    end
    n = n << 6 * (4 - count)
    local three = string.char(n >> 16, n >> 8 & 255, n & 255)
    out[#out + 1] = three:sub(1, count - 1)
  end
  return table.concat(out)
end

return base64
