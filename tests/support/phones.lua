--- Phones that the program resyncs from real servers: a folder each, with a
-- phone file and a store.
--
--   local p <close> = phones.new { params = { Profile_Rule = "..." } }
--   local r = p:resync()            the program's exit code and what it said
--   p:param("GPP_A")
local assert = require "luassert"
local json = require "peal.json"
local process = require "support.process"
local program = require "support.program"
local secrets = require "support.secrets"
local servers = require "support.servers"

local phones = {}
local meta = {}
meta.__index = meta

local IDENTITY <const> = { PN = "CP-8841-3PCC", PSN = "8841-3PCC",
  MAC = "000e08abcdef", SN = "88012BA01234",
  SWVER = "sip88xx.11-3-1MPP-234", HWVER = "2.0.1", IP = "192.168.1.100" }

-- A Lua table as text; keys in order.
local function source(value, indent)
  if type(value) ~= "table" then return ("%q"):format(value) end
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  local lines = {}
  for i, key in ipairs(keys) do
    lines[i] = ("%s  [%q] = %s,\n"):format(indent, key,
      source(value[key], indent .. "  "))
  end
  return "{\n" .. table.concat(lines) .. indent .. "}"
end

function phones.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

--- A phone. Fields are those of phone files; identity, params and trust are
-- laid over what a CP-8841 has. GPP_A is "before".
function phones.new(o)
  local file = { identity = {}, params = { GPP_A = "before" } }
  for key, value in pairs(o or {}) do
    file[key] = file[key] or value
  end
  for key, value in pairs(IDENTITY) do file.identity[key] = value end
  for _, key in ipairs { "identity", "params" } do
    for name, value in pairs(o and o[key] or {}) do file[key][name] = value end
  end
  file.params = secrets.plant(file.params)
  local dir = process.temp_dir()
  local p = setmetatable({ dir = dir, file = dir .. "/phone.lua",
    store = dir .. "/store" }, meta)
  phones.write(p.file, "return " .. source(file, "") .. "\n")
  -- the store begins with the file's parameters
  local made = p:run("set", "Device_Config_Version=1")
  assert(made.code == 0, made.err)
  return p
end

--- Any command for this phone.
function meta:run(...)
  local arguments = table.pack(...)
  local last = arguments[arguments.n]
  local options = type(last) == "table" and table.remove(arguments) or nil
  for _, word in ipairs { "--phone", self.file, "--store", self.store } do
    arguments[#arguments + 1] = word
  end
  arguments[#arguments + 1] = options
  return program.peal(table.unpack(arguments))
end

--- peal resync --json. rule: a text, or nil for A to D; `options` go to the
-- program ({ env =, set = { "Name=value" } }).
-- @return code, err, out; json decoded, `last` the last rule's result
function meta:resync(rule, options)
  options = options or {}
  local arguments = { "resync", rule, "--json" }
  if not rule then arguments = { "resync", "--json" } end
  for _, text in ipairs(options.set or {}) do
    table.move({ "--set", text }, 1, 2, #arguments + 1, arguments)
  end
  arguments[#arguments + 1] = { env = options.env }
  local r = self:run(table.unpack(arguments))
  r.json = r.out:find("^{") and json.decode(r.out) or { rules = {} }
  r.last = r.json.rules[#r.json.rules] or {}
  return r
end

--- Values of all parameters by name; secrets as fingerprints.
function meta:params()
  local r = self:run("params", "--json")
  assert.equal(0, r.code, r.err)
  local values = {}
  for _, about in ipairs(json.decode(r.out)) do
    values[about.name] = about.value
  end
  return values
end

function meta:param(name)
  local r = self:run("get", name)
  assert.equal(0, r.code, r.err)
  return (r.out:gsub("\n$", ""))
end

function meta:explain(name)
  local r = self:run("explain", name, "--json")
  assert.equal(0, r.code, r.err)
  return json.decode(r.out)
end

function meta:close()
  if self.dir then process.remove(self.dir) end
  self.dir = nil
end

meta.__close = meta.close
meta.__gc = meta.close

--- A resync that has to succeed.
function phones.succeeds(p, rule, options)
  local r = p:resync(rule, options)
  assert.equal(0, r.code, r.err)
  assert.equal("success", r.json.outcome)
  return r
end

-- What a failure leaves as it was: every byte of the store, but a certificate
-- that failed a check is listed there.
local function state_of(p, want)
  if want.word and want.word:find("^c%.") then return p:params() end
  return program.snapshot(p.store)
end

--- A resync that has to fail: exit code 1, one sentence with its word and
-- what to do, and nothing else changed. Of `want`:
--   word, err ($ERR), cause (text of status pages), class, status
--   says   a pattern, or a list, that the sentence and advice hold
function phones.fails(p, rule, want, options)
  local before = state_of(p, want)
  local r = p:resync(rule, options)
  assert.equal(1, r.code, r.out .. r.err)
  assert.same(before, state_of(p, want))
  local sentence, advice = r.err:match("^peal: ([^\n]+)\n      ([^\n]+)\n$")
  sentence = sentence or r.err:match("^peal: ([^\n]+)\n$")
  assert.is_string(sentence, "not one sentence: " .. r.err)
  assert.equal("failure", r.last.outcome)
  if want.word then
    assert.equal(want.word, sentence:match("%[([^%[%]]+)%]$"), sentence)
    assert.equal(want.word, r.last.word)
  end
  for _, key in ipairs { "err", "cause", "class", "status" } do
    if want[key] then
      assert.equal(want[key], r.last[key], key .. " of: " .. sentence)
    end
  end
  local says = type(want.says) == "table" and want.says or { want.says }
  for _, pattern in ipairs(says) do
    assert.matches(pattern, sentence .. "\n" .. (advice or ""))
  end
  return r
end

--- Marks the test as skipped where a server is not installed.
function phones.need(...)
  for _, name in ipairs { ... } do
    local path, reason = servers.find(name)
    if not path then
      pending(reason) -- luacheck: ignore
      return false
    end
  end
  return true
end

--- A flat profile of these values.
function phones.profile(values)
  local names, parts = {}, {}
  for name in pairs(values) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    parts[i] = ("<%s>%s</%s>\n"):format(name, values[name], name)
  end
  return "<flat-profile>\n" .. table.concat(parts) .. "</flat-profile>\n"
end

return phones
