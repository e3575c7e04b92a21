--- peal params: list parameters.
local json = require "peal.json"
local output = require "peal.cli.output"
local session = require "peal.cli.session"

local params = {
  name = "params",
  usage = "[PATTERN ...]",
  summary = "List parameters with value, type, access and source.",
  details = "PATTERN matches names; * stands for any text. A secret is shown "
    .. "as its\nfingerprint.",
  options = {
    { "--changed", nil, "only what somebody wrote" },
    { "--type", "TYPE", "only this type, such as Bool" },
    { "--ua", "ACCESS", "only this access: na, ro or rw" },
    { "--secrets", nil, "only secrets" },
    { "--unknown", nil, "only names kept though no registry knows them" },
  },
  examples = { "peal params 'Profile_Rule*' --store st",
    "peal params --changed --json --store st" },
}

-- Does `name` match a pattern in which * stands for any text? Only the last
-- star is ever tried again, so no pattern takes long.
local function matches(name, pattern)
  local n, p, star, resume = 1, 1, nil, nil
  while n <= #name do
    local c = pattern:byte(p)
    if c == 42 then -- *
      star, resume, p = p, n, p + 1
    elseif c == name:byte(n) then
      n, p = n + 1, p + 1
    elseif star then
      resume = resume + 1
      n, p = resume, star + 1
    else
      return false
    end
  end
  return not pattern:find("[^*]", p)
end

params.matches = matches

local function filter_of(options)
  return function(about)
    if options.changed and about.is_default then return false end
    if options.type and about.type ~= options.type then return false end
    if options.ua and about.ua ~= options.ua then return false end
    if options.secrets and not about.secret then return false end
    if options.unknown and not about.untyped then return false end
    if #options == 0 then return true end
    for _, pattern in ipairs(options) do
      if matches(about.name, pattern) then return true end
    end
    return false
  end
end

local function source_of(about)
  if about.override then return "--set" end
  if about.is_default then return "default" end
  local rule = about.rule ~= "" and about.rule or about.author
  if (about.line or 0) > 0 then
    return ("%s line %d"):format(rule, about.line)
  end
  return rule
end

params.source_of = source_of

local function table_of(open, list)
  local rows = { { "NAME", "VALUE", "TYPE", "UA", "SOURCE" } }
  for _, about in ipairs(list) do
    rows[#rows + 1] = { about.name,
      output.clip(output.value(open.store, about)),
      about.type, about.ua, source_of(about) }
  end
  return output.columns(rows)
end

local function data_of(open, list)
  local out = json.array()
  for i, about in ipairs(list) do
    out[i] = { name = about.name, value = output.value(open.store, about),
      type = about.type, ua = about.ua, secret = about.secret or nil,
      default = about.is_default, override = about.override,
      author = about.author, rule = about.rule,
      url = about.url, line = about.line, cycle = about.cycle,
      revision = about.revision }
  end
  return out
end

-- A value of --set, for this run only.
local function take_override(about, text)
  if not text then return end
  about.text, about.override = text, true
end

local ACCESS <const> = { na = true, ro = true, rw = true }

local function types_of(schema)
  local seen, list = {}, {}
  for _, name in ipairs(schema:names()) do
    seen[schema:param(name).type] = true
  end
  for name in pairs(seen) do list[#list + 1] = name end
  table.sort(list)
  return seen, list
end

-- Choices of --type and --ua that there are.
local function check_choices(options, schema)
  local wrong
  if options.ua and not ACCESS[options.ua] then
    wrong = "--ua is na, ro or rw"
  elseif options.type then
    local known, list = types_of(schema)
    wrong = not known[options.type]
      and "--type is one of " .. table.concat(list, ", ")
  end
  if not wrong then return true end
  return nil, { sentence = wrong, word = "usage", code = 2 }
end

function params.run(options)
  local open, failed = session.open(options, { read_only = true })
  if not open then return nil, failed end
  local good
  good, failed = check_choices(options, open.schema)
  if not good then return nil, failed end
  local wanted, list = filter_of(options), {}
  for about in open.store:each() do
    take_override(about, open.phone.overrides[about.name])
    if wanted(about) then list[#list + 1] = about end
  end
  if options.json then
    output.json(data_of(open, list))
  elseif #list == 0 then
    output.say("no parameter matches")
  else
    output.print(table_of(open, list))
  end
  return 0
end

return params
