-- Which lines of a rule file ran: told by a box that is asked for it.
local lines = require "peal.check.lines"
local parse = require "peal.check.parse"
local sandbox = require "peal.sandbox"

local TEXT <const> = [[
local LIMIT <const> = 3
local function helper(n)
  if n > LIMIT then
    return "high"
  elseif n > 1 then return "low" end
  for i = 1, n do
    n = n + i
  end
  return n
end
return { stage = "trigger", decide = function(phone)
  local co = coroutine.wrap(function()
    return helper(phone.n)
  end)
  return co()
end }]]

describe("coverage in a box", function()
  local box

  before_each(function() box = assert(sandbox.new()) end)
  after_each(function() box:close() end)

  local function ask(n, cover, text)
    return box:ask { stage = "trigger", path = "op/trigger.lua",
      text = text or TEXT, view = { n = n }, cover = cover }
  end

  local function ran(n, text)
    local set, out = {}, {}
    local answer, _, _, _, bits = ask(n, true, text)
    lines.add(set, answer and answer.lines or bits)
    for line in pairs(set) do out[#out + 1] = line end
    table.sort(out)
    return out, answer and answer.last
  end

  it("tells the lines that ran, in coroutines as well, and the last one",
    function()
      local out, last = ran(9)
      assert.are.same({ 3, 4, 10, 11, 12, 13, 14, 15, 16 }, out)
      assert.are.equal(4, last)
    end)

  it("tells them of a file that fails, and of one that is stopped",
    function()
      assert.are.same({ 1, 2, 3, 4 }, (ran(9, "return { stage = "
        .. "'trigger', decide = function()\nlocal a = 1\nerror(a)\nend }")))
      assert.are.same({ 1, 2, 3 }, (ran(9, "return { stage = "
        .. "'trigger', decide = function()\nwhile true do end\nend }")))
    end)

  it("says nothing where nobody asks, before and after", function()
    assert.is_nil(ask(9).lines)
    ask(9, true)
    assert.is_nil(ask(9).lines)
    assert.are.equal(4, select("#", ask(nil)) - 1)
  end)

  it("is of the file asked alone, whatever its length", function()
    local long = ("\n"):rep(2000) .. TEXT
    assert.are.equal(2003, ran(9, long)[1])
    assert.are.same({ 3, 4, 10, 11, 12, 13, 14, 15, 16 }, (ran(9)))
  end)

  it("knows lines that end with a carriage return", function()
    local long = (("\n"):rep(2000) .. TEXT):gsub("\n", "\r")
    assert.are.equal(2003, ran(9, long)[1])
  end)

  it("counts statements, whichever of their lines ran", function()
    local set = {}
    lines.add(set, ask(9, true).lines)
    local report = lines.report(lines.places(assert(parse(TEXT))), set)
    assert.are.same({ executable = 11, executed = 7, missed = { 5, 6, 7, 9 } },
      report)
    lines.add(set, ask(1, true).lines)
    lines.add(set, ask(2, true).lines)
    assert.are.same({}, lines.report(lines.places(parse(TEXT)), set).missed)
  end)
end)
