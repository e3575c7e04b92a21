-- From Monday to Friday, 8 to 18 o'clock, nothing is changed that makes the
-- phone restart, unless somebody asked for the resync. The next one outside of
-- these hours brings it.
--   in    phone.explicit     true: somebody asked
--         phone.changes      list of { name, new, reboot, ... }
--         phone.local_time   { hour =, wday = (1: Sunday), ... }
--   out   nil: all of them, or { refuse = { NAME = reason } }

local function is_at_work(t)
  return t.wday >= 2 and t.wday <= 6 and t.hour >= 8 and t.hour < 18
end

local function decide(phone)
  if phone.explicit or not is_at_work(phone.local_time) then
    return nil
  end
  local refuse = {}
  for _, change in ipairs(phone.changes) do
    if change.reboot then
      refuse[change.name] = "needs a restart, and it is working time"
    end
  end
  return { refuse = refuse }
end

return { stage = "apply", decide = decide }
