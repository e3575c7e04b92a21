--- peal check: rule files, before a phone sees them.
local json = require "peal.json"
local output = require "peal.cli.output"
local phone_file = require "peal.cli.phone_file"
local rule_files = require "peal.world.rule_files"
local session = require "peal.cli.session"
local sorted = require "peal.sorted"
local sys = require "peal.sys"
local task = require "peal.task"

local command = {
  name = "check",
  usage = "DIR",
  summary = "Check the rule files of a folder: load them, read them as a "
    .. "compiler would,\nand try them on sample phones. Nothing is changed.",
  details = "Prints FILE:LINE:COLUMN: severity: sentence [code], as compilers "
    .. "do;\ndocs/check.md has each code with its cure. Exit code 1 where "
    .. "there are errors.\nA maker's own parameters are known with --phone.",
  options = {
    { "--against", "DIR", "try them on the phone files of this folder too" },
    { "--properties", nil, "run whole phones as well, see docs/check.md" },
    { "--strict", nil, "exit code 1 for warnings as well" },
  },
  examples = { "peal check rules.d", "peal check rules.d --strict --json",
    "peal check rules.d --against phones --properties" },
}

local function usage(sentence, next_step)
  return nil, { sentence = sentence, word = "usage", code = 2,
    next = next_step }
end

-- The *.lua files of a folder, by name; hidden ones are an editor's, and no
-- phone reads them.
local function lua_files(dir)
  local names, why = sys.list(dir)
  if not names then return usage(why, "name a folder of files *.lua") end
  local out = {}
  for _, name in ipairs(names) do
    if name:find("^[^.].*%.lua$") then
      local path = dir:gsub("/+$", "") .. "/" .. name
      local text, problem = rule_files.text(path, sys.stat(path))
      out[name] = { path = path, text = text, error = problem }
    end
  end
  return out
end

-- The operator's phones; nil and a failure.
local function phones_of(dir, known)
  if not dir then return {} end
  local found, failed = lua_files(dir)
  if not found then return nil, failed end
  local out = {}
  for _, name in ipairs(sorted.keys(found)) do
    local one = found[name]
    if one.error then return usage(one.error) end
    one.file, failed = phone_file.read(one.path)
    if not one.file then return nil, failed end
    one.schema, failed = session.schema({ phone = one.path }, known)
    if not one.schema then return nil, failed end
    out[#out + 1] = one
  end
  if #out == 0 then return usage(dir .. ": no phone file is there") end
  return out
end

-- A worker process as phones have it, asked without suspending.
local function worker()
  local loop = assert(require("peal.loop").new())
  local ask = require("peal.world.isolation").worker(loop)
  return function(...)
    local results
    local given = table.pack(...)
    task.spawn(function()
      results = table.pack(ask(table.unpack(given, 1, given.n)))
    end)
    while not results do loop:run(true) end
    return table.unpack(results, 1, results.n)
  end
end

local function plural(n, word)
  return ("%d %s%s"):format(n, word, n == 1 and "" or "s")
end

local function coverage_rows(checked)
  local rows = {}
  for _, name in ipairs(sorted.keys(checked.files)) do
    local c = checked.files[name].coverage
    if c then
      rows[#rows + 1] = { name, ("%d of %s run"):format(c.executed,
        plural(c.executable, "line")), c.asked == 1 and "asked once"
          or ("asked %d times"):format(c.asked) }
    end
  end
  return rows
end

local function show(checked)
  local text = require("peal.check.findings").text
  for _, one in ipairs(checked.findings) do output.print(text(one)) end
  local rows = coverage_rows(checked)
  if #rows > 0 then output.print(output.columns(rows)) end
  for _, one in ipairs(checked.properties or {}) do
    output.print(("%s: %s"):format(one.property, one.text))
  end
  local counts = checked.counts
  output.print(("%s, %s, %s"):format(plural(counts.error, "error"),
    plural(counts.warning, "warning"), plural(counts.note, "note")))
end

local function show_json(checked, ok)
  local found, covered = json.array(), json.array()
  for i, one in ipairs(checked.findings) do
    found[i] = { code = one.code, severity = one.severity, file = one.file,
      line = one.line, column = one.column, sentence = one.sentence,
      sample = one.sample }
  end
  for _, name in ipairs(sorted.keys(checked.files)) do
    local c = checked.files[name].coverage
    if c then
      covered[#covered + 1] = { file = name, executable = c.executable,
        executed = c.executed, missed = json.array(c.missed),
        questions = c.asked }
    end
  end
  output.json { ok = ok, findings = found, counts = checked.counts,
    coverage = covered, properties = checked.properties
      and json.array(checked.properties) }
end

function command.run(options)
  local dir = options[1] or options.rules
  if not dir or options[2] then return usage("one folder, please") end
  local found, failed = lua_files(dir)
  if not found then return nil, failed end
  local known = {}
  local schema, problem = session.schema(options, known)
  if not schema then return nil, problem end
  local phones
  phones, failed = phones_of(options.against, known)
  if not phones then return nil, failed end
  local checked = require("peal.check").run { files = found, folder = dir,
    schema = schema, phones = phones, ask = worker(),
    properties = options.properties }
  local counts = checked.counts
  local ok = counts.error == 0
    and not (options.strict and counts.warning > 0)
  if options.json then show_json(checked, ok) else show(checked) end
  return ok and 0 or 1
end

return command
