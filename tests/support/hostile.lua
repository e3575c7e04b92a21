--- Rule code that people and attackers have tried against limits on scripts:
-- list of { words, code, harmless = the box makes it one, kill = the box cannot
-- stop it in time, the worker's end can }.
return {
  { "a coroutine that loops",
    "coroutine.wrap(function() while true do end end)()" },
  { "pcall of a loop, in a loop",
    "while true do pcall(function() while true do end end) end" },
  { "pcall that calls itself",
    "local function f() pcall(f) pcall(f) end f()" },
  { "xpcall whose handler loops",
    "xpcall(error, function() while true do end end)" },
  { "looping coroutines in a loop", [[
    while true do
      coroutine.wrap(function()
        pcall(function() while true do end end)
      end)()
    end]] },
  { "a __gc that loops", [[
    for _ = 1, 1e5 do
      setmetatable({}, { __gc = function() while true do end end })
    end]] },
  { "a __gc that loops at the end of the state", [[
    local hoard = { setmetatable({}, { __gc = function()
      while true do end
    end }) }
    for i = 1, 1e9 do hoard[i + 1] = ("x"):rep(1000) .. i end]] },
  { "a __close that loops", [[
    local _ <close> = setmetatable({}, { __close = function()
      while true do end
    end })
    error("now")]] },
  { "repetitions of nothing", '("").rep("", 1 << 62)', harmless = true },
  { "a move of nothing", "table.move({}, 1, 1 << 60, 2)" },
  { "a pattern that goes back and forth",
    '(("a"):rep(100000)):find(".-.-.-b")' },
  { "a long text read as a number, again and again", [[
    local s = ("1"):rep(1000000)
    while true do local _ = s + 0 end]], kill = true },
  { "a chain of a thousand tables", [[
    local t = {}
    for _ = 1, 1900 do t = setmetatable({}, { __index = t }) end
    while true do local _ = t.x end]], kill = true },
}
