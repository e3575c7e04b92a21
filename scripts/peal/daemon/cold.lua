--- Modules that a phone takes to work, and can do without while it waits.
-- What require() gives for one of these is a stand-in that loads the module
-- when something of it is used, from the program's own read-only pages; while
-- nothing is due they are forgotten, and half of an idle process with them.
-- Only modules without state belong here: each time they begin anew.
local cold = {}

--- Their names.
cold.names = {}

for name in ([[
  account alias cause certificates classic condition cycle cycle.context
  cycle.download cycle.values daemon.methods daemon.outcome daemon.reboot
  daemon.record
  daemon.revert daemon.snapshot daemon.write
  engine.changes engine.forecast engine.notify engine.parts engine.plan
  engine.status engine.work environment headset headset_manifest health
  history image last_resync macro messages privacy quarantine report
  report.baseline report.contents report.status retrieve revisions rule
  rules.factory rules.memory rules.set schedule shape shown sip_message
  stages stages.apply stages.certificate stages.headset
  stages.health stages.privacy stages.profile stages.report stages.schedule
  stages.trigger stages.trust stages.upgrade
  syslog tls_policy tls_policy.dns_check tls_policy.second_look trace
  transport upgrade url version view
  custom_ca custom_ca.bundle daemon.certificates engine.certificates
  daemon.ca host_certificate host_certificate.calendar host_certificate.desk
  host_certificate.distribution host_certificate.pair host_certificate.states
  base64 est mic mic.pending mic.service
  daemon.apply dry_run dry_run.apply dry_run.effects dry_run.inputs
  dry_run.plan_file sip_identity world.dry world.settled
  cli.advice cli.get cli.phone_file cli.remote cli.session
]]):gmatch("%S+") do cold.names["peal." .. name] = true end

--- Functions, which nothing can stand in for; only modules of above use them.
cold.functions = { "peal.classic.schedule", "peal.rule.parse",
  "peal.rule.redact", "peal.rule.server", "peal.rule.target",
  "peal.revisions.put_back" }

-- Used by modules of above only, and not at their beginning.
local OTHERS <const> = { "peal.classic.headset", "peal.classic.privacy",
  "peal.classic.report", "peal.classic.upgrade", "peal.registry",
  "peal.cassette", "peal.cassette.over", "peal.cassette.take",
  "peal.world.recorder", "peal.world.tape", "peal.world.tape_form",
  "peal.world.tape_marks",
  "peal.tls_policy.weaknesses" }

local loaded, installed = {}, false

-- Finds stand-ins; it is passed over where the module itself is looked for.
local search

local function load_module(name)
  for _, searcher in ipairs(package.searchers) do
    if searcher ~= search then
      local loader, extra = searcher(name)
      if type(loader) == "function" then
        loaded[name] = loader(name, extra)
        return loaded[name]
      end
    end
  end
  error("no module " .. name)
end

-- Where a stand-in has its module's name: no module has a field of this key.
local NAME <const> = {}

local function module_of(stand_in)
  local name = rawget(stand_in, NAME)
  return loaded[name] or load_module(name)
end

-- All of them share it: there are a hundred, and they stay.
local STAND_IN <const> = {
  __index = function(stand_in, key) return module_of(stand_in)[key] end,
  __pairs = function(stand_in) return pairs(module_of(stand_in)) end,
}

local function stand_in_for(name)
  return setmetatable({ [NAME] = name }, STAND_IN)
end

function search(name)
  return cold.names[name] and stand_in_for
end

--- From now on, require() gives stand-ins for what was not loaded yet.
function cold.install()
  if installed then return end
  installed = true
  table.insert(package.searchers, 1, search)
  -- side by side now: later they would lie between what is forgotten, and hold
  -- its pages
  for name in pairs(cold.names) do require(name) end
end

--- Let go of what is not in use.
function cold.forget()
  loaded = {}
  for _, list in ipairs { cold.functions, OTHERS } do
    for _, name in ipairs(list) do package.loaded[name] = nil end
  end
end

return cold
