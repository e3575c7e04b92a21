--- Checks the rule files of a folder before a phone sees them: loads them where
-- phones run them, reads them as a compiler would, and tries them on samples.
-- It changes nothing and reads no file: cli/check.lua does.
local findings_of = require "peal.check.findings"
local flow = require "peal.check.flow"
local kinds = require "peal.check.kinds"
local lines = require "peal.check.lines"
local names = require "peal.check.names"
local nearest = require "peal.nearest"
local parameters = require "peal.check.parameters"
local parse = require "peal.check.parse"
local phone_text = require "peal.check.phone_text"
local rule_text = require "peal.check.rule_text"
local samples = require "peal.check.samples"
local sorted = require "peal.sorted"
local stages = require "peal.stages"
local tree = require "peal.check.tree"
local try = require "peal.check.try"
local writers = require "peal.check.writers"

local check = {}

local is_stage = {}
for _, name in ipairs(stages.names) do is_stage[name] = true end

local function at(about, node)
  return { file = about.path, line = node.line, column = node.column }
end

-- What the parts of the check report through.
local function reporter(about)
  local findings, schema = about.findings, about.schema
  function about.say(code, node, sentence)
    findings:add(code, at(about, node), sentence)
  end
  about.unknown = about.unknown or {}
  local function parameter(name, place, sample)
    if schema:find(name) then return end
    -- what stands in the text has been told of; a sample finds it again
    if sample and about.unknown[name] then return end
    about.unknown[name] = true
    local near = schema:suggest(name)
    findings:add("unknown-parameter", place, ("no such parameter: %s%s"):format(
      name, near and ("; did you mean %s?"):format(near) or ""),
      { sample = sample, once = name })
  end
  local function writes(name, place, rule)
    about.writers:add(schema:find(name) or name, about.path, place, rule)
  end
  return parameter, writes
end

-- --- loading ---

-- Why the file does not load, by the words of the sandbox.
local function loading_code(word, sentence, syntax)
  if word == "rule-limit" then return "limit" end
  if sentence:find("returns no table with a function", 1, true) then
    return "no-decide"
  elseif sentence:find(": stage is ", 1, true) then
    return "bad-stage"
  end
  return syntax and "syntax" or "fails"
end

local function loading_place(about, code, line)
  local last = about.block and about.block[#about.block]
  if code == "bad-stage" or code == "no-decide" then
    local made = about.block and tree.rule(about.block)
    local field = made and tree.field(made, code == "bad-stage" and "stage"
      or "decide")
    local node = field or made or last
    return node and at(about, node) or { file = about.path, line = line }
  end
  return { file = about.path, line = line or 1,
    column = about.syntax and about.syntax.line == line
      and about.syntax.column or 1 }
end

local function loads(about, empty)
  local ok, sentence, word, line = about.ask(empty, {}, { stage = about.stage,
    path = about.path, text = about.text })
  if ok then return true end
  local code = loading_code(word, sentence, about.syntax)
  about.findings:add(code, loading_place(about, code, line),
    findings_of.plain(sentence, about.path))
  return false
end

-- --- one file ---

local function lint(about)
  local parameter, writes = reporter(about)
  local _, decide = tree.rule(about.block)
  about.kinds = decide and kinds.find(about.block, decide) or {}
  function about.parameter(name, node) parameter(name, at(about, node)) end
  function about.writes(name, node) writes(name, at(about, node)) end
  names.check(about, about.block)
  parameters.check(about, about.block)
  flow.check(about, about.block)
  rule_text.check_calls(about, about.block)
end

local function not_covered(about, report)
  local i, missed = 1, report.missed
  while missed[i] do
    local last = i
    while missed[last + 1] and missed[last + 1] <= missed[last] + 1 do
      last = last + 1
    end
    local text = last == i and "no sample runs this line"
      or ("no sample runs lines %d to %d"):format(missed[i], missed[last])
    about.findings:add("not-covered", { file = about.path, line = missed[i] },
      text)
    i = last + 1
  end
end

local function try_samples(about, own)
  local parameter, writes = reporter(about)
  local list, texts = samples.of_file(about.block, about.schema)
  about.texts, about.ran, about.asked = texts, {}, 0
  about.parameter = parameter
  function about.writes(name, place, rule) writes(name, place, rule) end
  for _, one in ipairs { samples.built_in(), list, own } do
    try.file(about, one)
  end
  local report = lines.report(lines.places(about.block), about.ran)
  report.asked = about.asked
  not_covered(about, report)
  return report
end

local function check_name(about, name)
  local stage = name:gsub("%.lua$", "")
  if is_stage[stage] then return stage end
  local near = nearest(stage, stages.names)
  about.findings:add("unknown-stage", { file = about.path },
    ("no decision has the name %s%s"):format(stage,
      near and ("; did you mean %s.lua?"):format(near)
        or ": " .. table.concat(stages.names, ", ")))
end

-- @treturn table what is known of the file: coverage
local function check_file(options, shared, name, source)
  local about = { path = source.path, text = source.text,
    findings = shared.findings, writers = shared.writers,
    schema = options.schema, ask = options.ask }
  if not source.text then
    about.findings:add("unreadable", { file = source.path },
      findings_of.plain(source.error, source.path))
    return {}
  end
  about.stage = check_name(about, name)
  if not about.stage then return {} end
  about.block, about.syntax = parse(about.text)
  local ok = loads(about, shared.empty)
  if about.block then
    lint(about)
  elseif ok then
    about.findings:add("limit", { file = about.path, line = about.syntax.line,
      column = about.syntax.column }, "cannot be checked: "
        .. about.syntax.sentence)
  end
  if not ok or not about.block then return {} end
  return { coverage = try_samples(about, shared.samples) }
end

-- --- all of them ---

local function samples_of(phones)
  local out = {}
  for _, one in ipairs(phones or {}) do
    for _, sample in ipairs(samples.of_phone(one.path, one.file)) do
      sample.schema = one.schema
      out[#out + 1] = sample
    end
  end
  return out
end

--- Check rule files.
--   options.schema    known parameters
--   options.files     name ("apply.lua") -> { path =, text = or error = }
--   options.folder    what to name where there are none
--   options.ask       where operators' files run, see world/isolation.lua;
--                     it must not suspend
--   options.phones    list of { path, text, file, schema } of an operator's
--                     phones: samples as well, and their rules are read
--   options.properties  true: the properties of peal.check.properties as well
-- @treturn table findings (list, see check/findings.lua), counts, files (name
--   -> { coverage = { executable, executed, missed, asked } }), properties
--   (list of those that hold: { property, text })
function check.run(options)
  local findings = findings_of.new()
  local shared = { findings = findings, writers = writers.new(),
    samples = samples_of(options.phones),
    empty = assert(require("peal.store").open { schema = options.schema }) }
  local out = { files = {} }
  for _, name in ipairs(sorted.keys(options.files)) do
    out.files[name] = check_file(options, shared, name, options.files[name])
  end
  if next(options.files) == nil then
    findings:add("no-rules", { file = options.folder or "." },
      "there is no rule file *.lua here: name the folder that has them")
  end
  for _, one in ipairs(options.phones or {}) do
    phone_text.check(one, findings, shared.writers)
  end
  shared.writers:report(findings)
  if options.properties then
    out.properties =
      require("peal.check.properties").report(options, findings)
  end
  out.findings, out.counts = findings:all(), findings:counts()
  return out
end

return check
