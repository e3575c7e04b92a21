local civil = require "peal.civil"

describe("civil.iso", function()
  for _, row in ipairs {
    { 0, "1970-01-01T00:00:00Z" },
    { 59, "1970-01-01T00:00:59Z" },
    { 86399, "1970-01-01T23:59:59Z" },
    { 86400, "1970-01-02T00:00:00Z" },
    { -1, "1969-12-31T23:59:59Z" },
    { 68169599, "1972-02-28T23:59:59Z" },
    { 68169600, "1972-02-29T00:00:00Z" },
    { 68256000, "1972-03-01T00:00:00Z" },
    { 951782400, "2000-02-29T00:00:00Z" }, -- divisible by 400
    { 1709164800, "2024-02-29T00:00:00Z" },
    { 1795342530, "2026-11-22T10:15:30Z" },
    { 2147483647, "2038-01-19T03:14:07Z" },
    { 2147483648, "2038-01-19T03:14:08Z" },
    { 4107542399, "2100-02-28T23:59:59Z" },
    { 4107542400, "2100-03-01T00:00:00Z" }, -- no leap year
    { 253402300799, "9999-12-31T23:59:59Z" },
  } do
    it(("writes %d as %s"):format(row[1], row[2]), function()
      assert.equal(row[2], civil.iso(row[1]))
    end)
  end

  it("drops parts of a second", function()
    assert.equal("2026-11-22T10:15:30Z", civil.iso(1795342530.999))
    assert.equal("1969-12-31T23:59:59Z", civil.iso(-0.5))
  end)
end)

describe("civil.from_time", function()
  it("gives whole numbers and the day of the week", function()
    local t = civil.from_time(1795342530.25)
    assert.same({ year = 2026, month = 11, day = 22, hour = 10, min = 15,
      sec = 30, wday = 1 }, t) -- a Sunday
    for _, n in pairs(t) do assert.equal("integer", math.type(n)) end
    assert.equal(5, civil.from_time(0).wday) -- a Thursday
    assert.equal(4, civil.from_time(-1).wday)
  end)

  it("agrees with the C library on every day of 140 years", function()
    for day = -3, 51134 do
      local time = day * 86400 + day % 86400
      assert(civil.iso(time) == os.date("!%Y-%m-%dT%H:%M:%SZ", time), day)
    end
  end)
end)

describe("civil.days", function()
  it("is the way back", function()
    for day = -800000, 800000, 97 do
      local t = civil.from_time(day * 86400)
      assert(civil.days(t.year, t.month, t.day) == day, day)
    end
  end)
end)
