--- peal rule: what a profile rule would do.
local json = require "peal.json"
local output = require "peal.cli.output"
local rule = require "peal.rule"
local secret = require "peal.secret"
local session = require "peal.cli.session"
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

local function describe(plan, get)
  local lines = {}
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
  for _, item in ipairs(plan.assigns or {}) do
    lines[#lines + 1] = ("assign %s = %q"):format(item.name,
      secret.mask(item.value))
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

function command.run(options)
  local text = options[1]
  if not text or options[2] then
    return nil, { sentence = "one rule, please (quote it)", word = "usage",
      code = 2 }
  end
  local open, failed = session.open(options, { read_only = true })
  if not open then return nil, failed end
  local plan, sentence, word, detail = rule.decide(text,
    open.phone:variables(), { kind = "profile" })
  if not plan then
    return nil, { sentence = sentence, word = word,
      place = detail and detail.at and { byte = detail.at } }
  end
  local get = fetch_of(open.phone, plan.fetch)
  if options.json then
    local assigns = json.array()
    for i, item in ipairs(plan.assigns or {}) do
      assigns[i] = { name = item.name, value = secret.mask(item.value) }
    end
    output.json { action = plan.action, reason = plan.reason,
      assigns = assigns, fetch = get, trace = plan.trace }
  else
    output.print(table.concat(describe(plan, get), "\n"))
  end
  for _, warning in ipairs(plan.trace.warnings or {}) do
    output.say("%s", warning)
  end
  return 0
end

return command
