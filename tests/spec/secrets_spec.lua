-- The search for planted secrets at the end of tests/run finds what it should.
local base64 = require "peal.base64"
local process = require "support.process"
local program = require "support.program"
local secrets = require "support.secrets"

local SECRET <const> = secrets.planted.Password_9_

-- Runs a chunk in a process of its own whose outputs are kept in `folder`,
-- then the search.
local function scan(chunk, ...)
  local folder = process.temp_dir()
  finally(function() process.remove(folder) end)
  process.mkdir(folder .. "/outputs")
  local script = assert(io.open(folder .. "/x_spec.lua", "w"))
  script:write(chunk)
  script:close()
  local interpreter = arg[-1] or program.path:gsub("/peal$", "/tests/peal-lua")
  local ran = program.run({ interpreter, folder .. "/x_spec.lua" },
    { cwd = program.root, env = { PEAL_OUTPUTS = folder .. "/outputs" },
      reveals = "the search is tried out" })
  assert.are.equal(0, ran.code, ran.err)
  return program.run({ "lua5.4", "tests/support/scan_secrets.lua",
    folder .. "/outputs", ... }, { cwd = program.root,
    reveals = "the search is tried out" })
end

local function keep(text, reveals)
  return ([[
package.path = "./scripts/?.lua;./tests/?.lua;" .. package.path
local outputs = require "support.outputs"
outputs.keep("peal params --json", "stdout", %q, %s)
]]):format(text, reveals and ("%q"):format(reveals) or "nil")
end

describe("the search for secrets", function()
  it("finds a planted one, and names place, program line and secret",
    function()
      local got = scan(keep("GPP_A is " .. SECRET .. ".\n"))
      assert.are.equal(1, got.code)
      assert.is_truthy(got.out:find("x_spec.lua:3: stdout of `peal params "
        .. '--json` holds the secret "Password_9_"', 1, true), got.out)
    end)

  it("finds nothing where nothing is", function()
    local got = scan(keep("Password_9_ is #3fa9c1d2\n"))
    assert.are.equal(0, got.code, got.out)
    assert.is_truthy(got.out:find("^1 outputs, 25 bytes: 0 secrets found"))
  end)

  it("lets an output that is marked show one, and gives the reason", function()
    local got = scan(keep(SECRET, "who has the key may read it"))
    assert.are.equal(0, got.code, got.out)
    assert.is_truthy(got.out:find("because who has the key may read it", 1,
      true))
  end)

  it("reads the logs of the steps as well", function()
    local log = os.tmpname()
    finally(function() os.remove(log) end)
    local file = assert(io.open(log, "w"))
    file:write("a step said ", SECRET, "\n")
    file:close()
    local got = scan(keep "nothing", log)
    assert.are.equal(1, got.code)
    assert.is_truthy(got.out:find(log, 1, true))
  end)

  it("fails where nothing was kept: that search would find nothing ever",
    function()
      assert.are.equal(1, scan("").code)
    end)

  for _, row in ipairs {
    { "as it is", 'My "Secret" Pass' },
    { "in JSON", 'My \\"Secret\\" Pass' },
    { "in XML", "My &quot;Secret&quot; Pass" },
    { "in a URL", "My%20%22Secret%22%20Pass" },
    { "in hex", "4d79202253656372657422205061737" .. "3" },
    { "in Base64", base64.encode 'My "Secret" Pass' },
    { "in Base64 behind a name", base64.encode 'u:My "Secret" Pass' },
    { "in Base64 behind another", base64.encode 'me:My "Secret" Pass' },
  } do
    it("knows a secret " .. row[1], function()
      local found = secrets.find("x " .. row[2] .. " y")
      assert.are.equal("GPP_SB of the fixture", found[1] and found[1].name)
    end)
  end

  it("plants secrets where a test has none", function()
    local values = secrets.plant { GPP_SD = "mine" }
    assert.are.equal("mine", values.GPP_SD)
    assert.are.equal(SECRET, values.Password_9_)
  end)
end)
