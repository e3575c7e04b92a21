--- A plan as a text: what it went by and what it came to, as names and
-- digests. It holds no value and no secret.
local inputs = require "peal.dry_run.inputs"
local json = require "peal.json"
local shown = require "peal.shown"
local visible = require "peal.visible"

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

-- Of what type each field is that apply() reads; a list is of one form
-- throughout, and so is what a name stands for.
local FORM <const> = {
  request = { digest = "string?", rule = "string?", shown = "string?" },
  before = { phone = "string",
    store = { id = "string", revision = "integer", digest = "string" },
    rules = { each = { path = "string?", digest = "string" } } },
  answers = { each = { asked = "string", id = "string", digest = "string",
    status = "integer?", bytes = "integer?", word = "string?" } },
  result = { outcome = "string",
    changes = { each = { name = "string", digest = "string" } } },
}

local has_form

local function is_of(value, kind)
  if type(kind) == "table" then return has_form(value, kind) end
  if value == nil then return kind:sub(-1) == "?" end
  return (math.type(value) or type(value)) == kind:gsub("%?", "")
end

function has_form(value, form)
  if type(value) ~= "table" then return false end
  for name, kind in pairs(form.each and value or form) do
    if not is_of(value[name], form.each or kind) then return false end
  end
  return true
end

--- Is this table a plan?
-- @return[2] nil, failure
function plan_file.check(plan)
  if type(plan) ~= "table" or plan.peal_plan == nil then
    return bad("this is no plan of peal")
  elseif plan.peal_plan ~= VERSION then
    return bad("this plan is of another version of peal")
  elseif not has_form(plan, FORM) then
    return bad("this plan is damaged")
  elseif plan.result.outcome ~= "success" then
    return bad("this plan is of a resync that does not work")
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
    .. "file does not hold"):format(visible.line(request.shown or "?")),
    word = "usage", code = 2,
    next = "give it again: peal apply FILE 'RULE'" }
end

return plan_file
