--- Why does a parameter have its value? From the store alone: provenance of
-- the value, the trace kept in its revision, and the revision before it.
local civil = require "peal.civil"
local json = require "peal.json"
local shown = require "peal.shown"
local store_module = require "peal.store"

local explain = {}

local function nonempty(value)
  return value ~= "" and value ~= 0 and value or nil
end

-- The value as `text`, or the one in force, for a person.
local function value_of(store, about, text)
  return shown.value(store, { name = about.name, type = about.type,
    secret = about.secret, text = text or about.text })
end

-- The newest revision older than `number`, opened to read, or nil.
local function before(store, number, path, schema)
  if not path then return nil end
  local older
  for _, revision in ipairs(store:revisions()) do
    if revision.number < number then older = revision.number end
  end
  if not older then return nil end
  return store_module.open { schema = schema, path = path, read_only = true,
    revision = older }
end

-- The trace of the cycle that wrote the value. It is kept in the cycle's last
-- revision; the newest one that still tells of that cycle has it.
local function trace_of(store, cycle, from, where)
  local function read(st)
    local text = st:state("trace", "cycle")
    local trace = text and json.decode(text)
    return trace and trace.cycle == cycle and trace or nil
  end
  local found = read(store)
  if found or not where.path then return found end
  local list = store:revisions()
  for i = #list, 1, -1 do
    if list[i].number < from then return nil end
    local st = store_module.open { schema = where.schema, path = where.path,
      read_only = true, revision = list[i].number }
    found = st and read(st)
    if st then st:close() end
    if found then return found end
  end
end

local WANTED <const> = { rule = true, resolve = true, redirect = true,
  response = true, decode = true, fetch = true, note = true,
  trust = true }

-- Steps of the trace that belong to one rule.
local function steps_of(trace, rule)
  local out, current = json.array(), nil
  for _, step in ipairs(trace and trace.steps or {}) do
    if step.step == "rule" then current = step.rule end
    local touches = step.step == "trigger" or
      current == rule and WANTED[step.step]
    if touches then out[#out + 1] = step end
  end
  return out
end

--- All that is known of a value, as plain data. Secrets are fingerprints.
--   where.path, where.schema   to open older revisions; override: value that
--   --set gives for this run
-- @treturn table or nil for an unknown name
function explain.value(store, name, where)
  local about = store:value(name)
  if not about then return nil end
  local found = { name = about.name, value = value_of(store, about),
    type = about.type, ua = about.ua, secret = about.secret or nil,
    untyped = about.untyped or nil, default = about.is_default,
    override = where.override and (about.secret and "********"
      or value_of(store, about, where.override)) or nil }
  if about.is_default then return found end
  found.author, found.revision = about.author, about.revision
  found.rule, found.url = nonempty(about.rule), nonempty(about.url)
  found.line, found.cycle = nonempty(about.line), nonempty(about.cycle)
  for _, revision in ipairs(store:revisions()) do
    if revision.number == about.revision then
      found.time, found.cause = revision.time, revision.cause
    end
  end
  local older = before(store, about.revision, where.path, where.schema)
  local old = older and older:value(name)
  if old then
    found.overrode = { value = value_of(older, old),
      default = old.is_default, author = nonempty(old.author),
      rule = nonempty(old.rule), url = nonempty(old.url),
      line = nonempty(old.line), revision = nonempty(old.revision) }
  end
  if older then older:close() end
  if found.cycle then
    local trace = trace_of(store, found.cycle, about.revision, where)
    found.asked_by = trace and trace.asked_by
    found.steps = steps_of(trace, about.rule)
  end
  return found
end

local function origin(about)
  if about.default then return "the factory default" end
  local parts = {}
  if about.rule then parts[1] = about.rule end
  if about.author ~= "profile" then
    parts[#parts + 1] = ("(%s)"):format(about.author)
  end
  if about.url then parts[#parts + 1] = about.url end
  if about.line then
    parts[#parts + 1] = ("line %d"):format(about.line)
  end
  return table.concat(parts, " ")
end

local function rule_lines(step, add)
  add("rule", step.text)
  if step.expanded and step.expanded ~= step.text then
    add("expanded", step.expanded)
  end
  for _, alt in ipairs(step.alternatives or {}) do
    for _, c in ipairs(alt.conditions or {}) do
      add("condition", ("%s %s %s is %s"):format(c.left, c.op, c.right,
        tostring(c.verdict)))
    end
  end
end

local SAY = {
  rule = rule_lines,
  redirect = function(step, add) add("redirect", step.to) end,
  decode = function(step, add)
    add("decoded", table.concat(step.steps or {}, ", "))
  end,
  trust = function(step, add)
    add("trust", ("%s: %s%s"):format(step.accept and "let pass" or "refused",
      step.text, step.reason and step.reason ~= step.text
        and " (" .. step.reason .. ")" or ""))
  end,
  response = function(step, add)
    local parts = {}
    if step.status then parts[1] = "HTTP " .. step.status end
    if step.bytes then parts[#parts + 1] = ("%d bytes"):format(step.bytes) end
    if step.peer then parts[#parts + 1] = "from " .. step.peer end
    if step.tls and step.tls ~= "" then parts[#parts + 1] = step.tls end
    if step.text then parts[#parts + 1] = step.text end
    add("answer", table.concat(parts, ", "))
    if step.certificate then
      add("server", step.certificate.subject .. ", issued by "
        .. step.certificate.issuer
        .. (step.listed and ", believed by the lists" or ""))
    end
  end,
}

--- The same as a text for a person.
function explain.text(found)
  local lines = { ("%s = %q"):format(found.name, found.value) }
  local function add(label, text)
    if text and text ~= "" then
      lines[#lines + 1] = ("  %-10s %s"):format(label, text)
    end
  end
  add("type", ("%s, user access %s%s"):format(found.type, found.ua,
    found.secret and ", secret (a fingerprint is shown)" or ""))
  if found.override then
    add("this run", ("--set gives %q"):format(found.override))
  end
  add("from", origin(found))
  if not found.default then
    add("revision", ("%d%s%s"):format(found.revision,
      found.cycle and (", cycle %d"):format(found.cycle) or "",
      found.time and ", " .. civil.iso(found.time) or ""))
    if found.asked_by then add("asked by", found.asked_by) end
    for _, step in ipairs(found.steps or {}) do
      if SAY[step.step] then SAY[step.step](step, add) end
    end
  end
  local old = found.overrode
  if old then
    add("overrode", ("%q, %s"):format(old.value, old.default
      and "the factory default" or ("revision %d: %s"):format(old.revision,
        origin(old))))
  end
  return table.concat(lines, "\n")
end

return explain
