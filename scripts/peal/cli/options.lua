--- The command line: options before or after the command, `--name value` or
-- `--name=value`, `--` ends them.
local nearest = require "peal.nearest"

local options = {}

--- What every command takes.
options.global = {
  { "--phone", "FILE.lua", "identity, initial parameters and paths" },
  { "--store", "DIR", "folder of the parameter store" },
  { "--set", "NAME=VALUE", "a value for this run only; may be repeated",
    repeated = true },
  { "--rules", "DIR", "rule files that shadow the factory's" },
  { "--keep-unknown", nil,
    "keep names that no registry knows, as plain text" },
  { "--json", nil, "output for programs" },
  { "-v", nil, "say every step on stderr" },
  { "--help", nil, "this text" },
}

local function find(list, name)
  for _, option in ipairs(list) do
    if option[1] == name then return option end
  end
end

--- The word of `list` that `word` may have been meant for, or nil.
options.nearest = nearest

local function unknown(name, extra)
  local names = {}
  for _, list in ipairs { options.global, extra } do
    for _, option in ipairs(list) do names[#names + 1] = option[1] end
  end
  local near = options.nearest(name, names)
  return nil, ("no such option: %s%s"):format(name,
    near and (" (did you mean %s?)"):format(near) or "")
end

local function key_of(name)
  return (name:gsub("^%-+", ""):gsub("-", "_"))
end

local function store(out, option, value)
  local key = key_of(option[1])
  if option.repeated then
    out[key] = out[key] or {}
    table.insert(out[key], value)
  else
    out[key] = value
  end
end

-- Does an argument look like an option? Negative numbers do not.
local function is_option(text)
  return text:find("^%-[%-%a]") ~= nil
end

--- First argument that is no option nor an option's value: the command.
function options.command_of(args)
  local i = 1
  while i <= #args do
    local text = args[i]
    if text == "--" then return args[i + 1], i + 1 end
    if not is_option(text) then return text, i end
    local option = find(options.global, text)
    i = i + (option and option[2] and 2 or 1)
  end
end

--- Sort `args` into options and the rest.
-- @tparam table extra the command's own options, as in options.global
-- @treturn[1] table key -> value (true where there is none), rest in [1], [2]
-- @return[2] nil, sentence
function options.parse(args, extra)
  local out, i, only_rest = {}, 1, false
  while i <= #args do
    local text = args[i]
    if not only_rest and text == "--" then
      only_rest = true
    elseif only_rest or not is_option(text) then
      out[#out + 1] = text
    else
      local name, value = text:match("^(%-%-[^=]+)=(.*)$")
      name = name or text
      local option = find(extra, name) or find(options.global, name)
      if name == "-h" then option = find(options.global, "--help") end
      if not option then return unknown(name, extra) end
      if option[2] and not value then
        i = i + 1
        value = args[i]
        if not value then
          return nil, ("%s needs %s"):format(name, option[2])
        end
      elseif value and not option[2] then
        return nil, ("%s takes no value"):format(name)
      end
      store(out, option, value or true)
    end
    i = i + 1
  end
  return out
end

local LEFT <const> = 20

--- Options, each with its text in the second column; of a long one it stands
-- in the next line.
function options.lines(list)
  local out, gap = {}, "\n" .. (" "):rep(LEFT + 3)
  for i, option in ipairs(list) do
    local left = option[1] .. (option[2] and " " .. option[2] or "")
    local about = option[3]:gsub("\n *", gap)
    out[i] = #left > LEFT and "  " .. left .. gap .. about
      or ("  %-" .. LEFT .. "s %s"):format(left, about)
  end
  return table.concat(out, "\n")
end

local function rows(out, title, list)
  if #list == 0 then return end
  out[#out + 1] = "\n" .. title
  out[#out + 1] = options.lines(list)
end

-- The global options but those that a command has in a form of its own.
local function others(own)
  local out = {}
  for _, option in ipairs(options.global) do
    if not find(own, option[1]) then out[#out + 1] = option end
  end
  return out
end

--- Help text of one command.
function options.help(command)
  local usage = command.usage ~= "" and " " .. command.usage or ""
  local out = { ("usage: peal %s%s"):format(command.name, usage), "",
    command.summary }
  if command.details then out[#out + 1] = "\n" .. command.details end
  rows(out, "Options", command.options or {})
  rows(out, "Options of every command", others(command.options or {}))
  if command.examples then
    out[#out + 1] = "\nExamples"
    for _, text in ipairs(command.examples) do
      out[#out + 1] = "  " .. text
    end
  end
  return table.concat(out, "\n") .. "\n"
end

return options
