-- Source: RFC 3323, RFC 3325; MPP administration guide, Privacy_Header_N_.
local cases = require "support.cases"
local context = require "peal.cycle.context"
local fixture = require "support.fixture"
local privacy = require "peal.privacy"

local BEFORE <const> = ([[
INVITE sip:2002@sip.example.net SIP/2.0
Via: SIP/2.0/UDP 192.168.1.100:5060;branch=z9hG4bK9
From: "Alice Adams" <sip:1001@sip.example.net>;tag=77
To: <sip:2002@sip.example.net>
Call-ID: 5a5a@192.168.1.100
CSeq: 1 INVITE
Contact: <sip:1001@192.168.1.100:5060>
User-Agent: CP-8841-3PCC/1.0
Subject: Q4
Organization: Acme
P-Asserted-Identity: <sip:1001@sip.example.net>

v=0
]]):gsub("\n", "\r\n")

local ANONYMOUS <const> =
  'From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=77'
local PPI <const> =
  'P-Preferred-Identity: "Alice Adams" <sip:1001@sip.example.net>'

-- Lines out, lines changed, lines behind Contact, as the vectors are written.
local function edited(text, o)
  local function gone(prefix)
    local out, n = ("\r\n" .. text):gsub("\r\n" .. prefix .. ": [^\r]*", "", 1)
    assert(n == 1, prefix)
    text = out:sub(3)
  end
  for _, name in ipairs(o.minus or {}) do gone((name:gsub("%-", "%%-"))) end
  for from, to in pairs(o.with or {}) do
    local at, last = text:find(from, 1, true)
    text = text:sub(1, at - 1) .. to .. text:sub(last + 1)
  end
  local lines = table.concat(o.plus or {}, "\r\n")
  if lines == "" then return text end
  local head, rest = text:match("^(.-\r\nContact:[^\r]*\r\n)(.*)$")
  if not head then head, rest = text:match("^(.-\r\nCSeq:[^\r]*\r\n)(.*)$") end
  return head .. lines .. "\r\n" .. rest
end

local FROM <const> = 'From: "Alice Adams" <sip:1001@sip.example.net>;tag=77'
local ID <const> = { minus = { "Organization", "P-Asserted-Identity" },
  with = { [FROM] = ANONYMOUS }, plus = { PPI, "Privacy: id" } }
local USER <const> = { minus = { "User-Agent", "Subject", "Organization",
  "P-Asserted-Identity" }, plus = { "Privacy: user" } }

local run, phone

local function phone_with(params, sources)
  local r = cases.run { phone = { params = params }, rules = sources }
  phone = r.phone
  run = r.world.run(context.new, phone, { asked_by = "sip" })
  return phone
end

local function apply(text, values, o)
  local ask = { line = 1, message = text, values = values }
  for key, value in pairs(o or {}) do ask[key] = value end
  return phone.world.run(privacy.apply, phone, run, ask)
end

