-- HTTPS_DNS_Check, with a real name server: the specs are in
-- support/lan_dns_check.lua and run in a network of their own.
local phones = require "support.phones"
local process = require "support.process"
local program = require "support.program"
local servers = require "support.servers"

-- Addresses of our own, and a hosts file laid over the system's.
local NETWORK <const> = [[
ip link set lo up || exit 77
for a in 192.168.1.200 192.168.1.66 192.168.1.9; do
  ip address add $a/32 dev lo || exit 77
done
mount --bind "$HOSTS" /etc/hosts || exit 77
exec "$@"
]]

describe("HTTPS_DNS_Check in a network of its own", function()
  local dir
  setup(function() dir = process.temp_dir() end)
  teardown(function() process.remove(dir) end)

  it("holds for all that a name may be made to mean", function()
    if not phones.need("dnsmasq", "nginx", "apache2", "openssl") then
      return
    end
    if not servers.find("unshare") then
      pending("no unshare here")
      return
    end
    local hosts = phones.write(dir .. "/hosts",
      "127.0.0.1 localhost\n192.168.1.66 pv.telco.net\n")
    local interpreter, busted = arg[-1], arg[0]
    local r = program.run({ "unshare", "--net", "--mount", "sh", "-c",
      NETWORK, "sh", interpreter, busted, "--ignore-lua",
      "--output=plainTerminal",
      program.root .. "/tests/support/lan_dns_check.lua" },
      { env = { HOSTS = hosts } })
    if r.code == 77 or r.err:find("unshare failed", 1, true) then
      pending("no network and hosts file of our own: " .. r.err)
      return
    end
    assert.equal(0, r.code, r.out .. r.err)
    assert.matches("%d+ successes / 0 failures / 0 errors / 0 pending", r.out)
  end)
end)
