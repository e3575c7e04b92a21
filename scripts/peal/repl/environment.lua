--- What a session has at hand: its globals, beside the standard libraries.
-- They return plain data, so that the next line can go on with it; how it is
-- printed is pretty.lua's matter.
local failure = require "peal.repl.failure"
local secret = require "peal.secret"
local sorted = require "peal.sorted"

local environment = {}

-- A module that another release may lack.
local function need(name, what)
  local ok, module = pcall(require, name)
  if ok then return module end
  failure.raise { sentence = what .. ": this program is built without it",
    word = "not-found" }
end

-- Columns in this order, when it is printed.
local function table_of(columns, list)
  return setmetatable(list or {}, { __columns = columns })
end

local function check_name(session, name)
  if type(name) ~= "string" then
    failure.raise { sentence = "the name of a parameter is a text",
      word = "invalid", next = 'such as: param.Resync_Periodic' }
  end
  if session:param(name) ~= nil then return name end
  local _, failed = require("peal.daemon.write").unknown(session.schema, name)
  failure.raise(failed)
end

-- --- parameters ---

local function param_of(session)
  return setmetatable({}, { __name = "peal.param",
    __index = function(_, name)
      return session:param(check_name(session, name))
    end,
    __newindex = function(_, name, value)
      session:write { { name, value } }
    end,
    __pairs = function()
      local each = session.store:each()
      return function()
        local about = each()
        if about then return about.name, session:param(about.name) end
      end
    end,
    __tostring = function()
      return 'parameters: param.NAME, param.NAME = "value", params "Resync*"'
    end })
end

local PARAMS <const> = { "name", "value", "type", "ua", "source" }

local function params_of(session)
  return function(...)
    local params = require "peal.cli.params"
    local shown = require "peal.shown"
    local patterns, list = { ... }, table_of(PARAMS)
    for about in session.store:each() do
      local wanted = #patterns == 0
      for _, pattern in ipairs(patterns) do
        wanted = wanted or params.matches(about.name, pattern)
      end
      if wanted then
        about.text = session.phone:param(about.name) or about.text
        list[#list + 1] = { name = about.name, ua = about.ua,
          value = shown.value(session.store, about), type = about.type,
          source = params.source_of(about) }
      end
    end
    return list
  end
end

-- --- the phone, as a rule file sees it ---