describe("the privacy of a line", function()
  before_each(function() phone_with {} end)

  it("is none where it is Disabled", function()
    assert.equal(BEFORE, (apply(BEFORE, { "Disabled" })))
    assert.equal(BEFORE, (apply(BEFORE))) -- the default
  end)

  it("is no function of the network where it is none", function()
    assert.equal(edited(BEFORE, { plus = { "Privacy: none" } }),
      (apply(BEFORE, { "none" })))
  end)

  it("asks for what only the network can hide: header", function()
    assert.equal(edited(BEFORE, { plus = { "Privacy: header" },
      minus = { "Organization", "P-Asserted-Identity" } }),
      (apply(BEFORE, { "header" })))
  end)

  it("asks for hidden media addresses: session", function()
    assert.equal(edited(BEFORE, { plus = { "Privacy: session" } }),
      (apply(BEFORE, { "session" })))
  end)

  it("takes out what a user would say of himself: user", function()
    assert.equal(edited(BEFORE, USER), (apply(BEFORE, { "user" })))
  end)

  it("tells only the trusted network who it is: id", function()
    assert.equal(edited(BEFORE, ID), (apply(BEFORE, { "id" })))
  end)

  it("hides by itself where no service does: user, self_mask", function()
    assert.equal(edited(BEFORE, { minus = USER.minus, plus = USER.plus,
      with = { [FROM] = ANONYMOUS,
        ["<sip:1001@192.168.1.100:5060>"] = "<sip:192.168.1.100:5060>",
        ["5a5a@192.168.1.100"] = "5a5a@77" } }),
      (apply(BEFORE, { "user" }, { self_mask = true })))
  end)

  it("may insist: id;critical", function()
    local want = edited(BEFORE, { minus = ID.minus, with = ID.with,
      plus = { PPI, "Privacy: id;critical", "Proxy-Require: privacy" } })
    assert.equal(want, (apply(BEFORE, "id;critical")))
    assert.equal(want, (apply(BEFORE, { "critical", "id" })))
  end)

  it("adds to a REGISTER and changes nothing of it", function()
    local register = BEFORE:gsub("INVITE", "REGISTER")
    for _, value in ipairs { "none", "header", "session", "user", "id" } do
      assert.equal(edited(register, { plus = { "Privacy: " .. value } }),
        (apply(register, { value }, { self_mask = true })))
    end
  end)

  it("keeps to the From of a dialog", function()
    local bye = edited(BEFORE, { with = { ["INVITE sip"] = "BYE sip",
      ["1 INVITE"] = "2 BYE", [FROM] = ANONYMOUS,
      ["To: <sip:2002@sip.example.net>"] =
        "To: <sip:2002@sip.example.net>;tag=9" } })
    assert.equal(edited(bye, { minus = ID.minus, plus = { "Privacy: id" } }),
      (apply(bye, { "id" })))
    local open = edited(bye, { with = { [ANONYMOUS] = FROM } })
    local masked = apply(open, { "user" }, { self_mask = true })
    assert.truthy(masked:find(FROM, 1, true))
    assert.truthy(masked:find("Call-ID: 5a5a@192.168.1.100", 1, true))
  end)

  it("is one of six words, in English", function()
    local store = phone.world.store
    for _, text in ipairs { "geen", "header;id", "kopregel", "" } do
      local txn = assert(store:begin())
      local ok = txn:set("Privacy_Header_1_", text)
      txn:abort()
      assert.is_nil(ok, text)
    end
    local txn = assert(store:begin())
    assert(txn:set("Privacy_Header_1_", "ID"))
    assert(txn:commit("spec", 0))
    assert.equal("id", store:get("Privacy_Header_1_"))
    assert.equal(edited(BEFORE, ID), (apply(BEFORE)))
  end)

  it("cannot be none and something", function()
    for _, values in ipairs { { "header", "none" }, { "none", "critical" },
      { "id", "id" }, { "geen" }, { "critical" }, { "Disabled", "id" } } do
      assert.error_matches(function() apply(BEFORE, values) end, "privacy: ")
    end
  end)

  it("does not touch a Privacy that somebody else has put in", function()
    local theirs = edited(BEFORE, { plus = { "Privacy: none" } })
    for _, value in ipairs { "Disabled", "none", "header", "session", "user",
      "id" } do
      assert.equal(theirs, (apply(theirs, { value })))
    end
  end)

  it("goes again where it is taken back", function()
    local text, about = apply(BEFORE, { "session" })
    assert.equal("session", about.added)
    assert.equal(BEFORE, (apply(text, { "Disabled" }, about)))
    text, about = apply(BEFORE, "session;critical")
    assert.equal(edited(BEFORE, { plus = { "Privacy: session" } }),
      (apply(text, { "session" }, about)))
    local theirs = edited(BEFORE, { plus = { "Proxy-Require: gruu" } })
    text, about = apply(theirs, "session;critical")
    assert.truthy(text:find("Proxy-Require: gruu, privacy\r\n", 1, true))
    assert.equal(theirs, (apply(text, { "Disabled" }, about)))
  end)

  it("leaves ACK and CANCEL as they are", function()
    for _, method in ipairs { "ACK", "CANCEL" } do
      local text = BEFORE:gsub("INVITE", method)
      assert.equal(text, (apply(text, { "id" })))
    end
  end)

  it("is said in answers to a call", function()
    local answer = BEFORE:gsub("^[^\r]*", "SIP/2.0 200 OK")
    for _, value in ipairs { "none", "header", "session", "id" } do
      assert.equal(edited(answer, { plus = { "Privacy: " .. value } }),
        (apply(answer, { value }, { self_mask = true })))
    end
    assert.equal(answer, (apply(answer, { "user" })))
    assert.equal(edited(answer, { plus = { "Privacy: id" } }),
      (apply(answer, "user;id;critical")))
    local other = answer:gsub("1 INVITE", "1 OPTIONS")
    assert.equal(other, (apply(other, { "id" })))
  end)

  it("does not hide who calls for help", function()
    phone_with { Emergency_Number_1_ = "112, 911" }
    for _, uri in ipairs { "urn:service:sos", "urn:service:sos.police",
      "sip:112@sip.example.net", "sip:911;phone-context=x@h", "tel:1-1-2" } do
      local text = BEFORE:gsub("sip:2002@sip%.example%.net SIP",
        uri .. " SIP")
      assert.equal(text, (apply(text, { "id" }, { self_mask = true })))
    end
    assert.is_nil(BEFORE:find("Privacy"))
    local not_help = BEFORE:gsub("sip:2002@sip%.example%.net SIP",
      "sip:1122@sip.example.net SIP")
    assert.truthy(apply(not_help, { "id" }):find("Privacy: id", 1, true))
  end)

  it("knows compact and folded headers", function()
    local short = ([[
INVITE sip:2002@sip.example.net SIP/2.0
v: SIP/2.0/UDP 192.168.1.100:5060;branch=z9hG4bK9
f : "Alice Adams"
 <sip:1001@sip.example.net>
	;tag=77
t: <sip:2002@sip.example.net>
i: 5a5a@192.168.1.100
CSeq: 1 INVITE
m: "Alice" <sip:1001@192.168.1.100:5060;transport=tcp>;expires=60
s: Q4,
 confidential
organization: Acme

]]):gsub("\n", "\r\n")
    local want = ([[
INVITE sip:2002@sip.example.net SIP/2.0
v: SIP/2.0/UDP 192.168.1.100:5060;branch=z9hG4bK9
f: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=77
t: <sip:2002@sip.example.net>
i: 5a5a@77
CSeq: 1 INVITE
m: <sip:192.168.1.100:5060;transport=tcp>;expires=60
Privacy: user

]]):gsub("\n", "\r\n")
    assert.equal(want, (apply(short, { "user" }, { self_mask = true })))
    local lf = short:gsub("\r\n", "\n")
    assert.equal((want:gsub("\r\n", "\n")),
      (apply(lf, { "user" }, { self_mask = true })))
  end)

  it("takes who speaks from the line where From does not say", function()
    phone_with { User_ID_1_ = "1001", Proxy_1_ = "sip.example.net:5060",
      Display_Name_1_ = 'Al "Ice"' }
    local nobody = edited(BEFORE, { with = { [FROM] = ANONYMOUS } })
    assert.truthy(apply(nobody, { "id" }):find(
      'P-Preferred-Identity: "Al \\"Ice\\"" <sip:1001@sip.example.net>\r\n',
      1, true))
    assert.truthy(apply(BEFORE, { "id" }, { aor = "<sip:x@y>" }):find(
      "P-Preferred-Identity: <sip:x@y>\r\n", 1, true))
  end)

  it("takes who speaks from From, in any form", function()
    phone_with {}
    for from, who in pairs {
      ["sip:1001@h;tag=7"] = "<sip:1001@h>",
      ['"Al\\"ice <x>" <sip:1001@h;x=y>;tag=7'] =
        '"Al\\"ice <x>" <sip:1001@h;x=y>',
      ["Alice <tel:+15550100>;tag=7"] = "Alice <tel:+15550100>",
    } do
      local text = apply(edited(BEFORE, { with = { [FROM] = "From: " .. from
        } }), { "id" })
      assert.truthy(text:find("P-Preferred-Identity: " .. who .. "\r\n", 1,
        true), from)
      assert.truthy(text:find('From: "Anonymous" <sip:anonymous@'
        .. "anonymous.invalid>;tag=7\r\n", 1, true), from)
    end
  end)

  it("is not talked out of it by a tag that is none of To's", function()
    phone_with {}
    for _, to in ipairs { '"a;tag=1" <sip:2002@sip.example.net>',
      "<sip:2002;tag=1@sip.example.net>" } do
      local text = BEFORE:gsub("To: [^\r]*", "To: " .. to)
      assert.truthy(apply(text, { "id" }):find("anonymous.invalid", 1, true),
        to)
    end
  end)

  it("edits no message that says twice who sends it", function()
    phone_with {}
    local text = BEFORE:gsub("(From: [^\r]*\r\n)", "%1f: <sip:1@h>;tag=8\r\n")
    assert.same({ nil, "not a SIP message: it has two From headers",
      "invalid" }, { apply(text, { "id" }) })
  end)

  it("is in CSeq's place where there is no Contact", function()
    local text = edited(BEFORE, { minus = { "Contact" } })
    assert.equal(edited(text, { plus = { "Privacy: session" } }),
      (apply(text, { "session" })))
  end)

  it("shows a rule no credentials, and leaves them where they are", function()
    phone_with({}, { ["privacy.lua"] = [[
      return { stage = "privacy", decide = function(phone)
        local seen = {}
        for i, one in ipairs(phone.message.headers) do
          seen[i] = one.name .. "=" .. one.value
        end
        return { reason = table.concat(seen, " "):sub(-400) }
      end }]] })
    local text = BEFORE:gsub("User%-Agent",
      'Proxy-Authorization: Digest response="c0ffee"\r\nUser-Agent')
    local out, about = apply(text, { "id" })
    assert.equal(text, out)
    assert.is_truthy(about.reason:find("Proxy-Authorization= User", 1, true))
    assert.is_nil(about.reason:find("c0ffee", 1, true))
  end)

  it("removes Referred-By from a REFER only, and hosts from warnings",
    function()
      local lines = { "Referred-By: <sip:1001@h>",
        'Warning: 399 host.example "a"' }
      for method, left in pairs { INVITE = 1, REFER = 0 } do
        local text = edited(BEFORE:gsub("INVITE", method), { plus = lines })
        local out = apply(text, { "user" })
        assert.equal(left, select(2, out:gsub("Referred%-By", "")))
        assert.truthy(out:find('Warning: 399 anonymous.invalid "a"', 1, true))
      end
    end)
end)

