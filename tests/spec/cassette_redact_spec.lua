-- A cassette for a ticket: no secret of the input stands in it, and it goes
-- the same way (cassette/redact.lua).
local cassette = require "peal.cassette"
local cassettes = require "support.cassettes"
local decode = require "peal.decode"
local encode = require "peal.encode"
local contents = require "peal.cassette.contents"
local play = require "peal.cassette.play"
local redact = require "peal.cassette.redact"

local URL <const> = "http://192.0.2.7/a.xml"

local PROFILE <const> = [[<flat-profile>
<GPP_A>shown</GPP_A><Password_1_>Gehe1m&amp;Mehr</Password_1_>
<Admin_Passwd>another-secret</Admin_Passwd><GPP_SC>register-c</GPP_SC>
<Profile_Rule_B>[--key key-of-b] http://u:user-info@192.0.2.7/b</Profile_Rule_B>
</flat-profile>]]

local SECRETS <const> = { "Gehe1m&Mehr", "Gehe1m&amp;Mehr", "another-secret",
  "register-c", "key-of-b", "user-info", "first-key", "old-password",
  "account-pw", "master-pw", "cookie-value" }

local function recorded(answer, more)
  local case = { phone = { params = { Profile_Rule =
    "[--key first-key] " .. URL, Admin_Passwd = "old-password",
    Syslog_Server = "192.0.2.9" }, identity = { MPWD = "master-pw" },
    account = { user = "me", password = "account-pw" } },
    server = { [URL] = answer, ["*"] = { status = 404 } } }
  for key, value in pairs(more or {}) do case[key] = value end
  local list, run = cassettes.of_case(case)
  return list[1], run.results[1]
end

local function no_secret_in(bytes)
  for _, secret in ipairs(SECRETS) do
    assert.is_nil(bytes:find(secret, 1, true), secret)
  end
end

local function packed(text, key)
  return encode.aes(encode.gzip(text), key, "md5", "12345678")
end

local function names(result)
  local out = {}
  for i, change in ipairs(result.changes) do out[i] = change.name end
  return out
end

describe("a redacted cassette", function()
  local whole, result = recorded { body = packed(PROFILE, "first-key"),
    headers = { ["Set-Cookie"] = "session=cookie-value" } }
  local clean = assert(redact(whole))

  it("holds no secret of the input, in no byte", function()
    local bytes = assert(cassette.save(clean))
    assert.is_truthy(bytes:find("^peal%-cassette 1 clear\n"))
    no_secret_in(bytes)
    no_secret_in((decode.gunzip(bytes:match("^[^\n]*\n(.*)$"), 1 << 24)))
  end)

  it("has the same verdicts and names", function()
    local played = play.resync(assert(cassette.load(cassette.save(clean))))
    assert.is_nil(played.divergence)
    assert.are.equal(result.outcome, played.result.outcome)
    assert.are.same(names(result), names(played.result))
    assert.is_true(#names(result) >= 4)
    for i, done in ipairs(result.rules) do
      assert.are.equal(done.outcome, played.result.rules[i].outcome)
      assert.are.equal(done.word, played.result.rules[i].word)
    end
  end)

  it("shows profiles, by the placeholders in its rule", function()
    local played = play.resync(clean)
    local key = played.store:get("Profile_Rule"):match("%-%-key (%w+)")
    local answer = contents.exchanges(clean)[1].results[1]
    local text = assert(decode.text(answer.body, { key = key }))
    assert.is_truthy(text:find("<GPP_A>shown</GPP_A>", 1, true))
    assert.is_truthy(text:find("<GPP_SC>redacted%d+</GPP_SC>"))
  end)

  it("tells equal secrets from others, still", function()
    local c = recorded { body = packed(PROFILE:gsub("another%-secret",
      "old-password"), "first-key") }
    local played = play.resync(assert(redact(c)))
    for _, name in ipairs(names(played.result)) do
      assert.are_not.equal("Admin_Passwd", name)
    end
  end)

  for title, answer in pairs {
    ["that failed: a wrong key"] = { body = packed(PROFILE, "other-key") },
    ["that failed: no profile"] = { body = "Gehe1m&Mehr" },
    ["that failed: HTTP"] = { status = 503, body = "x" },
    ["that failed: a timeout"] = { error = "timeout", text = "no answer" },
    ["that failed: it ends too early"] =
      { body = packed(PROFILE:sub(1, -9), "first-key") },
  } do
    it("can be made of a resync " .. title, function()
      local c, was = recorded(answer)
      local out = assert(redact(c))
      local played = play.resync(out)
      assert.is_nil(played.divergence)
      assert.are.equal(was.failure.word, played.result.failure.word)
      assert.are.equal(was.failure.err, played.result.failure.err)
    end)
  end

  it("can be made of most cases there are, else it says why not", function()
    local made, refused = 0, 0
    cassettes.each_case(function(case)
      for _, c in ipairs((cassettes.of_case(case))) do
        local out, sentence = redact(c)
        if out then
          made = made + 1
          assert.is_true(play.resync(out).identical, case.name)
        else
          refused = refused + 1
          assert.is_truthy(sentence:find("cannot be redacted", 1, true))
        end
      end
    end)
    assert.is_true(made >= 9 * refused, ("%d of %d"):format(made,
      made + refused))
  end)
end)