local function phone_of(session)
  local fields = {
    identity = function(phone)
      local out = {}
      if (phone.identity.MPWD or "") ~= "" then
        out.MPWD = secret.reference("MPWD", "x")
      end
      for name, value in pairs(phone.identity) do
        if name ~= "MPWD" then out[name] = value end
      end
      return out
    end,
    state = function(phone) return phone:timers() end,
    param = function() return param_of(session) end,
  }
  local function names()
    local list = sorted.keys(fields.identity(session.phone))
    for name in pairs(fields) do list[#list + 1] = name end
    return list
  end
  return setmetatable({}, { __name = "peal.phone", __fields = names,
    __index = function(_, name)
      local field = fields[name]
      if field then return field(session.phone) end
      return fields.identity(session.phone)[name]
    end,
    __newindex = function(_, name)
      failure.raise { sentence = ("the phone cannot be changed (%s)"):format(
        tostring(name)), word = "permission",
        next = "parameters can: param.NAME = value" }
    end,
    __pairs = function()
      return pairs(fields.identity(session.phone))
    end })
end

-- --- the store, to look at ---

local READERS <const> = { "state", "states", "revision", "revisions",
  "fingerprint", "notes" }

-- A method of the store. What Lua says of wrong arguments is of a call in
-- here, with the store as its first: the operator's is told.
local function reader_of(now, name)
  return function(_, ...)
    local results = table.pack(pcall(now()[name], now(), ...))
    if results[1] then return table.unpack(results, 2, results.n) end
    local why = tostring(results[2])
    local n, what = why:match("bad argument #(%d+) to '[^']*' (%(.*%))$")
    if not n then error(results[2], 0) end
    failure.raise { sentence = ("store:%s(): bad argument #%d %s"):format(name,
      n - 1, what), word = "invalid" }
  end
end

-- What a store can be asked. now() is the store; hide(name, text) stands for
-- a secret.
local function readers_of(now, hide)
  local facade = {}
  function facade.value(_, name)
    local about = now():value(name)
    if about and about.secret then about.text = hide(name, about.text) end
    return about
  end
  function facade.get(_, name)
    local about = facade.value(nil, name)
    return about and about.text
  end
  function facade.each()
    local each = now():each()
    return function()
      local about = each()
      return about and facade.value(nil, about.name)
    end
  end
  for _, name in ipairs(READERS) do facade[name] = reader_of(now, name) end
  return facade
end

local function store_of(session)
  local facade = readers_of(function() return session.store end,
    secret.reference)
  local value = facade.value
  function facade.value(_, name)
    return value(nil, check_name(session, name))
  end
  function facade.get(_, name)
    return session:param(check_name(session, name))
  end
  return setmetatable({}, { __name = "peal.store", __index = facade,
    __newindex = function()
      failure.raise { sentence = "the store can only be looked at here",
        word = "permission", next = "write: param.NAME = value, then :commit" }
    end,
    __tostring = function()
      return tostring(session.store) .. ", to look at"
    end })
end

-- --- the classic language ---

local function classic_functions(session, env)
  local condition = require "peal.condition"
  local macro = require "peal.macro"

  function env.rule(text)
    local plan, failed = require("peal.cli.rule").decide(session, text)
    if not plan then failure.raise(failed) end
    return plan
  end

  function env.expand(text)
    return (failure.check(macro.expand(text, session.phone:variables())))
  end

  function env.eval(text)
    local expanded, mask = failure.check(macro.expand(text,
      session.phone:variables()))
    local verdict, detail, word, place = condition.evaluate(expanded, mask)
    if verdict == nil then
      failure.raise { sentence = detail, word = word,
        place = place and place.at and { byte = place.at },
        next = expanded ~= text and "it was expanded to: "
          .. secret.mask(expanded) or nil }
    end
    return verdict, detail
  end

  function env.url(text, base)
    return (failure.check(require("peal.url").parse(text, base)))
  end
end

-- --- why, when, what ---

local DIFF <const> = { "name", "old", "new", "author", "rule" }

local function looking_back(session, env)
  function env.why(name)
    check_name(session, name)
    return require("peal.explain").value(session.store, name, {
      override = session.phone.overrides[session.schema:find(name) or name],
      waiting = session.phone.keep.waiting.trace })
  end

  function env.diff(a, b)
    if a == nil then return session:diff() end
    local revisions = need("peal.revisions", "diff(A, B)")
    local list, failed = revisions.diff(session.store, a,
      b or session.base:revision())
    if not list then failure.raise(failed) end
    return table_of(DIFF, list)
  end

  function env.history(name)
    local revisions = need("peal.revisions", "history()")
    local list, failed = revisions.list(session.store, name)
    if not list then failure.raise(failed) end
    return list
  end
end

local FIRINGS <const> = 20

local function looking_ahead(session, env)
  function env.status()
    return session:ask("status", {}, function(engine)
      engine.phone.book:set()
      return engine:status()
    end)
  end

  function env.schedule(n)
    local result = session:ask("schedule", { n = n or FIRINGS },
      function(engine)
        return { firings = engine:schedule(n or FIRINGS) }
      end)
    return table_of({ "cause", "earliest", "latest", "why" }, result.firings)
  end

  function env.certs()
    if session.daemon then
      return failure.check(session:call("cert_list")).certificates
    end
    return require("peal.certificates").list(session.phone)
  end
end

-- What a cycle came to, as plain data without secrets.
local function public(session, result)
  if result.outcome == "refused" and not result.trace then return result end
  local out = require("peal.daemon.outcome").of(result.phone or session.phone,
    result, false).public
  out.effects, out.schedule = result.effects, result.schedule
  return out
end

-- A resync by the daemon; what it wrote is in the next snapshot.
local function resync_there(session, rule)
  local done = failure.check(session:call("resync", { rule = rule,
    wait = true }, false))
  session.stale = true
  return done.public
end

-- A simulation whose secrets are fingerprints: the session has no names for
-- those that a server of it made up.
local function simulated(sim)
  local store, param = sim.store, sim.param
  local function now() return store(sim) end
  local facade = readers_of(now, function(_, text)
    return now():fingerprint(text)
  end)
  function sim.store() return facade end
  function sim.param(_, name)
    local about = now():value(name)
    if about and about.secret then return facade.get(nil, name) end
    return param(sim, name)
  end
  return sim
end

local function cycles(session, env)
  function env.plan(rule)
    return public(session, session:dry_cycle(rule))
  end

  function env.resync(rule)
    session:check_write("resync()")
    if session.daemon then return resync_there(session, rule) end
    local result = session:dry_cycle(rule)
    session:adopt(result)
    return public(session, result)
  end

  function env.simulate(options)
    local simulate = need("peal.simulate", "simulate()")
    local about = { schema = session.schema,
      store = failure.check(session.store:copy()),
      identity = session.phone.identity }
    for key, value in pairs(options or {}) do about[key] = value end
    return simulated(failure.check(simulate.new(about)))
  end
end

-- --- help ---

local function help_of(session, env, names)
  return function(topic)
    local reference = need("peal.reference", "help()")
    if topic == nil then return session.say(session.help()) end
    local key = type(topic) == "function" and names[topic] or topic
    local text = reference.help(key, { store = session.store,
      schema = session.schema, names = names })
    if not text and type(key) == "string" then
      text = session.command_help(key)
    end
    if not text then
      failure.raise { sentence = ("there is no help on %s"):format(
        type(key) == "string" and key or "a " .. type(key)),
        word = "not-found", next = 'try: help(), help "Resync_Periodic"' }
    end
    session.say(text)
  end
end

-- --- the whole ---

-- print and io.write as everywhere, but for secrets.
local function careful_output(session, env)
  function env.print(...)
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    session.say(session.guard:text(table.concat(parts, "\t")))
  end
  env.io = setmetatable({ write = function(...)
    local parts = table.pack(...)
    for i = 1, parts.n do
      parts[i] = type(parts[i]) == "string" and session.guard:text(parts[i])
        or parts[i]
    end
    return io.write(table.unpack(parts, 1, parts.n))
  end }, { __index = io })
end

-- Modules that rule files have too.
local RULE_MODULES <const> = { "str", "macro", "condition", "version", "time",
  "classic" }

-- Function -> the name that an operator knows it by.
local function names_of(env)
  local names = {}
  for name, value in pairs(_G) do
    if type(value) == "function" then names[value] = name end
  end
  for _, lib in ipairs { "string", "table", "math", "utf8", "os", "io",
    "coroutine", "debug" } do
    for name, value in pairs(_G[lib]) do
      if type(value) == "function" then names[value] = lib .. "." .. name end
    end
  end
  for name, value in pairs(env) do
    if type(value) == "function" then names[value] = name end
  end
  for _, lib in ipairs(RULE_MODULES) do
    for name, value in pairs(env[lib]) do
      if type(value) == "function" then names[value] = lib .. "." .. name end
    end
  end
  return names
end

--- The globals of a session.
--   session   with say(text), help(), command_help(name)
-- @treturn table environment
-- @treturn table function -> its name
function environment.new(session)
  local env = {}
  env._G = env
  local rule = require("peal.environment").new()
  for _, name in ipairs(RULE_MODULES) do env[name] = rule[name] end
  env.param, env.params = param_of(session), params_of(session)
  env.phone, env.store = phone_of(session), store_of(session)
  classic_functions(session, env)
  looking_back(session, env)
  looking_ahead(session, env)
  cycles(session, env)
  careful_output(session, env)
  local names = {}
  env.help = help_of(session, env, names)
  for fn, name in pairs(names_of(env)) do names[fn] = name end
  return setmetatable(env, { __index = _G }), names
end

return environment