describe("a privacy rule of an operator", function()
  local function asks(body)
    phone_with({}, { ["privacy.lua"] =
      'return { stage = "privacy", decide = function(phone) ' .. body
        .. " end }" })
    return apply(BEFORE, { "id" })
  end

  it("is asked, and sees the message", function()
    assert.equal(edited(BEFORE, { plus = { "X-Seen: INVITE 10 1" } }),
      (asks [[
        local m = phone.message
        return { add = { { name = "X-Seen", value = ("%s %d %d"):format(
          m.method, #m.headers, phone.line) } } }]]))
  end)

  it("cannot put a second header into one", function()
    local text, sentence, word = asks [[
      return { set = { Subject = "x\r\nVia: y" } }]]
    assert.same({ nil, "invalid" }, { text, word })
    assert.matches("Subject", sentence)
  end)
end)

describe("whatever is in a message", function()
  local VALUES <const> = { { "Disabled" }, { "none" }, { "header" },
    { "session" }, { "user" }, { "id" }, { "user", "id" },
    { "header", "session", "user", "id", "critical" } }

  it("a second time changes nothing more", function()
    phone_with { User_ID_1_ = "1001", Proxy_1_ = "h" }
    for _, method in ipairs { "INVITE", "REGISTER", "BYE", "REFER", "ACK",
      "MESSAGE", "OPTIONS", "200" } do
      local text = BEFORE:gsub("INVITE", method)
      if method == "200" then
        text = BEFORE:gsub("^[^\r]*", "SIP/2.0 200 OK")
      end
      for _, dialog in ipairs { "", ";tag=9" } do
        local one = text:gsub("(To: [^\r]*)", "%1" .. dialog)
        for _, values in ipairs(VALUES) do
          for _, self_mask in ipairs { false, true } do
            local o = { self_mask = self_mask }
            local first, about = apply(one, values, o)
            assert.equal(first, (apply(first, values, o)))
            o.added = about.added
            local second, again = apply(first, values, o)
            assert.equal(first, second)
            assert.equal(about.added, again.added)
          end
        end
      end
    end
  end)

  it("is a sentence, not an error", function()
    phone_with {}
    local words <const> = { "INVITE sip:a@b SIP/2.0\r\n", "\r\n", "\n", "\r",
      "From: ", "f:", '"', "<", ">", ";tag=", "sip:", "@", "Contact: ", "m: ",
      "Call-ID: a@b\r\n", "CSeq: 1 INVITE\r\n", "Privacy: id\r\n", " ", "\t",
      "Proxy-Require: ", "privacy", ",", "\\", "To: <sip:1@2>\r\n",
      "SIP/2.0 200 OK\r\n", "Warning: 399 h \"x\"\r\n", "a", "\0", "\xff" }
    local read = 0
    fixture.fuzz(words, function(text)
      if text:byte() and text:byte() % 2 == 0 then
        text = "INVITE sip:a@b SIP/2.0\r\n" .. text .. "\r\n\r\n"
      end
      for _, values in ipairs { { "id" }, { "user", "id", "critical" } } do
        local out, sentence, word = apply(text, values, { self_mask = true })
        if out then
          read = read + 1
        else
          assert.is_string(sentence)
          assert.equal("invalid", word)
        end
      end
    end)
    assert.is_true(read > 100)
  end)

  it("has its limits", function()
    phone_with {}
    local many = BEFORE:gsub("Subject: Q4\r\n", ("X: y\r\n"):rep(247))
    assert.truthy(apply(many, { "id" }))
    many = BEFORE:gsub("Subject: Q4\r\n", ("X: y\r\n"):rep(248))
    assert.same({ nil, "a SIP message with more than 256 headers", "limit" },
      { apply(many, { "id" }) })
    local long = BEFORE .. ("x"):rep(65537 - #BEFORE)
    assert.equal("limit", select(3, apply(long, { "id" })))
    assert.truthy(apply(long:sub(1, 65536), { "id" }))
  end)
end)
