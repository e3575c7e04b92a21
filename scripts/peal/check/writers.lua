--- Who writes which parameter: two rules that write one are a trap, for the
-- later one wins, and which one is later changes.
local sorted = require "peal.sorted"

local writers = {}
writers.__index = writers

function writers.new()
  return setmetatable({ names = {} }, writers)
end

local function entry_of(list, path)
  for _, one in ipairs(list) do
    if one.path == path then return one end
  end
end

--- A rule writes a parameter.
--   path    the file
--   rule    which profile rule it does so for, or nil
--   phone   true: it is one phone's own, and no other phone's matter
function writers:add(name, path, place, rule, phone)
  local list = self.names[name] or {}
  self.names[name] = list
  local one = entry_of(list, path)
  if not one then
    one = { path = path, place = place, phone = phone, rules = {} }
    list[#list + 1] = one
  end
  one.rules[rule or ""] = rule
end

local function report_one(findings, name, one)
  local rules = sorted.keys(one.rules)
  if #rules > 1 then
    findings:add("double-write", one.place,
      ("%s is written for %s: let one rule write it"):format(name,
        table.concat(rules, " and for ")))
  end
end

-- An earlier one that may write on the same phone.
local function rival(list, i)
  for j = 1, i - 1 do
    if not (list[j].phone and list[i].phone) then return list[j] end
  end
end

--- Report what has more than one writer.
function writers:report(findings)
  for _, name in ipairs(sorted.keys(self.names)) do
    local list = self.names[name]
    for i, one in ipairs(list) do
      report_one(findings, name, one)
      local other = rival(list, i)
      if other then
        findings:add("double-write", one.place,
          ("%s is written here and by %s:%d: let one rule write it"):format(
            name, other.path, other.place.line or 1))
      end
    end
  end
end

return writers
