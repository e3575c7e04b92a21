local fixture = require "support.fixture"
local alias = require "peal.alias"

describe("an alias map", function()
  it("lists paths and parameters", function()
    local map, warnings = alias.parse(
      "/CPE/SIP-Credentials/name = /flat-profile/Display_Name_1_ ; "
      .. "/auth-secret=/flat-profile/Password_1_")
    assert.same({
      { path = { "CPE", "SIP-Credentials", "name" }, name = "Display_Name_1_" },
      { path = { "auth-secret" }, name = "Password_1_" },
    }, map)
    assert.same({}, warnings)
  end)

  it("takes blanks between all parts and a last semicolon", function()
    local map, warnings = alias.parse(
      " / a / b\n=\t/ flat-profile / Enable_802.1X_Authentication ; \n")
    assert.same({ { path = { "a", "b" },
                    name = "Enable_802.1X_Authentication" } }, map)
    assert.same({}, warnings)
  end)

  it("may be empty", function()
    assert.same({}, (alias.parse("")))
    assert.same({}, (alias.parse(" ; ")))
  end)

  it("is not macro-expanded", function()
    local map, warnings = alias.parse("/$MA = /flat-profile/GPP_A")
    assert.same({}, map)
    assert.same({ "Alias entry 1 is malformed" }, warnings)
  end)

  for _, entry in ipairs { "a=/flat-profile/B", "/a", "/a=", "=/flat-profile/B",
                           "/a=/flat-profile", "/a=/flat-profile/",
                           "/a=/profile/B", "/a=/flat-profile/B/C",
                           "/a//b=/flat-profile/B", "/a b=/flat-profile/B",
                           "/1=/flat-profile/B", "/a=flat-profile/B",
                           "/a=/flat-profile/B=/c",
                           ("/a"):rep(65) .. "=/flat-profile/B" } do
    it(("drops %q and keeps its neighbours"):format(entry:sub(1, 30)),
      function()
        local map, warnings = alias.parse(
          "/x=/flat-profile/X;" .. entry .. ";/y=/flat-profile/Y")
        assert.equal(2, #map)
        assert.same({ "Alias entry 2 is malformed" }, warnings)
      end)
  end

  it("ends after 30 entries", function()
    local map, warnings = alias.parse(("/a=/flat-profile/B;"):rep(33))
    assert.equal(30, #map)
    assert.same({ "Alias entries past 30 are dropped: 3" }, warnings)
  end)

  it("longer than a parameter may be is dropped", function()
    local map, warnings = alias.parse((" "):rep(8193))
    assert.same({}, map)
    assert.equal(1, #warnings)
  end)

  it("survives any text", function()
    fixture.fuzz({ "/", "=", ";", "a", "flat-profile", "/flat-profile/B",
                   " ", "/a=/flat-profile/B;" }, alias.parse)
  end)
end)
