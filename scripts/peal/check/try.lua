--- Tries a rule file on sample phones, in the sandbox of operators' files.
local lines = require "peal.check.lines"
local plain = require("peal.check.findings").plain
local phone = require "peal.phone"
local samples = require "peal.check.samples"
local secret = require "peal.secret"
local sorted = require "peal.sorted"
local stages = require "peal.stages"
local store = require "peal.store"
local view = require "peal.view"
local virtual = require "peal.world.virtual"

local try = {}

-- A store with a sample's parameters; those that no value fits are left out.
local function store_of(schema, params)
  local st = assert(store.open { schema = schema })
  local txn = assert(st:begin())
  txn:source { author = "phone-file" }
  for _, name in ipairs(sorted.keys(params)) do txn:set(name, params[name]) end
  assert(txn:commit("initial", 0))
  return st
end

--- The phone of a sample, on a world of its own.
function try.phone(schema, sample)
  local world = virtual.new { store = store_of(schema, sample.params),
    time = sample.time, rules = {}, ask = function() end,
    device = { lines_active = sample.lines_active,
      clock_trusted = sample.clock_trusted } }
  local made = phone.new { world = world, identity = sample.identity,
    state = sample.state }
  made.keep:set("engine", "failures", sample.failures)
  return made
end

-- --- values in answers ---

-- What an answer writes: list of { name, value }.
local function written(answer)
  local list = {}
  for _, one in ipairs(answer.assigns or {}) do list[#list + 1] = one end
  for _, name in ipairs(sorted.keys(answer.change or {})) do
    list[#list + 1] = { name = name, value = answer.change[name] }
  end
  return list
end

local function check_value(about, one, place, sample)
  local name = about.schema:find(one.name)
  if not name then
    return about.parameter(one.name, place, sample.name)
  end
  if secret.holds(one.value) then
    if not about.schema:param(name).secret then
      about.findings:add("bad-value", place, ("%s: a secret may be put into "
        .. "secret parameters only"):format(name), { sample = sample.name })
    end
    return
  end
  local ok, sentence = about.schema:check(name, one.value)
  if not ok then
    about.findings:add("bad-value", place, ("%s is skipped, for its value %q "
      .. "does not fit: %s"):format(name, one.value, sentence),
      { sample = sample.name })
  end
end

-- Assignments that a phone's own rule text makes are not the file's.
local function note_writes(about, one, fields, place, sample)
  if sample.own then return end
  local rule = fields.rule and fields.rule.name
  if about.stage ~= "profile" then rule = nil end
  if rule == "rule" then return end
  about.writes(one.name, place, rule)
end

local function check_answer(about, answer, fields, place, sample)
  for _, one in ipairs(written(answer)) do
    check_value(about, one, place, sample)
    note_writes(about, one, fields, place, sample)
  end
end

-- --- one question ---

local function failed(about, sample, sentence, word, line)
  local text = plain(sentence, about.path)
  about.findings:add(word == "rule-limit" and "limit" or "fails",
    { file = about.path, line = line }, ("%s (sample: %s)"):format(text,
      sample.name), { sample = sample.name, once = text })
  return word == "rule-limit"
end

-- @return true where the file need not be asked any more: each time would
--   take as long
local function ask(about, sample, made, fields)
  local data = view.of(made, { asked_by = sample.asked_by,
    explicit = sample.explicit }, fields)
  local results, sentence, word, line, bits = about.ask(made.world.store, {},
    { stage = about.stage, path = about.path, text = about.text, view = data,
      cover = true })
  lines.add(about.ran, results and results.lines or bits or "")
  about.asked = about.asked + 1
  if not results then
    return failed(about, sample, sentence, word, line)
  end
  local answer, why = stages[about.stage].check(results[1], results[2],
    results[3], results[4])
  local place = { file = about.path, line = results.last }
  if not answer then
    about.findings:add("bad-answer", place, ("%s (sample: %s)"):format(why,
      sample.name), { sample = sample.name, once = why })
    return
  end
  check_answer(about, answer, fields, place, sample)
end

--- Try a file on samples.
--   about.stage, about.path, about.text, about.texts (in it), about.schema
--   about.ask        as world/isolation.lua has it
--   about.findings   what goes wrong
--   about.writes(name, place, rule), about.parameter(name, place, sample)
--   about.ran        set of lines that ran; about.asked is counted
function try.file(about, list)
  for _, sample in ipairs(list) do
    local made = try.phone(sample.schema or about.schema, sample)
    for _, fields in ipairs(samples.questions(about.stage, sample, about)) do
      if ask(about, sample, made, fields) then return end
    end
  end
end

return try
