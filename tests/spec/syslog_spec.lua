local syslog = require "peal.syslog"

-- 2026-11-22 10:15:30 UTC
local NOW <const> = 1795342530
local START <const> = "CP-8841-3PCC 00:0e:08:ab:cd:ef -- "

-- A line with some fields changed.
local function line(more)
  local message = { format = "cisco", time = NOW, severity = "notice",
    ip = "192.168.1.100", msgid = "RESYNC-REQ",
    text = START .. "Requesting resync tftp://192.168.1.200:69/basic.txt" }
  for key, value in pairs(more or {}) do message[key] = value end
  return syslog.format(message)
end

describe("syslog.format", function()
  describe("in the phones' own form", function()
    it("writes a request", function()
      assert.equal("<133>Nov 22 10:15:30 " .. START
        .. "Requesting resync tftp://192.168.1.200:69/basic.txt", line())
    end)

    it("writes a success", function()
      assert.equal("<133>Nov 22 10:15:31 " .. START
        .. "Successful resync tftp://192.168.1.200:69/basic.txt",
        line { time = NOW + 1, text = START
          .. "Successful resync tftp://192.168.1.200:69/basic.txt" })
    end)

    it("writes a failure as an error", function()
      assert.equal("<131>Nov 22 10:15:31 " .. START
        .. "Resync failed: File not found",
        line { time = NOW + 1, severity = "error",
          text = START .. "Resync failed: File not found" })
    end)

    it("puts the identifier behind the time", function()
      assert.equal("<133>Nov 22 10:15:30 00:0e:08:ab:cd:ef " .. START .. "x",
        line { ident = "00:0e:08:ab:cd:ef", text = START .. "x" })
      assert.equal("<133>Nov 22 10:15:30 x", line { ident = "", text = "x" })
    end)

    it("writes the seed's line for the seed's template", function()
      local text = "CP-78xx-3PCC 00:0e:08:ab:cd:ef -- Requesting resync "
        .. "tftp://192.168.1.200/basic.txt"
      assert.equal("<133>Nov 22 10:15:30 " .. text, line { text = text })
    end)

    it("writes an upgrade", function()
      local text = START .. "Successful upgrade http://192.168.1.200:80/"
        .. "sip88xx.11-3-2MPP0001-609.loads -- sip88xx.11-3-2MPP0001-609"
      assert.equal("<133>Nov 22 10:15:30 " .. text, line { text = text })
    end)

    it("pads the day with a blank", function()
      assert.equal("<133>Jan  1 00:00:00 x", line { time = 0, text = "x" })
      assert.equal("<133>Feb 29 23:59:59 x",
        line { time = 1709251199.9, text = "x" })
    end)
  end)

  describe("as RFC 3164", function()
    it("names the host and the program", function()
      assert.equal("<133>Nov 22 10:15:30 192.168.1.100 peal: x",
        line { format = "rfc3164", text = "x" })
      assert.equal("<133>Nov 22 10:15:30 000e08abcdef peal: x",
        line { format = "rfc3164", text = "x", ident = "000e08abcdef" })
    end)
  end)

  describe("as RFC 5424", function()
    it("names the message", function()
      assert.equal("<133>1 2026-11-22T10:15:30.000Z 192.168.1.100 peal - "
        .. "RESYNC-REQ - " .. START
        .. "Requesting resync tftp://192.168.1.200:69/basic.txt",
        line { format = "rfc5424" })
    end)

    it("counts milliseconds", function()
      assert.matches("T10:15:30%.250Z",
        line { format = "rfc5424", time = NOW + 0.25 })
      assert.matches("T10:15:30%.999Z",
        line { format = "rfc5424", time = NOW + 0.9999 })
    end)

    it("writes a dash for what there is not", function()
      assert.equal("<133>1 2026-11-22T10:15:30.000Z - peal - - - x",
        syslog.format { format = "rfc5424", time = NOW, severity = "notice",
          text = "x" })
    end)
  end)

  it("computes the priority for local0", function()
    for severity, n in pairs { emergency = 128, alert = 129, critical = 130,
      error = 131, warning = 132, notice = 133, info = 134, debug = 135 } do
      assert.matches("^<" .. n .. ">", line { severity = severity })
    end
  end)

  it("sends one line for one event", function()
    assert.equal("<133>Nov 22 10:15:30 a  b c d e",
      line { text = "a\r\nb\0c\27d\127e" })
    local bytes = line { ident = "id\nent", text = "x\n<131>forged" }
    assert.is_nil(bytes:find("[%c]"))
  end)

  it("stops at 1024 octets, 2048 for RFC 5424", function()
    local long = ("x"):rep(5000)
    assert.equal(1024, #line { text = long })
    assert.equal(1024, #line { text = long, format = "rfc3164" })
    assert.equal(2048, #line { text = long, format = "rfc5424" })
    assert.equal(1024, #line { text = ("x"):rep(1024 - 21) })
  end)

  it("does not cut a character in two", function()
    for shift = 0, 3 do
      for _, char in ipairs { "ä", "€", "😀" } do
        local bytes = line { text = ("x"):rep(shift) .. char:rep(1000) }
        assert.is_not_nil(utf8.len(bytes))
        assert.is_true(#bytes <= 1024 and #bytes > 1024 - 4)
      end
    end
  end)

  it("survives text that is no UTF-8", function()
    assert.is_true(#line { text = ("\x80"):rep(5000) } <= 1024)
    assert.equal("<133>Nov 22 10:15:30 \xff\xfe", line { text = "\xff\xfe" })
  end)
end)

describe("syslog.target", function()
  for value, target in pairs {
    ["192.168.1.210"] = { host = "192.168.1.210", port = 514 },
    ["192.168.1.210:1514"] = { host = "192.168.1.210", port = 1514 },
    ["log.telco.net"] = { host = "log.telco.net", port = 514 },
    ["log.telco.net:65535"] = { host = "log.telco.net", port = 65535 },
    ["[2001:db8::1]"] = { host = "2001:db8::1", port = 514 },
    ["[2001:db8::1]:5514"] = { host = "2001:db8::1", port = 5514 },
    ["  log  "] = { host = "log", port = 514 },
  } do
    it("reads " .. value, function()
      assert.same(target, syslog.target(value))
    end)
  end

  for _, value in ipairs { "log:0", "log:65536", "log:", "log:x", ":514",
    "log:-1", "[::1", "a b", "[]", "log:1:2", "lo\ng", "udp://log",
    "[2001:db8::1]x", "2001:db8::1" } do
    it(("warns about %q"):format(value), function()
      local target, sentence = syslog.target(value)
      assert.is_nil(target)
      assert.is_string(sentence)
      assert.is_nil(sentence:find("%c"))
    end)
  end

  it("says nothing about an empty value", function()
    assert.same({ n = 1 }, table.pack(syslog.target("")))
    assert.same({ n = 1 }, table.pack(syslog.target("  ")))
  end)
end)

describe("syslog.debug_level", function()
  local severities = { "error", "warning", "notice", "info", "debug" }

  for value, wanted in pairs {
    EMERGENCY = "", ERROR = "", NOTICE = "", ["0"] = "",
    INFO = "error warning notice info", ["1"] = "error warning notice info",
    DEBUG = "error warning notice info debug",
    ["2"] = "error warning notice info debug",
    ["3"] = "error warning notice info debug",
    nonsense = "", [""] = "",
  } do
    it(("%q lets pass: %s"):format(value, wanted), function()
      local passes = syslog.debug_level(value)
      local got = {}
      for _, severity in ipairs(severities) do
        if passes(severity) then got[#got + 1] = severity end
      end
      assert.equal(wanted, table.concat(got, " "))
    end)
  end
end)

describe("syslog.audience", function()
  local a, b = { host = "192.168.1.210", port = 514 },
    { host = "192.168.1.211", port = 1514 }

  for _, row in ipairs {
    { "192.168.1.210", "", "message", { a } },
    { "", "192.168.1.211:1514", "message", { b } },
    { "192.168.1.210", "192.168.1.211:1514", "message", { a, b } },
    { "192.168.1.210", "192.168.1.210:514", "message", { a } },
    { "192.168.1.210", "192.168.1.211:1514", "debug", { b } },
    { "192.168.1.210", "", "debug", { a } },
    { "192.168.1.210", "bad:port", "debug", { a } },
    { "bad:port", "192.168.1.211:1514", "message", { b } },
    { "", "", "message", {} },
    { "", "", "debug", {} },
  } do
    it(("%s for %q and %q"):format(row[3], row[1], row[2]), function()
      assert.same(row[4], syslog.audience(row[1], row[2], row[3]))
    end)
  end

  it("takes names in any case for one", function()
    assert.equal(1, #syslog.audience("Log.telco.net", "log.TELCO.net",
      "message"))
  end)
end)
