--- Rule files of operators in specs: a phone on the virtual clock whose folder
-- of rules a test writes, and a place where they run.
local environment = require "peal.environment"
local isolation = require "peal.world.isolation"
local phone = require "peal.phone"
local registry = require "peal.registry"
local rule_files = require "peal.world.rule_files"
local store = require "peal.store"
local virtual = require "peal.world.virtual"

local support = {}

local has_box = pcall(require, "peal.sandbox")
  and pcall(require, "peal.worker")

local BUDGET <const> = 5000000

local function failure(path, message)
  local limit = message:find("over its budget", 1, true)
  local line = message:match(path:gsub("%p", "%%%0") .. ":(%d+)")
  return nil, message, limit and "rule-limit" or "bad-rule-file",
    tonumber(line)
end

-- "path:line" of the innermost call in a file where a coroutine has died.
local function place_in(co, path)
  local level = 0
  local info = debug.getinfo(co, level, "Sl")
  while info and info.source ~= "@" .. path do
    level = level + 1
    info = debug.getinfo(co, level, "Sl")
  end
  return info and ("%s:%d"):format(path, info.currentline) or path
end

local function message_of(co, path, value)
  if type(value) ~= "string" then
    value = "error value is a " .. type(value)
  elseif value:find(path, 1, true) then
    return value
  end
  return ("%s: %s"):format(place_in(co, path), value)
end

-- Runs `fn` of a file with a budget of instructions that stays spent.
local function budgeted(path, fn, ...)
  local co, spent = coroutine.create(fn), false
  debug.sethook(co, function()
    spent = true
    error("over its budget of instructions", 0)
  end, "", BUDGET)
  local results = table.pack(coroutine.resume(co, ...))
  if spent then
    return false, place_in(co, path) .. ": over its budget of instructions"
  elseif not results[1] then
    return false, message_of(co, path, results[2])
  end
  return table.unpack(results, 1, results.n)
end

-- Plain data, or what of it is not.
local function plain(v, depth)
  if depth > 32 then return "too deep" end
  if type(v) == "table" then
    for key, value in next, v do
      local why = plain(key, depth + 1) or plain(value, depth + 1)
      if why then return why end
    end
  elseif type(v) == "function" or type(v) == "userdata"
    or type(v) == "thread"
  then
    return "a " .. type(v)
  end
end

local function load_file(job)
  local chunk, why = load(job.text, "@" .. job.path, "t", environment.new())
  if not chunk then return nil, why end
  local ok, file = budgeted(job.path, chunk)
  if not ok then return nil, file end
  if type(file) ~= "table" or type(file.decide) ~= "function" then
    return nil, job.path .. ": returns no table with a function `decide`"
  end
  if file.stage ~= job.stage then
    return nil, ("%s: stage is not %q"):format(job.path, job.stage)
  end
  return file.decide
end

-- A stand-in for a box, where this build has none.
local function stand_in()
  return function(st, overrides, job)
    local decide, why = load_file(job)
    if not decide then return failure(job.path, why) end
    if not job.view then return { n = 0 } end
    local view = {}
    for key, value in pairs(job.view) do view[key] = value end
    local p = { world = { store = st }, overrides = overrides,
      param = phone.param, shown = phone.shown }
    view.param = require("peal.view").params(p)
    local results = table.pack(budgeted(job.path, decide,
      environment.freeze(view)))
    if not results[1] then return failure(job.path, results[2]) end
    table.remove(results, 1)
    results.n = math.min(results.n - 1, 4)
    why = plain(results, 0)
    if why then
      return nil, ("%s: the answer holds %s"):format(job.path, why),
        "bad-rule-file"
    end
    return results
  end
end

--- Where operators' files run in this process.
function support.box()
  return has_box and isolation.box() or stand_in()
end

local schema

--- A phone whose operator's folder is `files`: name -> text, or { error = }.
-- Options: params, identity, state, store, ask, time. Returns the phone; with
--   put(name, text)   a file is written (nil: removed)
--   ask(stage, fields, set)   one question of a set (default: a new one)
--   said              texts of the notes of all sets so far
function support.phone(files, options)
  options = options or {}
  schema = schema or assert(registry.load {})
  local st = options.store or assert(store.open { schema = schema })
  if options.params then
    local txn = assert(st:begin())
    txn:source { author = "phone-file" }
    for name, text in pairs(options.params) do assert(txn:set(name, text)) end
    assert(txn:commit("initial", 0))
  end
  local sources = rule_files.read()
  local world = virtual.new { store = st, time = options.time,
    rules = sources, ask = options.ask or support.box(),
    device = options.device }
  local self = { files = {}, said = {}, asked = {} }
  local function refresh()
    local new = rule_files.read()
    for name, text in pairs(self.files) do
      local source = { path = "op/" .. name }
      if type(text) == "table" then
        source.error = text.error
      else
        source.text = text
      end
      new[name] = source
    end
    sources = new
  end
  function world.rules() return sources end
  local world_ask = world.ask
  function world.ask(job, ...)
    self.asked[#self.asked + 1] = job
    return world_ask(job, ...)
  end
  self.world, self.store = world, st
  self.phone = phone.new { world = world,
    identity = options.identity or { MAC = "000e08abcdef",
      SWVER = "sip88xx.11-3-1MPP-234" }, state = options.state }
  function self.put(name, text)
    self.files[name] = text
    refresh()
  end
  function self.set()
    local set = world.run(self.phone.book.set, self.phone.book)
    self.notes = set.notes
    return set
  end
  function self.ask(stage, fields, set)
    set = set or self.set()
    return world.run(require("peal.rules").ask, set, stage, fields or {},
      self.phone)
  end
  for name, text in pairs(files or {}) do self.files[name] = text end
  refresh()
  return self
end

return support
