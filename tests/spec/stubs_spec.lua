-- What editors and readers are given: docs/lua, docs/reference, .luarc.json.
local json = require "peal.json"
local program = require "support.program"
local reference = require "peal.reference"
local registry = require "peal.registry"
local signature = require "peal.reference.signature"
local stages = require "peal.stages"
local sys = require "peal.sys"

local root = program.root

local function generator(name)
  return assert(loadfile(("%s/docs/generate-%s.lua"):format(root, name)))()()
end

-- Files of a folder and of those in it: path -> true.
local function files_of(folder, out)
  out = out or {}
  for _, name in ipairs(assert(sys.list(root .. "/" .. folder))) do
    local path = folder .. "/" .. name
    if sys.stat(root .. "/" .. path).type == "folder"
      or sys.list(root .. "/" .. path)
    then
      files_of(path, out)
    else
      out[path] = true
    end
  end
  return out
end

for name, folder in pairs { reference = "docs/reference",
  stubs = "docs/lua" } do
  describe(folder, function()
    it("is what docs/generate-" .. name .. ".lua makes", function()
      local made, there = generator(name), files_of(folder)
      for path, text in pairs(made) do
        assert.is_true(there[path], path)
        assert.is_true(text == program.slurp(root .. "/" .. path),
          ("%s: run: lua5.4 docs/generate-%s.lua"):format(path, name))
        there[path] = nil
      end
      assert.is_nil((next(there)))
    end)
  end)
end

describe("the stubs for editors", function()
  local made = generator "stubs"

  -- What a stub leaves behind, run as Lua.
  local function run(path)
    local env = {}
    return assert(load(made[path], "=" .. path, "t", env))(), env
  end

  it("are Lua, and say that they are stubs", function()
    for path, text in pairs(made) do
      assert.is_truthy(text:find("^%-%-%-@meta[ \n]"), path)
      run(path)
    end
  end)

  it("have every function and value of the rule library", function()
    local _, env = run "docs/lua/rules.lua"
    for _, group in ipairs(reference.groups()) do
      for _, entry in ipairs(group.kind == "library" and group or {}) do
        local form = signature.parse(entry[1])
        local value = env[group.name][form.name]
        assert.is_not_nil(value, entry[1])
        assert.are.equal(form.params ~= nil, type(value) == "function")
      end
    end
  end)

  it("have every module of the bindings, for require", function()
    for _, group in ipairs(reference.groups()) do
      if group.kind == "module" then
        local stub = run("docs/lua/" .. group.name:gsub("%.", "/") .. ".lua")
        for name, value in pairs(require(group.name)) do
          assert.are.equal(type(value), type(stub[name]), name)
        end
      end
    end
  end)

  -- The fields of each class: name -> { field = type }.
  local function classes(text)
    local out, last = {}, nil
    for line in text:gmatch("[^\n]+") do
      local class = line:match("^%-%-%-@class (%S+)")
      if class then
        last = class:gsub(":$", "")
        out[last] = {}
      end
      local name, kind = line:match("^%-%-%-@field (%S+) (%S+)")
      if name then out[last][name:gsub('^%["(.*)"%]$', "%1")] = kind end
    end
    return out
  end

  it("have every field that a rule sees", function()
    local found = classes(made["docs/lua/rules.lua"])
    for name in pairs(stages.common) do
      assert.is_string(found["peal.Phone"][name], name)
    end
    for _, stage in ipairs(stages.names) do
      for name in pairs(stages[stage].fields or {}) do
        assert.is_string(found["peal.Phone." .. stage][name], name)
      end
      assert.is_table(found["peal.Rule." .. stage])
    end
  end)

  it("complete phone.param. by every parameter", function()
    local found = classes(made["docs/lua/parameters.lua"])["peal.Parameters"]
    local schema = assert(registry.load())
    for _, name in ipairs(schema:names()) do
      assert.are.equal("string", found[name], name)
    end
    for alias in pairs(registry.aliases) do
      assert.are.equal("string", found[alias], alias)
    end
  end)

  it("name no type that none of them defines", function()
    local known = {}
    for _, text in pairs(made) do
      for name in text:gmatch("%-%-%-@%l+ (peal%.[%w.]+)") do
        known[name] = true
      end
    end
    for path, text in pairs(made) do
      for line in text:gmatch("%-%-%-@%l+ [^\n]+") do
        local kind = line:match("^%-%-%-@field %S+ (%S+)")
          or line:match("^%-%-%-@param %S+ (%S+)")
          or line:match("^%-%-%-@return (%S+)") or ""
        for name in kind:gmatch("peal%.[%a.]+") do
          assert.is_true(known[name], path .. ": " .. name)
        end
      end
    end
  end)
end)

describe(".luarc.json", function()
  for path, library in pairs { [".luarc.json"] = "docs/lua",
    ["examples/rules/.luarc.json"] = "../../docs/lua" } do
    it("leads to the stubs: " .. path, function()
      local config = assert(json.decode(program.slurp(root .. "/" .. path)))
      assert.are.equal("Lua 5.4", config["runtime.version"])
      assert.are.same({ library }, config["workspace.library"])
      local folder = path:match("^(.-)[^/]*$")
      assert.is_not_nil(sys.stat(root .. "/" .. folder .. library
        .. "/rules.lua"))
    end)
  end

  it("knows that rule files have no files and no system", function()
    local config = assert(json.decode(
      program.slurp(root .. "/examples/rules/.luarc.json")))
    for _, name in ipairs { "io", "os", "package", "debug" } do
      assert.are.equal("disable", config["runtime.builtin"][name])
    end
  end)
end)
