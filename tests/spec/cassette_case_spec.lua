-- A cassette becomes a test case with one command (cassette/case.lua).
local case_of = require "peal.cassette.case"
local cases = require "support.cases"
local cassettes = require "support.cassettes"

local URL <const> = "http://example.com/a.xml"

-- Run the case of a cassette by support/cases.lua, as it is.
local function rerun(c)
  local text = assert(case_of(c))
  local list = assert(load(text, "=case", "t", {}))()
  return list[1], cases.run(list[1]), text
end

describe("the case of a cassette", function()
  local function recorded(more)
    local case = { phone = { params = { Profile_Rule =
      "[--key k3y-of-it] " .. URL, Profile_Rule_B = "(a eq b)? http://x/y",
      Syslog_Server = "192.0.2.9" } }, server = { [URL] = { body =
        "<flat-profile><GPP_A>one</GPP_A></flat-profile>" } } }
    for key, value in pairs(more or {}) do case[key] = value end
    return cassettes.of_case(case)[1]
  end

  for title, more in pairs {
    ["a success"] = { phone = { params = { Profile_Rule = URL } } },
    ["a profile that is none"] = {},
    ["an HTTP error"] = { server = { [URL] = { status = 503 } } },
    ["a timeout"] = { server = { [URL] = { error = "timeout",
      text = "no answer" } } },
    ["a rule file that refuses"] = { rules = { ["trigger.lua"] =
      "return { stage = 'trigger', decide = function() "
      .. "return false, 'not today' end }" } },
  } do
    it("expects what happened: " .. title, function()
      local case, run = rerun(recorded(more))
      local result, want = run.results[1], case.expect
      assert.are.equal(want.outcome, result.outcome)
      assert.are.same(want.requests, cases.requests(run))
      for name, value in pairs(want.params or {}) do
        assert.are.equal(value, run.store:get(name))
      end
      for key, value in pairs(want.failure or {}) do
        assert.are.equal(value, result.failure[key])
      end
      assert.are.equal(want.reason, result.reason)
    end)
  end

  it("has no secret of the cassette", function()
    local _, _, text = rerun(recorded())
    assert.is_nil(text:find("k3y-of-it", 1, true))
    assert.is_truthy(text:find("redacted", 1, true))
  end)

  it("can be made of nearly every case that there is", function()
    local same, other = 0, 0
    cassettes.each_case(function(original)
      local c = cassettes.of_case(original)[1]
      local text = case_of(c)
      local case = text and load(text, "=case", "t", {})()[1]
      local run = case and cases.run(case)
      if run and run.results[1].outcome == case.expect.outcome then
        same = same + 1
      else
        other = other + 1
      end
    end)
    assert.is_true(same >= 9 * other, ("%d of %d"):format(same, same + other))
  end)
end)
