--- What a change of parameters means for the engine: only what it concerns is
-- armed anew, from now.
-- Source: MPP provisioning guide, Provision_Enable; our choice.
local certificates = require "peal.engine.certificates"
local clock = require "peal.engine.clock"
local parts = require "peal.engine.parts"
local plan = require "peal.engine.plan"
local say = require "peal.engine.say"

local changes = {}

local function set_of(names)
  local set = {}
  for _, name in ipairs(names) do set[name] = true end
  return set
end

local SCHEDULE <const> = set_of { "Resync_Periodic",
  "Resync_Error_Retry_Delay", "Resync_At__HHmm_", "Resync_At_Random_Delay",
  "Forced_Resync_Delay", "Resync_Random_Delay", "Resync_On_Reset",
  table.unpack(clock.names) }

local UPGRADE <const> = set_of { "Upgrade_Rule", "Upgrade_Enable",
  "Downgrade_Rev_Limit" }

local function touches(names, set)
  for name in pairs(set) do
    if names[name] then return true end
  end
  return false
end

local function touches_reports(names)
  for name in pairs(names) do
    if name:find("^Report_") or name:find("^Upload_")
      or name:find("^Periodic_Upload_")
    then
      return true
    end
  end
  return false
end

--- No resync from now on.
function changes.switch_off(e)
  for _, name in ipairs { "start", "periodic", "at", "retry", "gate",
    "force" } do
    e.timers:cancel(name)
  end
  e.pending, e.off = nil, true
  e.queue:refuse("resync", "Provision_Enable is No")
  say.line(e, "Provision_Enable is No: no resyncs")
end

local function switch_on(e)
  e.off = false
  say.line(e, "Provision_Enable is Yes: resyncs are on")
  plan.arm(e, plan.ask(e, "change"))
  if not e.ever_synced then e:request("boot") end
end

local function switch(e)
  local enabled = e.phone:yes("Provision_Enable")
  if e.off and enabled then
    switch_on(e)
  elseif not e.off and not enabled then
    changes.switch_off(e)
  end
end

-- A rule file of the operator may read any parameter: it is asked anew
-- whatever has changed. The factory's reads these.
local function schedules(e, names)
  if touches(names, SCHEDULE) then return true end
  for _, file in ipairs(e.phone.book:status()) do
    if file.stage == "schedule" then return file.state ~= "factory" end
  end
end

local function reschedule(e, names)
  if names.Resync_Periodic then e.periods = 0 end
  plan.rearm(e, plan.ask(e, "change"), names)
end

--- Take a change in.
--   names   set of names
--   about   by: who changed them; armed: the schedule was asked since; user:
--           a person did
function changes.take(e, names, about)
  if names.Provision_Enable then switch(e) end
  if not e.off and not about.armed and schedules(e, names) then
    reschedule(e, names)
  end
  -- a resync is followed by questions about upgrades and headsets anyway
  if about.by ~= "resync" then
    if touches(names, UPGRADE) then parts.upgrade(e, { event = "change" }) end
    if names.Cisco_Headset_Upgrade_Rule then parts.headset(e, "change") end
  end
  certificates.changed(e, names)
  if touches_reports(names) then parts.report(e, "mode") end
  if about.user then parts.report(e, "change") end
end

return changes
