--- What the server was told last: a digest of each value that somebody wrote.
-- Values that nobody wrote are defaults, which a server knows without being
-- told; so the first delta of a phone holds all that was ever set.
local baseline = {}

local NAMESPACE <const> = "report"
local KEY <const> = "told"
local BYTES_MAX <const> = 512 * 1024

-- Keyed by the store: it says nothing of a text that can be guessed. Two
-- fingerprints are 64 bits.
local function digest(store, text)
  return (store:fingerprint("1" .. text) .. store:fingerprint("2" .. text))
    :gsub("#", "")
end

--- Name -> digest of what was told.
function baseline.read(phone)
  local told = {}
  local text = phone.keep:get(NAMESPACE, KEY) or ""
  for name, mark in text:gmatch("([^ \n]+) (%x+)\n") do told[name] = mark end
  return told
end

--- Compare a value with what was told.
-- @treturn boolean it is another one
-- @treturn string|nil its digest, for write(); nil: a default
function baseline.changed(store, told, about)
  local before = told[about.name]
  if about.is_default and not before then return false end
  local mark = digest(store, about.text)
  if about.is_default then return mark ~= before end
  return mark ~= before, mark
end

--- A report has arrived.
-- @param marks list of { name, digest }
function baseline.write(phone, marks)
  local lines = {}
  for i, mark in ipairs(marks) do
    lines[i] = ("%s %s\n"):format(mark[1], mark[2])
  end
  local text = table.concat(lines)
  -- past all reason: then the next delta tells everything once more
  phone.keep:set(NAMESPACE, KEY, #text <= BYTES_MAX and text or nil)
end

return baseline
