--- A plan as a text: what it went by and what it came to, as names and
-- digests. It holds no value and no secret.
local inputs = require "peal.dry_run.inputs"
local json = require "peal.json"
local shown = require "peal.shown"

local plan_file = {}

-- Of the form of such files.
local VERSION <const> = 1

-- Longest one, bytes: a frame of the control socket holds it.
plan_file.max = 900 * 1024

local function bad(sentence)
  return nil, { sentence = sentence, word = "invalid",
    next = "write it anew: peal plan --out FILE" }
end

local function request_of(store, rule)
  if not rule then return {} end
  local redacted = shown.rule(store, rule)
  return { digest = inputs.rule(store, rule),
    rule = redacted == rule and rule or nil, shown = redacted }
end

--- The plan of a dry run.
-- @param phone    that it was of
-- @param before   inputs.before(phone), taken before the run
-- @param result   of dry_run.cycle()
-- @tparam[opt] string rule that it was of
function plan_file.of(phone, before, result, rule)
  local store = phone.world.store
  local effects = json.array {}
  for i, effect in ipairs(result.effects) do effects[i] = effect.kind end
  return { peal_plan = VERSION, time = math.floor(phone.world.now().time),
    request = request_of(store, rule), before = before,
    answers = inputs.answers(store, result.world.asked),
    result = inputs.result(store, result), effects = effects }
end

--- The text of a plan.
function plan_file.encode(plan)
  return json.encode(plan, true) .. "\n"
end

-- Tables where a plan has tables.
local FORM <const> = { "request", "before", "answers", "result" }
local BEFORE <const> = { store = "table", rules = "table", phone = "string" }

-- Are these the lists and names that apply() reads?
local function is_list(list, fields)
  if type(list) ~= "table" then return false end
  for _, one in ipairs(list) do
    if type(one) ~= "table" then return false end
    for _, field in ipairs(fields) do
      if type(one[field]) ~= "string" then return false end
    end
  end
  return true
end

local function has_form(plan)
  for _, name in ipairs(FORM) do
    if type(plan[name]) ~= "table" then return false end
  end
  for name, kind in pairs(BEFORE) do
    if type(plan.before[name]) ~= kind then return false end
  end
  for _, source in pairs(plan.before.rules) do
    if type(source) ~= "table" then return false end
  end
  return is_list(plan.answers, { "asked", "id", "digest" })
    and is_list(plan.result.changes, { "name", "digest" })
end

--- Is this table a plan?
-- @return[2] nil, failure
function plan_file.check(plan)
  if type(plan) ~= "table" or plan.peal_plan == nil then
    return bad("this is no plan of peal")
  elseif plan.peal_plan ~= VERSION then
    return bad("this plan is of another version of peal")
  elseif not has_form(plan) then
    return bad("this plan is damaged")
  end
  return plan
end

--- Read the text of a plan.
-- @return[2] nil, failure
function plan_file.decode(text)
  return plan_file.check(json.decode(text))
end

--- The rule that a plan is of; `given` by who applies it, where the file does
-- not hold it.
-- @treturn[1] string or nil: the stored rules
-- @return[2] false, failure
function plan_file.rule(plan, given)
  local request = plan.request
  if given and not request.digest then
    return false, { sentence = "this plan is of the stored rules: it takes no "
      .. "RULE", word = "usage", code = 2 }
  elseif not request.digest or request.rule then
    return request.rule
  elseif given then
    return given
  end
  return false, { sentence = ("this plan is of the rule %s, whose secret the "
    .. "file does not hold"):format(request.shown), word = "usage", code = 2,
    next = "give it again: peal apply FILE 'RULE'" }
end

return plan_file
