-- What peal explain says, compared with tests/golden/explain: each was read
-- before it was put there. GOLDEN=write makes them anew, to be read again.
local explain = require "peal.explain"
local json = require "peal.json"
local process = require "support.process"
local registry = require "peal.registry"
local situations = require "support.situations"
local store = require "peal.store"

local FOLDER <const> = "tests/golden/explain/"

local function slurp(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

describe("peal explain", function()
  for _, situation in ipairs(situations.list) do
    it("tells " .. situation.name, function()
      local data, text = situations.play(situation)
      local path = FOLDER .. situation.name .. ".txt"
      text = text .. "\n"
      if os.getenv("GOLDEN") == "write" then write(path, text) end
      assert.equal(slurp(path), text)
      assert.is_table(json.decode(json.encode(data)))
      for _, secret in ipairs { "s3cret", "SecretPhrase" } do
        assert.is_nil((text .. json.encode(data)):find(secret, 1, true))
      end
    end)
  end

  -- It reads a bit of each revision, and there may be hundreds.
  it("lists the revisions once", function()
    local dir = process.temp_dir()
    local st = assert(store.open { schema = assert(registry.load {}),
      path = dir .. "/st" })
    for i = 1, 20 do
      local txn = assert(st:begin())
      txn:source { author = "profile", rule = "Profile_Rule", cycle = i }
      txn:set("GPP_A", "v" .. i)
      txn:set("GPP_B", i < 20 and "v" .. i or "")
      txn:state("trace", "cycle", json.encode { cycle = i, time = i,
        outcome = "success", steps = json.array {} })
      txn:commit("resync", i)
    end
    local lists = 0
    local counted = setmetatable({}, { __index = function(_, name)
      return function(_, ...)
        if name == "revisions" then lists = lists + 1 end
        return st[name](st, ...)
      end
    end })
    for _, look in ipairs {
      function() assert.equal(20, explain.value(counted, "GPP_A").time) end,
      function() assert.is_table(explain.value(counted, "GPP_B")) end,
      function() assert.is_table(explain.value(counted, "GPP_C")) end,
      function() assert.same({}, explain.attempts(counted, "Nothing")) end,
      function() explain.cycle(counted, 3) end,
    } do
      lists = 0
      look()
      assert.equal(1, lists)
    end
    st:close()
    process.remove(dir)
  end)
end)
