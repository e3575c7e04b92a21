-- How a daemon's client writes into a store that a resync writes into, too.
local certificates = require "peal.daemon.certificates"
local methods = require "peal.daemon.methods"

-- A member whose store refuses to begin `times` times: with this word.
local function member_of(times, word)
  local member = { turns = 0, now = function() return { time = 0 } end }
  function member.next_event() member.turns = member.turns + 1 end
  local txn = setmetatable({ changes = function()
    return nil, "it has begun", "begun"
  end }, { __index = function() return function() end end })
  member.store = { revision = function() return 1 end, begin = function()
    if member.turns < times then return nil, "it does not begin", word end
    return txn
  end }
  return member
end

local WAYS <const> = {
  set = function(member)
    return methods.of(member).set({ values = {} }, {})
  end,
  ["cert import"] = function(member)
    return certificates.method("import")(member, {})
  end,
}

local BEGUN <const> = { set = "it has begun",
  ["cert import"] = "pem is no text" }

for name, write in pairs(WAYS) do
  describe("peal " .. name .. " through a daemon", function()
    it("waits while a resync writes", function()
      local member = member_of(3, "bad-state")
      local _, sentence = write(member)
      assert.equal(BEGUN[name], sentence)
      assert.equal(3, member.turns)
    end)

    it("gives up where it does so without end", function()
      local _, sentence, word = write(member_of(math.huge, "bad-state"))
      assert.same({ "a resync is writing all the time", "bad-state" },
        { sentence, word })
    end)

    it("says at once what else is wrong with the store", function()
      local member = member_of(math.huge, "no-space")
      local _, sentence, word = write(member)
      assert.same({ "it does not begin", "no-space" }, { sentence, word })
      assert.equal(0, member.turns)
    end)
  end)
end
