-- The client of EST. Source: RFC 7030 sections 3.2.2, 4.1.3, 4.2.3; RFC 8951.
local est = require "peal.est"
local url = require "peal.url"

-- 2026-11-22 10:15:30 UTC
local NOW <const> = 1795342530

local function service(text)
  return est.service(assert(url.parse(text, nil, { any_path = true })))
end

describe("the URL of an EST service", function()
  local CASES <const> = {
    ["https://est.example.net"] = "https://est.example.net/.well-known/est",
    ["https://est.example.net/"] = "https://est.example.net/.well-known/est",
    ["https://est.example.net/lab"] =
      "https://est.example.net/.well-known/est/lab",
    ["https://u:p@est.example.net:8443/Lab-2_a.~%20/"] =
      "https://est.example.net:8443/.well-known/est/Lab-2_a.~%20",
  }
  for text, base in pairs(CASES) do
    it("has the operations in their place: " .. text, function()
      local at = service(text)
      assert.are.equal(base .. "/cacerts", url.format(at("cacerts")))
      assert.are.equal(base .. "/simplereenroll",
        url.format(at("simplereenroll")))
      assert.is_nil(at("cacerts").password)
    end)
  end

  for _, path in ipairs { "/a/b", "/.well-known/est", "/a?b", "/cacerts",
    "/simplereenroll", "/.", "/.." } do
    it("has one label at most, and no operation: " .. path, function()
      local at, failed = service("https://est.example.net" .. path)
      assert.is_nil(at)
      assert.are.equal("bad-url", failed.word)
      assert.matches("https://host", failed.sentence)
    end)
  end
end)

describe("Retry-After", function()
  local CASES <const> = { { "120", 120 }, { " 61 ", 61 }, { "0", 60 },
    { "59", 60 }, { "86400", 86400 }, { "999999999999", 86400 },
    { "Sun, 22 Nov 2026 10:25:30 GMT", 600 },
    { "Sun, 22 Nov 2026 09:00:00 GMT", 60 },
    { "Wed, 25 Nov 2026 10:15:30 GMT", 86400 },
    { nil, 3600 }, { "", 3600 }, { "soon", 3600 }, { "-5", 3600 },
    { "Sun, 22 Nev 2026 10:25:30 GMT", 3600 } }
  for i = 1, 14 do
    local text, seconds = CASES[i][1], CASES[i][2]
    it(("asks for %d s: %s"):format(seconds, text), function()
      assert.are.equal(seconds, est.wait(text, NOW))
    end)
  end
end)
