-- Properties that the rules of a fleet ought to have: each holds for the
-- factory's, and fails for a bad rule that was made for it.
local properties = require "peal.check.properties"

-- A file whose decision has this body.
local function rule(stage, body)
  return ("return { stage = %q, decide = function(phone)\n%s\nend }"):format(
    stage, body)
end

-- What a property says of one file.
local function failure(property, stage, body)
  local ok, why = properties[property] { rules = {
    [stage .. ".lua"] = { path = "op/" .. stage .. ".lua",
      text = rule(stage, body) } } }
  if ok then return nil end
  assert.are.equal(property, why.property)
  return why.sentence, why
end

describe("each property", function()
  for _, name in ipairs(properties.names) do
    it(("holds for the factory's rules: %s"):format(name), function()
      local ok, text = properties[name] {}
      assert.is_true(ok, tostring(text))
      assert.is_string(text)
    end)
  end

  it("says the same each time", function()
    for _, name in ipairs { "settles", "spreads" } do
      assert.are.same({ properties[name] {} }, { properties[name] {} })
    end
  end)

  it("names the file as compilers do, in a spec as well", function()
    local ok, why = properties.settles { rules = { ["apply.lua"] =
      rule("apply", "return { change = { GPP_K = tostring(phone.now) } }") } }
    assert.is_nil(ok)
    assert.are.equal("rules/apply.lua: a second resync of the same profile "
      .. "changes GPP_K again (sample: CP-8841, by hand) [not-settled]",
      tostring(why))
  end)
end)

describe("a cycle applied twice changes nothing: fails for", function()
  it("a value made of the time", function()
    local sentence, about = failure("settles", "profile", [[
return { action = "run", assigns = { { name = "GPP_K",
  value = "at " .. phone.now } }, fetch = { url = "https://h/a" } }]])
    assert.matches("changes GPP_K again", sentence)
    assert.are.equal("op/profile.lua", about.file)
  end)

  it("a value that goes to and fro", function()
    assert.matches("changes GPP_L again", failure("settles", "profile", [[
local now = phone.param.GPP_L == "1" and "2" or "1"
return { action = "run", assigns = { { name = "GPP_L", value = now } },
  fetch = { url = "https://h/a" } }]]))
  end)

  it("a value that grows", function()
    assert.matches("changes GPP_K again", failure("settles", "apply", [[
return { change = { GPP_K = (phone.param.GPP_K or "") .. "x" } }]]) or
      -- what changes nothing asks apply.lua nothing
      failure("settles", "profile", [[
return { action = "run", assigns = { { name = "GPP_K",
  value = (phone.param.GPP_K or "") .. "x" } } }]]))
  end)

  it("a value that counts failures, or changes with each of them", function()
    for _, value in ipairs { "'failed ' .. phone.failures",
      "phone.param.GPP_K == '1' and '2' or '1'" }
    do
      assert.matches("a second resync that fails changes GPP_K again", failure(
        "settles", "profile", ([[
local plan = classic.profile(phone)
if plan.fetch and phone.param.GPP_P ~= "new" then
  plan.assigns = { { name = "GPP_K", value = %s } }
end
return plan]]):format(value)))
    end
  end)

  it("only where a phone goes that way: two lines busy", function()
    local _, about = failure("settles", "profile", [[
local assigns = phone.lines_active > 0
  and { { name = "GPP_K", value = tostring(phone.now) } } or nil
return { action = "run", assigns = assigns, fetch = { url = "https://h/" } }]])
    assert.are.equal("two lines busy", about.sample)
  end)
end)

describe("no rule removes the way home: fails for", function()
  for body, what in pairs {
    ["return { change = { Provision_Enable = 'No' } }"] =
      "Provision_Enable is No",
    ["return { change = { Profile_Rule = '', Profile_Rule_B = '' } }"] =
      "Profile_Rule leads to no server",
    ["return { change = { Profile_Rule = '# off', Profile_Rule_B = '' } }"] =
      "Profile_Rule leads to no server",
    ["return { change = { Profile_Rule = 'no url (', Profile_Rule_B = ''"
      .. " } }"] = "Profile_Rule leads to no server",
    ["return { change = { Custom_CA_Rule = '' } }"] =
      "Custom_CA_Rule is empty",
    ["return { change = { Restricted_Access_Domains = 'example.org' } }"] =
      "Restricted_Access_Domains leaves the server out",
    ["return { change = { TLS_Min_RSA_Bits = '8192' } }"] =
      "TLS_Min_RSA_Bits asks for keys",
    ["return { change = { Resync_Periodic = '0' } }"] =
      "asks its server for nothing from day",
    ["for _, c in ipairs(phone.changes) do if c.name == 'Admin_Password' then "
      .. "return { change = { Provision_Enable = 'No' } } end end"] =
      "Provision_Enable is No",
  } do
    it(body, function()
      local sentence, about = failure("way_home", "apply", body)
      assert.is_truthy(sentence:find(what, 1, true), sentence)
      assert.are.equal("way-home", about.code)
    end)
  end

  it("a trigger that never passes, and one that never does again",
    function()
      assert.matches("asks its server for nothing from day 0%.0",
        failure("way_home", "trigger", "return false, 'never'"))
      assert.matches("after an outage", failure("way_home", "trigger",
        "return phone.failures == 0, 'after a failure never again'"))
    end)

  it("a trigger that waits for a date, on a phone whose clock is not set",
    function()
      local _, about = failure("way_home", "trigger",
        "return phone.local_time.year >= 2020, 'the clock is not set'")
      assert.are.equal("the clock not set", about.sample)
    end)

  it("a schedule without a next time", function()
    assert.matches("asks its server for nothing", failure("way_home",
      "schedule", "return phone.event == 'boot' and { start = { after = 0 } }"
        .. " or {}"))
  end)

  it("a profile rule that skips for ever", function()
    assert.matches("asks its server for nothing", failure("way_home",
      "profile", "return { action = 'skip', reason = 'no' }"))
  end)

  it("and holds where the weekend is quiet", function()
    assert.is_nil(failure("way_home", "trigger", [[
local wday = phone.local_time.wday
return wday ~= 1 and wday ~= 7, "the weekend is quiet"]]))
  end)
end)

