--- The program, with each resync recorded: an argument of the interpreter.
-- Appends the cassette's bytes, as one form, to the file PEAL_CASSETTES.
local cycle = require "peal.cycle"
local form = require "peal.world.tape_form"
local session = require "peal.cli.session"
local take = require "peal.cassette.take"

local schema
local open = session.open

function session.open(...)
  local opened, failed = open(...)
  schema = opened and opened.schema
  return opened, failed
end

local function keep(c)
  local bytes = form.pack(c)
  local file <close> = assert(io.open(os.getenv("PEAL_CASSETTES"), "ab"))
  file:write(string.pack("<s8", bytes))
end

function cycle.run(phone, request)
  local taken = take.new(phone, schema)
  local run = cycle.new(taken.phone, request)
  if cycle.gate(run).pass then cycle.carry_out(run) end
  keep(taken:cassette(run, request))
  return run.result
end

os.exit(require("peal.cli").main(arg), true)
