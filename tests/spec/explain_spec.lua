-- What peal explain says, compared with tests/golden/explain: each was read
-- before it was put there. GOLDEN=write makes them anew, to be read again.
local json = require "peal.json"
local situations = require "support.situations"

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
end)
