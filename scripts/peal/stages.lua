--- Every decision that a rule file may take: what it is shown, what it answers.
-- The view's fields are plain data, read-only. Secrets are references that can
-- be joined and passed on (see secret.lua).
--
-- stages.NAME (one file each in stages/):
--   purpose   the question, for people
--   fields    what its view has on top: name -> words
--   answer    the form of the answer, for people
--   check     function(...) what decide() returned -> the answer in the
--             stage's form, a copy of our own; or nil and a sentence
--   default   function(view's fields, param) -> what the phone does where no
--             rule can be asked, not even the factory's, in the stage's form;
--             param(name) gives a parameter
--   fails_closed  true: a broken file makes way for the factory's at once, not
--             for its last good copy
local stages = {}

--- What every view has.
stages.common = {
  param = "param.NAME: text of a parameter, nil for an unknown name",
  identity = "PN, PSN, SN, MAC, SWVER, HWVER, IP, EXTIP, CCERT ...",
  state = "PRVST, PRVTMR, UPGTMR, REGTMR1 ... as macros show them",
  asked_by = '"cli", "boot", "periodic", "at", "retry", "url", "notify" ...',
  explicit = "true: somebody asked; false: a timer did",
  since_resync = "seconds",
  since_upgrade = "seconds",
  failures = "failed resyncs in a row",
  lines_active = "calls at the moment",
  now = "seconds since 1970, UTC",
  local_time = "the same where the phone stands: { year, month, day, hour, "
    .. "min, sec, minute (of the day), wday (1: Sunday), days (since 1970) }",
}

--- Names, in the order of a cycle.
stages.names = { "trigger", "profile", "apply", "upgrade", "headset",
  "report", "certificate", "health", "schedule", "privacy", "trust" }

for _, name in ipairs(stages.names) do
  stages[name] = require("peal.stages." .. name)
end

return stages
