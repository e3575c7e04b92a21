--- schedule: when is the next resync?
-- Asked at boot, at the end of each run of the stored rules, and when a
-- parameter that it read may have changed; what it answers is armed, what it
-- leaves out is off.
-- Source of the default: MPP provisioning guide, Resync_Periodic 3600 and
-- Resync_Random_Delay 2; a retry after as long is our choice.
local shape = require "peal.shape"

local SECONDS_MAX <const> = 4294967295

-- after: seconds from now; spread: up to so many more, drawn by the engine
local delay = shape.record({
  after = shape.integer(0, SECONDS_MAX),
  spread = shape.integer(0, SECONDS_MAX),
}, { "after" })

local read = shape.record({
  start = delay,
  periodic = delay,
  retry = delay,
  at = shape.record({ minute = shape.integer(0, 1439),
    spread = shape.integer(0, 86400) }, { "minute" }),
  forced = shape.integer(0, 86400 * 365),
  poll = shape.integer(1, 3600),
  reason = shape.line,
})

return {
  purpose = "when is the next resync?",
  fields = {
    event = '"boot"; "success" or "failure" of a run; "change" of parameters',
    boot_reason = 'boot: "power_on", "user", "sip", "rc", "ip_changed", '
      .. '"crash", "local_change", "resync_applied", "upgrade"',
    last = 'change: "success", "failure", or nil: there was no run yet',
    failures = "failed runs in a row",
    periods = "successful periodic runs since boot or since Resync_Periodic "
      .. "changed",
    success_seen = "was any run since boot successful?",
    ever_synced = "was any run of this store ever successful?",
  },
  answer = "{ start = { after =, spread = } (boot), periodic = {...}, "
    .. "retry = {...}, at = { minute = of the local day, spread = }, "
    .. "forced = longest wait for idle lines, poll = wait for the trigger, "
    .. "reason = }; what is left out is off",
  default = function(fields)
    local hourly, out = { after = 3600 }, { reason = "no rule file can decide" }
    if fields.event == "boot" then out.start = { after = 0, spread = 2 } end
    local failed = fields.event == "failure" or fields.last == "failure"
    out[failed and "retry" or "periodic"] = hourly
    return out
  end,
  check = function(answer)
    return read(answer == nil and {} or answer, "the answer")
  end,
}