describe("starts spread over the window: fails for", function()
  it("a start at once", function()
    local sentence, about = failure("spreads", "schedule", [[
local answer = classic.schedule(phone)
if answer.start then answer.start = { after = 0, spread = 0 } end
return answer]])
    assert.matches("96 of 96 phones come within 60 seconds %(at 10:00:00",
      sentence)
    assert.are.equal("herd", about.code)
  end)

  it("a minute of the day for all", function()
    assert.matches("phones come within 60 seconds %(at 03:00:00",
      failure("spreads", "schedule", [[
local answer = classic.schedule(phone)
answer.at, answer.periodic = { minute = 180, spread = 0 }, nil
return answer]]))
  end)

  it("a period that a rule puts into each profile", function()
    assert.matches("96 of 96 phones come within 60 seconds", failure("spreads",
      "apply", "return { change = { Resync_Periodic = '30' } }"))
  end)

  it("and holds for a Resync_At of all: the phone spreads it over ten minutes",
    function()
      assert.is_nil(failure("spreads", "apply", "return { change = { "
        .. "Resync_At = '0000', Resync_At_Random_Delay = '0' } }"))
    end)

  it("a trigger that lets everybody in when the night begins", function()
    assert.matches("phones come within 60 seconds %(at 22:0", failure(
      "spreads", "trigger", "return phone.local_time.hour >= 22, 'by day'"))
  end)

  it("places that crowd on one side of the window", function()
    assert.matches("not evenly", failure("spreads", "schedule", [[
local answer = classic.schedule(phone)
if answer.start then
  local n = tonumber(phone.identity.MAC:sub(7), 16) % 1000 / 1000
  answer.start = { after = math.floor(1800 * n ^ 2), spread = 0 }
end
return answer]]))
  end)

  it("phones that never come", function()
    assert.matches("phones do not come", failure("spreads", "trigger",
      "return phone.identity.MAC:sub(-1) < '8', 'not these'"))
  end)
end)

describe("no secret reaches any output: fails for", function()
  it("a reason with the text of a rule, and so with its key", function()
    local sentence, about = failure("keeps_secrets", "profile", [[
if phone.asked_by == "url" then
  return { action = "skip", reason = "not now: " .. phone.rule.text }
end
return classic.profile(phone)]])
    assert.matches("Profile_Rule.* stands in the %a+, behind", sentence)
    assert.are.equal("secret-shown", about.code)
    assert.is_nil(tostring(about):find("cnry", 1, true))
  end)

  it("an error message with it", function()
    assert.matches("Profile_Rule.* stands in the %a+", failure(
      "keeps_secrets", "profile", [[
if phone.failures > 0 then error("what is " .. phone.rule.text) end
return classic.profile(phone)]]))
  end)

  it("a URL with it, whoever reads the server's log", function()
    assert.matches("stands in", failure("keeps_secrets", "profile", [[
local key = phone.rule.text:match("%-%-key (%w+)")
if not key then return classic.profile(phone) end
return { action = "run", fetch = { key = key,
  url = "https://prov.example.com/?id=" .. key } }]]))
  end)

  it("a key in a register that is no secret, and is reported", function()
    assert.matches("stands in", failure("keeps_secrets", "profile", [[
local key = phone.rule.text:match("%-%-key (%w+)")
if not key then return classic.profile(phone) end
return { action = "run", assigns = { { name = "GPP_K", value = key } },
  fetch = { url = "https://prov.example.com/a.xml", post = "k" } }]]))
  end)

  it("a key in another dress: base64, hexadecimal, back to front, capitals",
    function()
      for _, dress in ipairs {
        "key:reverse()", "key:upper()",
        "key:gsub('.', function(c) return ('%02X'):format(c:byte()) end)",
        "base64(key)", "base64('a' .. key)",
        "base64('ab' .. key)" }
      do
        assert.matches("stands in", failure("keeps_secrets", "profile", ([[
local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
  .. "abcdefghijklmnopqrstuvwxyz0123456789+/"
local function base64(text)
  local out, n, bits = {}, 0, 0
  for i = 1, #text do
    n, bits = n << 8 | text:byte(i), bits + 8
    while bits >= 6 do
      bits = bits - 6
      local at = (n >> bits & 63) + 1
      out[#out + 1] = LETTERS:sub(at, at)
    end
    n = n & 0xFFFF
  end
  return table.concat(out)
end
local key = phone.rule.text:match("%%-%%-key (%%w+)")
if not key then return classic.profile(phone) end
local dressed = %s
return { action = "run", fetch = { key = key,
  url = "https://prov.example.com/" .. dressed .. "/a.xml" } }]]):format(
          dress)) or "none: " .. dress)
      end
    end)

  it("and holds for a rule that hands references on", function()
    assert.is_nil(failure("keeps_secrets", "profile", [[
return { action = "run", reason = "with " .. phone.param.GPP_SA,
  fetch = { url = "https://prov.example.com/a.xml", uid = "joe",
    pwd = phone.param.GPP_SA, key = phone.param.GPP_SB } }]]))
  end)
end)
