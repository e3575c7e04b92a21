--- A tree of labels and texts, and how it is written: two blanks a level.
local secret = require "peal.secret"
local visible = require "peal.visible"

local tree = {}
tree.__index = tree

local LINE_MAX <const> = 4096
local WIDTH <const> = 10

--- The root.
function tree.new(text)
  return setmetatable({ text = text }, tree)
end

--- Add a branch: a label, a text, or both. Returns it, or, where there is
-- nothing to say, one that is not written.
function tree:add(label, text)
  local branch = setmetatable({ label = label, text = text }, tree)
  if text == nil or text == "" then return branch end
  self[#self + 1] = branch
  return branch
end

local function line_of(branch, depth)
  local text = visible.line(secret.mask(tostring(branch.text)), LINE_MAX)
  if branch.label then
    text = ("%-" .. WIDTH .. "s %s"):format(branch.label, text)
  end
  return ("  "):rep(depth) .. text
end

local function write(branch, depth, out)
  out[#out + 1] = line_of(branch, depth)
  for _, one in ipairs(branch) do write(one, depth + 1, out) end
  return out
end

--- The text of all of it.
function tree:write()
  return table.concat(write(self, 0, {}), "\n")
end

return tree
