-- How a URL becomes bytes, on the virtual world: who the phone says it is.
-- Source: Gigaset wiki, Security; MPP provisioning guide,
-- Profile_Authentication_Type.
local cases = require "support.cases"

-- The request that a resync of `rule` makes.
local function asked(rule, params, account)
  local p = { Profile_Rule = rule }
  for name, text in pairs(params or {}) do p[name] = text end
  local run = cases.run { phone = { params = p, account = account },
    server = { ["*"] = { body = "<flat-profile></flat-profile>" } } }
  return run.world.requests[1]
end

local CLIENT <const> = { ["Security.global.HTTPAuthUsername"] = "base01",
  ["Security.global.HTTPAuthPassword"] = "pw74" }
local ACCOUNT <const> = { user = "profile", password = "x" }

describe("the user of the provisioning client (Gigaset)", function()
  it("answers a challenge before the profile account", function()
    local r = asked("http://192.0.2.7/n870/base.xml", CLIENT, ACCOUNT)
    assert.same({ "base01", "pw74" }, { r.user, r.password })
  end)

  it("comes after the user of the rule", function()
    local r = asked("[--uid me --pwd mine] http://192.0.2.7/a", CLIENT,
      ACCOUNT)
    assert.same({ "me", "mine" }, { r.user, r.password })
    assert.is_nil(r.auth)
  end)

  it("answers Basic challenges over TLS only", function()
    assert.same({ "digest" }, asked("http://192.0.2.7/a", CLIENT).auth)
    assert.is_nil(asked("https://192.0.2.7/a", CLIENT).auth)
  end)

  it("does not depend on the profile account's switch", function()
    local params = { Profile_Authentication_Type = "Disabled" }
    assert.is_nil(asked("http://192.0.2.7/a", params, ACCOUNT).user)
    for name, text in pairs(CLIENT) do params[name] = text end
    assert.equal("base01", asked("http://192.0.2.7/a", params, ACCOUNT).user)
  end)

  it("has names of 74 characters at most: 75 are refused, and the old value "
    .. "kept", function()
    for _, name in ipairs { "Username", "Password" } do
      name = "Security.global.HTTPAuth" .. name
      local run = cases.run { phone = { params = { [name] = "old",
        Profile_Rule = "http://192.0.2.7/a" } },
        server = { ["*"] = { body = ("<flat-profile><%s>%s</%s>"
          .. "</flat-profile>"):format(name, ("x"):rep(75), name) } } }
      assert.equal("old", run.store:get(name))
      assert.equal("bad-value", run.results[1].notes[1].word)
      run = cases.run { phone = { params = { [name] = "old",
        Profile_Rule = "http://192.0.2.7/a" } },
        server = { ["*"] = { body = ("<flat-profile><%s>%s</%s>"
          .. "</flat-profile>"):format(name, ("x"):rep(74), name) } } }
      assert.equal(("x"):rep(74), run.store:get(name))
    end
  end)
end)

describe("a name of 74 characters", function()
  -- What a resync makes of it, and what it says.
  local function set_to(text)
    local name = "Security.global.HTTPAuthUsername"
    local run = cases.run { phone = { params = { [name] = "old",
      Profile_Rule = "http://192.0.2.7/a" } },
      server = { ["*"] = { body = ("<flat-profile><%s>%s</%s>"
        .. "</flat-profile>"):format(name, text, name) } } }
    return run.store:get(name), (run.results[1].notes[1] or {}).text
  end

  it("has characters, which may take several bytes each", function()
    for _, text in ipairs { ("\u{e4}"):rep(74), ("\u{20ac}"):rep(74),
      ("\u{1f514}"):rep(74) } do
      assert.equal(text, (set_to(text)))
    end
    local kept, said = set_to(("\u{e4}"):rep(75))
    assert.equal("old", kept)
    assert.matches("longer than 74 characters", said)
    assert.equal("old", (set_to(("x"):rep(75))))
  end)
end)

describe("an answer 401", function()
  local BASIC <const> = { ["WWW-Authenticate"] = 'Basic realm="x"' }

  -- The sentence of a resync's failure, and what the notes say.
  local function failure(rule, server, params)
    local p = { Profile_Rule = rule }
    for name, text in pairs(params or {}) do p[name] = text end
    local run = cases.run { phone = { params = p }, server = server }
    local notes = {}
    for i, note in ipairs(run.results[1].notes) do notes[i] = note.word end
    return run.results[1].failure.sentence, notes
  end

  it("to a phone that has no password says that", function()
    assert.matches("there are none", failure("http://192.0.2.7/a",
      { ["*"] = { status = 401, headers = BASIC } }))
  end)

  it("over http says that Basic is not answered in clear", function()
    local sentence, notes = failure("http://192.0.2.7/a",
      { ["*"] = { status = 401, headers = BASIC } }, CLIENT)
    assert.matches("not sent in clear: it wants Basic, over http", sentence)
    assert.same({ "withheld" }, notes)
  end)

  it("after a redirect to another server says whose the password is",
    function()
      local sentence = failure("[--uid me --pwd mine] http://192.0.2.7/a", {
        ["http://192.0.2.7/a"] = { status = 302,
          headers = { Location = "http://192.0.2.8/a" } },
        ["http://192.0.2.8/a"] = { status = 401, headers = BASIC } })
      assert.matches("for the server that redirected here", sentence)
    end)

  it("to what was sent says that it was refused", function()
    assert.matches("refused the user and password", failure(
      "http://192.0.2.7/a", { ["*"] = { status = 401, headers = BASIC,
        auth_exhausted = true } }, CLIENT))
  end)
end)
