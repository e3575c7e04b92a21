-- Each command that looks at a phone, asked for its secrets: what stands in
-- the store, what a profile changes it to, and the key of a rule. (What the
-- other tests happen to print is searched at the end of tests/run.)
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local secrets = require "support.secrets"
local servers = require "support.servers"

local need, profile, write = phones.need, phones.profile, phones.write

local NAMES <const> = { "GPP_SD", "Password_9_", "XML_Password" }
local OLD <const> = secrets.planted
-- Begin like the planted ones, so that the search finds both.
local NEW <const> = {}
for name, text in pairs(OLD) do NEW[name] = text .. "-new" end
local KEY <const> = secrets.known["--key of cases"]

local root, folder, web, rule

local function have_server()
  root, folder = process.temp_dir(), process.temp_dir()
  local encode = require "peal.encode"
  write(root .. "/a.xml", encode.aes(encode.gzip(profile(NEW)), KEY, "md5",
    "12345678"))
  write(folder .. "/server.lua", ("return { ['*'] = %q }"):format(
    profile(NEW)))
  if not servers.find("nginx") then return end
  web = servers.nginx { root = root }
  rule = ("[--key %s] http://127.0.0.1:%d/a.xml"):format(KEY, web.http_port)
end

-- One command says `wanted`, and no secret.
local function silent(p, wanted, ...)
  local words = table.pack(...)
  words[words.n + 1] = { env = { PEAL_PASSPHRASE = "open sesame" } }
  local r = p:run(table.unpack(words))
  local line = table.concat({ ... }, " ")
  local said = r.out .. r.err
  assert.is_truthy(said:find(wanted, 1, true), line .. ": " .. said)
  for _, found in ipairs(secrets.find(said)) do
    error(("%s shows %s: %s"):format(line, found.name, said))
  end
end

-- The same, for people and for programs.
local function each(p, wanted, ...)
  silent(p, wanted, ...)
  local words = table.pack(...)
  words[words.n + 1] = "--json"
  silent(p, wanted, table.unpack(words))
end

local function look(p)
  each(p, "GPP_SD", "params", "--secrets")
  each(p, "Profile_Rule", "params", "Profile_Rule")
  for _, name in ipairs(NAMES) do
    each(p, "#", "get", name)
    each(p, name, "explain", name)
    each(p, "#", "history", name)
    each(p, "#", "-e", "param." .. name)
    each(p, name, "-e", ("why %q"):format(name))
    each(p, "#", "-e", ("phone.param.%s"):format(name))
    each(p, "#", "-e", ("history %q"):format(name))
    silent(p, "#", "-e", ("help %q"):format(name))
    silent(p, "#", "-e", ("print(param.%s)"):format(name))
    silent(p, "#", "-e", ("error(param.%s)"):format(name))
  end
  each(p, "GPP_SD", "-e", 'params "*"')
end

describe("no secret is shown", function()
  setup(have_server)
  teardown(function()
    if web then web:stop() end
    process.remove(root)
    process.remove(folder)
  end)

  it("of what stands in the store", function()
    local p <close> = phones.new {
      params = { Profile_Rule = "[--key " .. KEY .. "] http://h/a.xml" } }
    look(p)
  end)

  it("of what a profile writes, before, while and after it does", function()
    if not need("nginx") then return end
    local p <close> = phones.new { params = { Profile_Rule = rule } }
    local tape = folder .. "/tape"
    each(p, "Password_9_", "plan")
    each(p, "Password_9_", "plan", "-v")
    each(p, "apply", "doctor")
    silent(p, "recorded", "record", "--out", tape)
    silent(p, "Password_9_", "replay", tape)
    each(p, "Profile_Rule", "replay", tape, "-v")
    each(p, "Password_9_", "explain", "--cycle", "last")
    each(p, "Password_9_", "diff", "-1")
    look(p)
    silent(p, "Password_9_", "revert", "1", "--yes")
    silent(p, "Password_9_", "resync", "-v")
    each(p, "Profile_Rule", "history")
  end)

  it("by a simulation", function()
    local p <close> = phones.new {
      params = { Profile_Rule = "http://prov.example.com/a.xml" } }
    local server = folder .. "/server.lua"
    each(p, "Password_9_", "simulate", "--server", server, "--days", "2")
    each(p, "Password_9_", "simulate", "--server", server, "--at", "day 2",
      table.unpack(NAMES))
  end)

  it("where it is asked for in vain: the search would find it", function()
    assert.is_true(#secrets.find(("%s is %s"):format(NAMES[1],
      NEW[NAMES[1]])) > 0)
    assert.is_true(#secrets.find(program.slurp(folder .. "/server.lua")) == 3)
  end)
end)
