--- What clients may ask of a phone that a daemon keeps.
-- Each is called as a task, with checked frames; what is in `params` is not.
local json = require "peal.json"
local task = require "peal.task"

local methods = {}

local RULE_MAX <const> = 8192
local FIRINGS <const> = 20
local FIRINGS_MAX <const> = 200

-- Of daemon/certificates.lua.
local CERTIFICATES <const> = { "list", "show", "accept", "reject", "remove",
  "import", "export" }

local function invalid(sentence)
  return nil, sentence, "invalid"
end

-- A rule or URL, for this once.
local function check_text(text, name)
  if text == nil then return true end
  if type(text) ~= "string" or #text > RULE_MAX or text:find("%c") then
    return invalid(("%s is no text of one line, %d bytes at most"):format(
      name, RULE_MAX))
  end
  return true
end

-- Ask the engine and wait for the end of what it does.
local function ask(member, what, about, wait)
  return task.await(function(resume)
    about.by, about.role = "cli", "admin"
    if wait then about.done = resume end
    local ok, sentence, word = member.engine[what](member.engine, about)
    if not ok then return resume(nil, sentence, word) end
    if not wait then resume { outcome = "queued" } end
  end)
end

local function resync(member, params)
  local ok, sentence, word = check_text(params.rule, "rule")
  if not ok then return nil, sentence, word end
  local result
  result, sentence, word = ask(member, "resync", { rule = params.rule },
    params.wait)
  if not result and word == "refused" then
    result = { outcome = "refused", reason = sentence }
  elseif not result then
    return nil, sentence, word
  end
  return require("peal.daemon.outcome").of(member.phone, result,
    params.steps == true)
end

-- upgrade, report and what renews certificates: what they return is plain
-- data.
local function work(what, about)
  return function(member, params)
    local ok, sentence, word = check_text(params.url, "url")
    if not ok then return nil, sentence, word end
    local request = { url = params.url, what = about and about.what,
      force = params.force == true or nil }
    local result
    result, sentence, word = ask(member, what, request, params.wait)
    if not result then return nil, sentence, word end
    return { outcome = result.outcome, reason = result.reason,
      word = result.word, err = result.err, by = result.by }
  end
end

local function updateca(member, params)
  if type(params.url) ~= "string" or not params.url:find("%S") then
    return invalid("updateca: which URL?")
  end
  return work("updateca")(member, params)
end

-- { name, text }, or { name }: back to the default.
local function values_of(params)
  local list = {}
  if type(params.values) ~= "table" then
    return invalid("values is no object of names and texts")
  end
  for name, value in pairs(params.values) do
    local is_reset = value == json.null
    if type(name) ~= "string" or type(value) ~= "string" and not is_reset then
      return invalid("values is no object of names and texts")
    end
    list[#list + 1] = { name, not is_reset and value or nil }
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

-- Who writes by hand: a command, a session of peal repl, a web page.
local AUTHORS <const> = { cli = true, repl = true, web = true }

local function write_values(member, params, list)
  local write = require "peal.daemon.write"
  local about = { store = member.store, schema = member.schema,
    author = params.author, keep_unknown = params.keep_unknown == true,
    revision = params.revision, time = member.now().time }
  return write.in_turn(member, function() return write.values(about, list) end)
end

local function set(member, params)
  if params.author ~= nil and not AUTHORS[params.author] then
    return invalid("author is cli, repl or web")
  end
  if params.revision ~= nil and not math.tointeger(params.revision) then
    return invalid("revision is no number of a revision")
  end
  local list, sentence, word = values_of(params)
  if not list then return nil, sentence, word end
  local names, revision = write_values(member, params, list)
  if not names then
    local failed = revision
    return nil, failed.sentence, failed.word, nil, failed.next
  end
  if #names > 0 then
    member:write(("%d %s set by hand"):format(#names,
      #names == 1 and "parameter" or "parameters"))
    member.engine:changed(names, "cli")
  end
  return { changed = #names, revision = revision }
end

local function schedule(member, params)
  local n = params.n == nil and FIRINGS or math.tointeger(params.n)
  if not n or n < 1 or n > FIRINGS_MAX then
    return invalid(("n is no number from 1 to %d"):format(FIRINGS_MAX))
  end
  return { zone = member.now().zone,
    firings = json.array(member.engine:schedule(n)) }
end

-- Of daemon/ca.lua.
local function ca(action)
  return function(...) return require("peal.daemon.ca").method(action)(...) end
end

--- The methods of a phone.
-- @tparam table member see daemon/member.lua
-- @treturn table name -> fn(params, call), for control_protocol.serve()
function methods.of(member)
  local function working(fn)
    return function(params, call)
      if member.problem then
        return nil, "this phone's engine has stopped: " .. member.problem,
          "bad-state", nil, "see the control log, then start peal run again"
      end
      return fn(member, params, call)
    end
  end
  local all = {
    ping = function() return member:about() end,
    version = function() return require("peal.sys").versions() end,
    status = function() return member:status() end,
    subscribe = function(_, call)
      call.session.subscribed = true
      return { subscribed = true }
    end,
    schedule = working(schedule),
    resync = working(resync),
    apply = working(function(...)
      return require("peal.daemon.apply").method(...)
    end),
    upgrade = working(work("upgrade")),
    report = working(work("report")),
    updateca = working(updateca),
    renew = working(work("certificate", { what = "mic" })),
    set = working(set),
    revert = working(function(...)
      return require("peal.daemon.revert").method(...)
    end),
    record = working(function(...)
      return require("peal.daemon.record").begin(...)
    end),
    record_part = working(function(...)
      return require("peal.daemon.record").part(...)
    end),
    snapshot = working(function(...)
      return require("peal.daemon.snapshot").of(...)
    end),
    ca_status = working(ca("status")),
    ca_export = working(ca("export")),
    ca_installed = working(ca("installed")),
    ca_generate = working(ca("generate")),
    reload = working(function()
      member:reload("a client")
      return { reloaded = true }
    end),
  }
  for _, action in ipairs(CERTIFICATES) do
    all["cert_" .. action] = working(function(...)
      return require("peal.daemon.certificates").method(action)(...)
    end)
  end
  return all
end

return methods
