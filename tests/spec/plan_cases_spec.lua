-- What a plan says is what the next resync then does: in cases drawn by fixed
-- seeds, over stores, rules, profiles, failures and rule files of all kinds.
local dry_run = require "peal.dry_run"
local json = require "peal.json"
local outcome = require "peal.daemon.outcome"
local plans = require "support.plans"

local SEEDS <const> = 500

-- All that a result says, without what only tells runs apart.
local function public(phone, result)
  local done = outcome.of(phone, result, true)
  done.public.told = done.told
  return done.public, done.steps
end

-- The first resync that an engine has scheduled.
local function scheduled(engine)
  for _, due in ipairs(engine:status().next) do
    if due.what == "resync" then
      return { cause = due.cause, earliest = due.earliest,
        latest = due.latest }
    end
  end
end

local function planned_next(result)
  local due = result.schedule.after
  return due and { cause = due.cause, earliest = due.earliest,
    latest = due.latest }
end

local function values(store)
  local out = {}
  for about in store:each() do
    if not about.is_default then
      out[about.name] = { about.text, about.ua, about.user_modified,
        about.author, about.rule, about.url, about.line, about.revision }
    end
  end
  return out
end

local function effect(result, kind)
  for _, one in ipairs(result.effects) do
    if one.kind == kind then return one end
  end
end

-- One case: the plan, then the resync.
local function compare(seed)
  local case = plans.case(seed)
  local lab = plans.lab(case)
  local said, at = json.encode(lab.told), #lab.world.datagrams
  local revision, asked = lab.store:revision(), #lab.asked
  local before, memory = values(lab.store), json.encode(lab.phone.keep.waiting)
  local e = lab.engine
  local planned = lab.world.run(dry_run.cycle, lab.phone, { rule = case.rule,
    asked_by = "test", engine = e:status(), progress = { periods = e.periods,
      failures = e.failures, success_seen = e.success_seen,
      last_outcome = e.last_outcome, at_day = e.at_day,
      reboot_needed = e.reboot_needed } })
  local want, want_steps = public(planned.phone, planned)

  assert.equal(revision, lab.store:revision(), "the plan wrote")
  assert.same(before, values(lab.store))
  assert.equal(memory, json.encode(lab.phone.keep.waiting))
  assert.equal(said, json.encode(lab.told), "the plan told")
  assert.equal(at, #lab.world.datagrams, "the plan sent")
  assert.equal(0, #lab.loads, "the plan acted")
  local plan_asked = table.move(lab.asked, asked + 1, #lab.asked, 1, {})

  local real, written, due -- as they are at its end: others may follow
  local ok, sentence = e:resync { by = "test", rule = case.rule,
    done = function(result)
      real, written, due = result, values(lab.store), scheduled(e)
    end }
  if not ok then
    assert.equal("refused", planned.outcome)
    assert.equal(sentence, planned.reason)
    return "off"
  end
  lab:advance(lab.world.now().mono)
  assert(real, "the resync does not end")
  local got, got_steps = public(lab.phone, real)
  assert.same(got, want)
  assert.same(got_steps, want_steps)
  assert.same(written, values(planned.phone.world.store))
  assert.same(due, planned_next(planned))
  local upgrade, reboot = effect(planned, "upgrade"), effect(planned, "reboot")
  assert.equal(lab.loads[1], upgrade and upgrade.load)
  assert.equal(#lab.reboots > 0, upgrade ~= nil
    or reboot ~= nil and not reboot.waits)
  for i, url in ipairs(plan_asked) do
    assert.equal(lab.asked[asked + #plan_asked + i], url)
  end
  return got.outcome, #got.changes
end

describe("a plan", function()
  it("says in 500 drawn cases what the next resync then does", function()
    local seen = {}
    for seed = 1, SEEDS do
      local ok, what, changes = xpcall(compare, function(text)
        return debug.traceback(tostring(text))
      end, seed)
      if not ok then error(("seed %d: %s"):format(seed, what), 0) end
      seen[what] = (seen[what] or 0) + 1
      if changes and changes > 0 then
        seen.changed = (seen.changed or 0) + 1
      end
    end
    if os.getenv("PEAL_PLANS") then print(json.encode(seen)) end
    -- the draw has all kinds
    for what, least in pairs { success = 100, failure = 50, refused = 10,
      changed = 100 } do
      assert(seen[what] and seen[what] >= least, what)
    end
  end)
end)
