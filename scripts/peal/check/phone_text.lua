--- The rules in an operator's phone files: texts of the classic language.
local parse = require "peal.check.parse"
local rule_text = require "peal.check.rule_text"
local tree = require "peal.check.tree"

local phone_text = {}

-- Parameters that hold a rule, and its kind.
local RULES <const> = { Profile_Rule = "profile", Profile_Rule_B = "profile",
  Profile_Rule_C = "profile", Profile_Rule_D = "profile",
  Upgrade_Rule = "upgrade", Report_Rule = "report",
  Resync_Trigger_1 = "condition", Resync_Trigger_2 = "condition" }

-- Where a phone file sets a parameter: a node, or nil (it is computed).
local function place_of(block, name)
  local found
  tree.walk(block or {}, function(node)
    local value = node.kind == "table" and tree.field(node, name)
    found = found or value
  end)
  return found
end

--- Look at the rules of one phone.
--   one   { path, text, file, schema }
function phone_text.check(one, findings, writers)
  local block = parse(one.text or "")
  for name, kind in pairs(RULES) do
    local text = (one.file.params or {})[name]
    if text and text:find("%S") then
      local node = place_of(block, name) or {}
      local place = { file = one.path, line = node.line, column = node.column }
      local about = {
        say = function(code, sentence)
          findings:add(code, place, ("%s: %s"):format(name, sentence))
        end,
        parameter = function(of)
          if one.schema:find(of) then return end
          local near = one.schema:suggest(of)
          findings:add("unknown-parameter", place,
            ("%s: no such parameter: %s%s"):format(name, of,
              near and ("; did you mean %s?"):format(near) or ""))
        end,
        writes = function(of) writers:add(of, one.path, place, name, true) end,
      }
      if kind == "condition" then
        rule_text.check_condition(about, text)
      else
        rule_text.check(about, text, kind)
      end
    end
  end
end

return phone_text
