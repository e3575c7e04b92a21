-- Write scripts and rules as C, the tables that embedded.h declares.
--   lua5.4 embed.lua bytecode|text OUTPUT scripts/peal/x.lua ... rules/y.lua
-- Run in the top folder. Scripts become bytecode, with line numbers for error
-- messages, or stay text; rules stay text, since people read them.

local form, output = arg[1], arg[2]

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = assert(file:read("a"))
  file:close()
  return text
end

local function octal(c)
  return ("\\%03o"):format(c:byte())
end

-- All but the plainest characters are written in octal with three digits:
-- nothing can end the literal, begin an escape or a trigraph, or depend on an
-- encoding.
local function literal(bytes)
  local lines = {}
  for at = 1, #bytes, 64 do
    local part = bytes:sub(at, at + 63):gsub('[^%w ,.()=_]', octal)
    lines[#lines + 1] = '"' .. part .. '"'
  end
  return #lines > 0 and table.concat(lines, "\n") or '""'
end

-- scripts/peal/cli/init.lua is module peal.cli
local function module_name(path)
  return (path:gsub("^scripts/", ""):gsub("%.lua$", "")
    :gsub("/init$", ""):gsub("/", "."))
end

local function script(path)
  local text = read(path)
  local chunk, sentence = load(text, "@" .. path, "t")
  if not chunk then
    io.stderr:write(sentence, "\n")
    os.exit(1)
  end
  return {
    name = module_name(path),
    path = path,
    data = form == "bytecode" and string.dump(chunk) or text,
  }
end

local function rule(path)
  return {
    name = path:match("([^/]+)%.lua$"),
    path = path,
    data = read(path),
  }
end

local scripts, rules = {}, {}
for i = 3, #arg do
  if arg[i]:find("^rules/") then
    rules[#rules + 1] = rule(arg[i])
  else
    scripts[#scripts + 1] = script(arg[i])
  end
end

local out = { "/* made by cmake/embed.lua */", '#include "embedded.h"' }
local function put(...)
  out[#out + 1] = string.format(...)
end

local function put_table(kind, entries)
  table.sort(entries, function(a, b) return a.name < b.name end)
  for i, entry in ipairs(entries) do
    put("static const unsigned char %s_%d[] =\n%s;", kind, i,
      literal(entry.data))
  end
  put("const struct peal_embedded peal_embedded_%s[] = {", kind)
  for i, entry in ipairs(entries) do
    put("\t{\"%s\", %s_%d, %d, \"%s\"},", entry.name, kind, i, #entry.data,
      entry.path)
  end
  put("\t{0, 0, 0, 0}\n};")
  put("const size_t peal_embedded_%s_n = %d;", kind, #entries)
end

put_table("scripts", scripts)
put_table("rules", rules)

local file = assert(io.open(output, "wb"))
assert(file:write(table.concat(out, "\n"), "\n"))
assert(file:close())
