--- Carry out a plan, if all that it went by is still as it was.
-- First everything is fetched and compared, in a dry run; then the real cycle
-- runs over the answers just fetched (world/settled.lua). Nothing is fetched
-- twice, and nothing happens between the comparison and the commit.
local cycle = require "peal.cycle"
local dry_run = require "peal.dry_run"
local inputs = require "peal.dry_run.inputs"
local put_back = require "peal.revisions.put_back"
local revisions = require "peal.revisions"
local settled = require "peal.world.settled"
local visible = require "peal.visible"

local apply = {}
apply.__index = apply

-- Names that a sentence shows.
local SHOWN <const> = 5

local function some(names)
  if #names <= SHOWN then return table.concat(names, ", ") end
  return ("%s and %d more"):format(table.concat(names, ", ", 1, SHOWN),
    #names - SHOWN)
end

-- Longest list of it, bytes: the file of a plan may be anybody's.
local SENTENCE_MAX <const> = 2000

local function changed(what)
  return nil, { word = "changed", sentence = "not applied: "
    .. visible.line(table.concat(what, "; "), SENTENCE_MAX),
    next = "look at it anew: peal plan --out FILE" }
end

-- --- what is another -------------------------------------------------------

-- Names of values that are not as they were at a revision, where that is
-- still there.
local function names_since(store, number)
  local past = number < store:revision() and store:past(number)
  if not past then return "" end
  local names = {}
  for i, one in ipairs(revisions.compare(past, store)) do
    names[i] = one.name
  end
  past:close()
  return #names > 0 and (": " .. some(names)) or ""
end

local function compare_before(store, was, is)
  local out = {}
  if was.phone ~= is.phone then
    out[#out + 1] = "the phone is another (its identity, its account, what "
      .. "DHCP told it, or --set)"
  end
  if was.store.digest ~= is.store.digest then
    out[#out + 1] = ("the store has changed since revision %s%s"):format(
      was.store.revision, names_since(store, was.store.revision))
  end
  local files = inputs.changed_rules(was.rules, is.rules)
  if files[1] then
    out[#out + 1] = "rule files have changed: " .. some(files)
  end
  return out
end

local function said(answer)
  return answer.word or ("%s%s bytes"):format(answer.status
    and ("HTTP %s, "):format(answer.status) or "", answer.bytes or 0)
end

local function compare_answers(was, is)
  for i = 1, math.max(#was, #is) do
    local a, b = was[i], is[i]
    if not a or not b or a.id ~= b.id then
      if not b then return a.asked .. " is not asked for any more" end
      return b.asked .. " was not asked for in the plan"
    elseif a.digest ~= b.digest then
      return ("%s has changed (%s; in the plan %s)"):format(a.asked, said(b),
        said(a))
    end
  end
end

local function compare_results(was, is)
  if was.outcome ~= is.outcome then
    return ("the resync would end otherwise: %s, and not %s"):format(
      is.outcome, was.outcome)
  end
  local seen, names = {}, {}
  for _, one in ipairs(was.changes) do seen[one.name .. one.digest] = true end
  for _, one in ipairs(is.changes) do
    local id = one.name .. one.digest
    if not seen[id] then names[#names + 1] = one.name end
    seen[id] = nil
  end
  for id in pairs(seen) do names[#names + 1] = id:sub(1, -65) end
  if names[1] then
    table.sort(names)
    return "other values would be written: " .. some(names)
  end
end

-- --- the first phase -------------------------------------------------------

-- The rule of a plan, or nil and why it is not that one.
local function check_rule(phone, plan, rule)
  if inputs.rule(phone.world.store, rule) == plan.request.digest then
    return true
  end
  return changed { "the rule is another than that of the plan" }
end

local function check_before(phone, plan)
  local store, is = phone.world.store, inputs.before(phone)
  if plan.before.store.id ~= is.store.id then
    return changed { "this plan is of another store" }
  end
  local what = compare_before(store, plan.before, is)
  if what[1] then return changed(what) end
  return true
end

--- Fetch and compare everything. Runs in a task.
--   plan      as plan_file.check() has it
--   about     rule (a text, or nil), asked_by
-- @treturn[1] table whose carry_out() may be called at once
-- @return[2] nil, failure; "changed": named is what is another
function apply.check(phone, plan, about)
  local ok, failed = check_before(phone, plan)
  if ok then ok, failed = check_rule(phone, plan, about.rule) end
  if not ok then return nil, failed end
  local store, what = phone.world.store, {}
  local began, revision = phone.world.now(), store:revision()
  local result, sentence, word = dry_run.cycle(phone, about)
  if not result then return nil, { sentence = sentence, word = word } end
  what[1] = compare_answers(plan.answers,
    inputs.answers(store, result.world.asked))
    or compare_results(plan.result, inputs.result(store, result))
  if not what[1] and store:revision() ~= revision then
    what[1] = "the store was written to while everything was looked at"
  end
  if what[1] then return changed(what) end
  return setmetatable({ phone = phone, about = about, plan = plan,
    world = settled.new(phone.world, began, result.world.asked) }, apply)
end

-- --- the second phase ------------------------------------------------------

-- Take back what was committed before the cycle failed.
local function undo(phone, before, result)
  local txn, sentence = phone.world.store:begin()
  if not txn then return nil, sentence end
  txn:source { author = "revert", cycle = result.cycle }
  txn:keep_unknown(true)
  for _, change in ipairs(result.changes) do
    local old = before:value(change.name)
    local ok
    if old then
      ok, sentence = put_back(txn, change.name, old)
    else -- a name that no registry knows, and that was not kept before
      ok, sentence = txn:reset(change.name)
    end
    if not ok then
      txn:abort()
      return nil, sentence
    end
  end
  local revision
  revision, sentence = txn:commit("undo", math.floor(
    phone.world.now().time))
  return revision, sentence
end

-- It was all looked at before: what fails now is the store.
local function check_result(self, before, result)
  local phone = self.phone
  local differs = compare_results(self.plan.result,
    inputs.result(before, result))
  if not differs then return end
  local text = result.failure and result.failure.sentence or differs
  if #result.changes > 0 then
    local ok, sentence = undo(phone, before, result)
    text = ok and text .. "; what was written is taken back"
      or ("%s; what was written stays: %s"):format(text, sentence)
  end
  self.failed = { sentence = "not applied: " .. text,
    word = result.failure and result.failure.word or "changed" }
end

--- The cycle itself. Nothing suspends before it is over.
-- @treturn table the run, see cycle.new(); its result
-- @treturn[2] table failure, where the store did not take all of it
function apply:carry_out()
  local phone = self.phone
  local real = phone.world
  local before = assert(real.store:copy())
  phone.world = self.world
  local ok, run = pcall(function()
    local run = cycle.new(phone, { asked_by = self.about.asked_by,
      explicit = true, prvst = -1, rule = self.about.rule })
    if cycle.gate(run).pass then cycle.carry_out(run) end
    return run
  end)
  phone.world = real
  if phone.clock and phone.clock.world == self.world then phone.clock = nil end
  if not ok then error(run, 0) end
  check_result(self, before, run.result)
  before:close()
  return run, self.failed
end

return apply
