--- Properties that the rules of a fleet ought to have, whatever they decide:
-- ready to be used, by `peal check --properties` or in a spec:
--
--   local properties = require "peal.check.properties"
--   assert(properties.settles { rules = { ["apply.lua"] = text } })
--
-- Each takes options and returns true and a sentence, or nil and a failure
-- { property, code, sentence, file, sample }:
--   rules     name -> text, or { path =, text = }: these in place of the
--             factory's
--   schema    parameters known (default: the built-in ones)
--   ask       where the files run (default: a box in this process)
--   samples   phones, as peal.check.samples has them (default: built-in ones)
local properties = {}

--- Their names, in the order in which they are tried.
properties.names = { "settles", "way_home", "spreads", "keeps_secrets" }

local schema

local function complete(options)
  local out = {}
  for key, value in pairs(options) do out[key] = value end
  if not out.schema then
    schema = schema or assert(require("peal.registry").load {})
    out.schema = schema
  end
  out.rules = out.rules or {}
  return out
end

-- A failure that shows itself where an error message is expected.
local function failure_of(failure)
  return setmetatable(failure, { __tostring = function(self)
    return ("%s: %s [%s]"):format(self.file, self.sentence, self.code)
  end })
end

for _, name in ipairs(properties.names) do
  properties[name] = function(options)
    local ok, found = require("peal.check.properties." .. name)(
      complete(options))
    if ok then return true, found end
    return nil, failure_of(found)
  end
end

--- All of them on the files of a check.
--   options    as peal.check.run() has them
--   findings   what fails is added
-- @treturn table list of { property, text } of those that hold
function properties.report(options, findings)
  local rules, held = {}, {}
  for name, source in pairs(options.files) do
    if source.text then rules[name] = source end
  end
  for _, name in ipairs(properties.names) do
    local ok, found = properties[name] { rules = rules,
      schema = options.schema, ask = options.ask }
    if ok then
      held[#held + 1] = { property = name, text = found }
    else
      findings:add(found.code, { file = found.file }, found.sentence,
        { sample = found.sample })
    end
  end
  return held
end

return properties
