-- A cassette for a ticket: no secret of the input stands in it, and it goes
-- the same way (cassette/redact.lua).
local cassette = require "peal.cassette"
local cassettes = require "support.cassettes"
local decode = require "peal.decode"
local encode = require "peal.encode"
local form = require "peal.world.tape_form"
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

-- Where secrets stand that no parameter of the store holds, or not as they
-- were written.
describe("a ticket has no secret", function()
  local S <const> = "Plant3d-Secret"

  local function of(body)
    return { body = "<flat-profile>" .. body .. "</flat-profile>" }
  end
  local function cut(body) return { body = "<flat-profile>" .. body } end
  local NOTHING <const> = of "<GPP_A>x</GPP_A>"
  local function with(params)
    params.Profile_Rule = params.Profile_Rule or URL
    return { phone = { params = params } }
  end

  local CASES <const> = {
    { "in CDATA", of("<Admin_Passwd><![CDATA[" .. S .. "]]></Admin_Passwd>") },
    { "in CDATA of a profile that is cut off",
      cut("<Admin_Passwd><![CDATA[" .. S) },
    { "in a value that is cut off", cut("<Admin_Passwd>" .. S) },
    { "behind a > in quotes",
      cut("<Admin_Passwd a='>'>" .. S .. "</Admin_Passwd><b") },
    { "in a comment", of("<!-- it is " .. S .. " -->") },
    { "in a comment that is cut off", cut("<!-- it is " .. S) },
    { "around a comment",
      of("<Admin_Passwd>Plant3d<!-- x -->-Secret</Admin_Passwd>") },
    { "in an attribute", of("<GPP_A pwd=\"" .. S .. "\">x</GPP_A>") },
    { "in an unknown element", of("<My_Secret>" .. S .. "</My_Secret>") },
    { "in references", of("<Admin_Passwd>&#x99999999;" .. S
      .. "</Admin_Passwd>") },
    { "in a register that a rule of the profile takes for its key",
      of("<GPP_K>" .. S .. "</GPP_K><Profile_Rule_B>[--key $K] "
        .. "http://192.0.2.7/b</Profile_Rule_B>") },
    { "in a register that a rule takes for its key", NOTHING,
      with { GPP_K = S, Profile_Rule = "[--key $K] " .. URL } },
    { "in a register that a rule takes for its password", NOTHING,
      with { GPP_M = S, Profile_Rule = "[--uid u --pwd $M] " .. URL } },
    { "in a redirection", { status = 302, body = "",
      headers = { Location = "http://u:" .. S .. "@192.0.2.7/b" } } },
    { "in a header of one's own", { body = NOTHING.body,
      headers = { ["X-Api-Key"] = S } } },
    { "in Authorization", { body = NOTHING.body,
      headers = { Authorization = "Bearer " .. S } } },
    { "in an error page", { status = 500, body = "password=" .. S } },
    { "in the text of an error",
      { error = "connect", text = "http://u:" .. S .. "@h/ refused" } },
    { "in a file that cannot be unpacked", { body = encode.gzip(
      "<flat-profile><Admin_Passwd>" .. S .. "</Admin_Passwd>"):sub(1, -9) } },
    { "in UTF-16", { body = ("\xff\xfe<Admin_Passwd>" .. S
      .. "</Admin_Passwd>"):gsub("[^\xff\xfe]", "%0\0") } },
    { "in a rule file's answer", NOTHING, { rules = { ["profile.lua"] =
      ("return { stage = 'profile', decide = function() return { fetch = "
        .. "{ url = %q, key = %q } } end }"):format(URL, S) } } },
  }

  -- As much as can be unpacked of what is packed.
  local function readable(body)
    local text = decode.text(body, {})
    return (text or body):gsub("%z", "")
  end

  for _, case in ipairs(CASES) do
    it(case[1], function()
      local out, sentence = redact(recorded(case[2], case[3]))
      if not out then -- or there is no ticket
        assert.is_truthy(sentence:find("cannot be redacted", 1, true))
        return
      end
      local function clean(bytes)
        assert.is_nil(bytes:find(S, 1, true))
        assert.is_nil(bytes:find("Plant3d", 1, true))
      end
      clean(form.pack(out))
      clean(assert(require "peal.cassette.case"(out)))
      for _, one in ipairs(contents.exchanges(out)) do
        local answer = one.results[1] or one.results[4]
        if answer and answer.body then
          clean(readable(answer.body))
          if answer.body:find("^\x1f\x8b") then
            assert.is_nil(answer.body:find("[^%z]", 17))
          end
        end
      end
    end)
  end
end)
