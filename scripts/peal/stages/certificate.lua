--- certificate: is a certificate of the phone's own made anew now?
local shape = require "peal.shape"

local SECONDS_MAX <const> = 4294967295

local read = shape.record({
  renew = shape.boolean,
  after = shape.integer(0, SECONDS_MAX),
  spread = shape.integer(0, SECONDS_MAX),
  reason = shape.line,
}, { "renew" })

return {
  purpose = "is a certificate of the phone's own made anew now?",
  fields = {
    what = '"mic": the phone\'s own, which a service renews; "host": the '
      .. "one that it makes for the terminals it serves",
    event = '"boot", "daily", "change" (of a parameter that has to do with '
      .. 'it), "retry" (the time that was asked for has come), "request"; '
      .. 'of a host certificate also "address", "clock", "terminal"',
    enabled = "do the parameters want it?",
    forced = "somebody insists, whatever the dates say",
    not_before = "of the certificate in use, seconds since 1970; nil: there "
      .. "is none",
    not_after = "of the certificate in use; nil: there is none",
    next_run = "when the next attempt is to be, seconds since 1970: a day "
      .. "after one that failed, or as the service has asked; nil: at once. "
      .. "Of a host certificate: by Cert_Regen_Days and Cert_Regen_Time",
    due = "has that time come? (Of a host certificate: or is there another "
      .. "reason to make one by itself?)",
    stale = "host: is it for an address that the phone has no more?",
    pending = "has the service been asked, and wants to be asked again?",
    clock = "is the phone's clock set?",
    failures = "failed attempts in a row",
  },
  answer = "{ renew = true or false, after = seconds until it is asked next "
    .. "(nil: a day), spread = up to so many more, reason = }",
  default = function()
    return { renew = false, reason = "no rule file can decide" }
  end,
  check = function(answer) return read(answer, "the answer") end,
}
