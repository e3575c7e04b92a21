-- The commands of the documents do what the documents show.
local process = require "support.process"
local program = require "support.program"

-- Indented blocks of a text: list of { command, expected output or nil }. A
-- line that begins with "$ " is a command, what follows is its output.
local function sessions(text)
  local out, current = {}, nil
  for line in (text .. "\n"):gmatch("(.-)\n") do
    local body = line:match("^    (.*)$")
    local command = body and body:match("^%$ (.*)$")
    if command then
      current = { command = command, output = {} }
      out[#out + 1] = current
    elseif body and current then
      table.insert(current.output, body)
    else
      current = nil
    end
  end
  return out
end

local function section(text, title)
  local _, from = text:find("\n## " .. title .. "\n", 1, true)
  local to = text:find("\n## ", from, true)
  return text:sub(from, to)
end

describe("the readme's first steps", function()
  local text = program.slurp(program.root .. "/README.md")
  local store = process.temp_dir() .. "/phone"
  local count = 0

  teardown(function() process.remove((store:gsub("/phone$", ""))) end)

  for _, step in ipairs(sessions(section(text, "First steps"))) do
    if step.command:find("^peal ") then
      count = count + 1
      it("run: " .. step.command, function()
        local line = step.command:gsub("^peal ", ""):gsub("/tmp/phone", store)
        local got = program.run({ "/bin/sh", "-c", ("'%s' %s 2>&1"):format(
          program.path, line) }, { cwd = program.root })
        assert.are.equal(0, got.code, got.out)
        if #step.output > 0 then
          assert.are.equal(table.concat(step.output, "\n") .. "\n", got.out)
        end
      end)
    end
  end

  it("are some", function() assert.is_true(count >= 6) end)
end)

describe("the readme", function()
  it("names files that are there", function()
    local sys = require "peal.sys"
    local text = program.slurp(program.root .. "/README.md")
    local count = 0
    for path in text:gmatch("`([%l]+/[%w%-./]+)`") do
      if not path:find("^build") then
        count = count + 1
        assert.is_not_nil(sys.stat(program.root .. "/" .. path), path)
      end
    end
    assert.is_true(count > 3)
  end)
end)
