--- Resyncs that are recorded while they run, and played again.
local cases = require "support.cases"
local cycle = require "peal.cycle"
local form = require "peal.world.tape_form"
local registry = require "peal.registry"
local take = require "peal.cassette.take"

local cassettes = {}

local FILES <const> = { "http_codes", "profiles", "rule_files", "rules",
  "syslog" }

local schema

--- One resync of a phone, recorded. In a task.
-- @treturn table result of the resync
-- @treturn table the cassette, as it comes out of a file
function cassettes.resync(phone, request)
  schema = schema or assert(registry.load {})
  local taken = take.new(phone, schema)
  local run = cycle.new(taken.phone, request)
  if cycle.gate(run).pass then cycle.carry_out(run) end
  local c = taken:cassette(run, request)
  return run.result, assert(form.unpack(form.pack(c)))
end

--- Run a case of tests/cases (see support/cases.lua) with all of its resyncs
-- recorded.
-- @treturn table list of cassettes
-- @treturn table the run
function cassettes.of_case(case)
  local list, run = {}, cycle.run
  cycle.run = function(phone, request)
    local result
    result, list[#list + 1] = cassettes.resync(phone, request)
    return result
  end
  local ok, done = pcall(cases.run, case)
  cycle.run = run
  assert(ok, done)
  return list, done
end

--- Every case of tests/cases: fn(case, file).
function cassettes.each_case(fn)
  for _, file in ipairs(FILES) do
    for _, case in ipairs(dofile(("tests/cases/%s.lua"):format(file))) do
      fn(case, file)
    end
  end
end

--- A small resync that changes something: cassette, run.
--   more   fields of a case, on top
function cassettes.simple(more)
  local case = { phone = { params = {
    Profile_Rule = "http://192.0.2.7/a.xml", Syslog_Server = "192.0.2.9" } },
    server = { ["http://192.0.2.7/a.xml"] = { body =
      "<flat-profile><GPP_A>one</GPP_A></flat-profile>" } } }
  for key, value in pairs(more or {}) do case[key] = value end
  local list, run = cassettes.of_case(case)
  return list[1], run
end

return cassettes
