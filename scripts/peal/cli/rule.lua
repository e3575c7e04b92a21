--- peal rule: what a profile rule would do.
local json = require "peal.json"
local output = require "peal.cli.output"
local rule = require "peal.rule"
local secret = require "peal.secret"
local session = require "peal.cli.session"
local shown = require "peal.shown"
local url = require "peal.url"

local command = {
  name = "rule",
  usage = "TEXT",
  summary = "Say what a profile rule would do now: which alternative, which "
    .. "assignments,\nwhich URL. Nothing is fetched.",
  options = {},
  examples = { "peal rule '($PRVTMR ge 600)? http://h/a | http://h/b' "
    .. "--phone phone.lua" },
}

local function fetch_of(phone, get)
  if not get then return nil end
  local u = get.url
  if not u.host then
    local list = rule.default_server(u, phone.dhcp,
      phone:param("DHCP_Option_To_Use") or "", phone:variables())
    u = list and list[1] or u
  end
  return { url = url.format(u), host = u.host, path = u.path, port = u.port,
    scheme = u.scheme, key = get.key and "***", pwd = get.pwd and "***",
    uid = get.uid and secret.mask(get.uid), post = get.post, put = get.put,
    alias = get.alias, srv = get.srv }
end

-- What a resync would make of the assignments: why it would skip one.
local function assigns_of(open, plan)
  local list = json.array()
  for i, item in ipairs(plan.assigns or {}) do
    local hidden = shown.is_secret(open.store, item.name)
    local known = open.schema:find(item.name)
    local out = { name = item.name,
      value = hidden and "********" or secret.mask(item.value) }
    local value, sentence = secret.resolve(item.value,
      function(name) return open.phone:secret(name) end)
    if value and known then
      value, sentence = open.schema:check(known, value)
    elseif value and not open.phone.keep_unknown then
      value, sentence = nil, "no such parameter"
    end
    out.skipped = not value and sentence or nil
    list[i] = out
  end
  return list
end

local function assign_line(item)
  return ("assign %s = %q%s"):format(item.name, item.value, item.skipped
    and (" (would be skipped: %s)"):format(item.skipped) or "")
end

local function describe(plan)
  local lines, get = {}, plan.fetch
  for _, alt in ipairs(plan.trace.alternatives) do
    for _, c in ipairs(alt.conditions or {}) do
      lines[#lines + 1] = ("%s %s %s is %s"):format(c.left, c.op, c.right,
        tostring(c.verdict))
    end
  end
  if plan.action == "skip" then
    lines[#lines + 1] = "skip: " .. plan.reason
    return lines
  end
  for _, item in ipairs(plan.assigns) do
    lines[#lines + 1] = assign_line(item)
  end
  if get then
    local method = get.post and "POST GPP_" .. get.post:upper()
      or get.put and "PUT GPP_" .. get.put:upper() or "GET"
    lines[#lines + 1] = ("%s %s"):format(method, get.url)
    for _, name in ipairs { "key", "uid", "pwd", "alias" } do
      if get[name] then
        lines[#lines + 1] = ("  --%s %s"):format(name, get[name])
      end
    end
    if get.srv then lines[#lines + 1] = "  --srv" end
    if not get.host then
      lines[#lines + 1] = "  no server: DHCP offers none"
    end
  end
  return lines
end

local function next_of(detail)
  local trace = detail and detail.trace
  if trace and trace.expanded and trace.expanded ~= trace.text then
    return "it was expanded to: " .. output.clip(trace.expanded, 200)
  end
  return "a rule looks like: '[--key K] (CONDITION)? http://host/$MA.xml'"
end

--- What a rule would do now, as plain data without secrets.
--   open   phone, store, schema
-- @return[2] nil, failure
function command.decide(open, text)
  local plan, sentence, word, detail = rule.decide(text,
    open.phone:variables(), { kind = "profile",
      is_secret = function(name) return shown.is_secret(open.store, name) end })
  if not plan then
    return nil, { sentence = sentence, word = word,
      place = detail and detail.at and { byte = detail.at },
      next = next_of(detail) }
  end
  return { action = plan.action, reason = plan.reason,
    assigns = assigns_of(open, plan), fetch = fetch_of(open.phone, plan.fetch),
    trace = plan.trace }
end

function command.run(options)
  local text = options[1]
  if not text or options[2] then
    return nil, { sentence = "one rule, please (quote it)", word = "usage",
      code = 2 }
  end
  local open, failed = session.open(options, { read_only = true })
  if not open then return nil, failed end
  local plan
  plan, failed = command.decide(open, text)
  if not plan then return nil, failed end
  if options.json then
    output.json(plan)
  else
    output.print(table.concat(describe(plan), "\n"))
  end
  for _, warning in ipairs(plan.trace.warnings or {}) do
    output.say("%s", warning)
  end
  return 0
end

return command
