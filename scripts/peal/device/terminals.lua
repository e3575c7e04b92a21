--- Terminals of a simulated phone, which are not there either.
--
--   d.terminal("17")            one of them: id, kind, and
--     .bundle                   what it was given last
--     .restarts                 how often it has restarted
--     .broken = "it is off"     refuses, with this sentence
--     .slow = true              does not answer until .finish() is called
--   d.set_terminals { { id = "17", kind = "sip" } }   there are others now
local terminals = {}

-- Answer now, or when finish() is called.
local function settle(one, answer, taken)
  local function finish()
    one.finish = nil
    if one.broken then return answer(false, one.broken) end
    taken()
    answer(true)
  end
  if one.slow then
    one.finish = finish
  else
    finish()
  end
end

local function new(about)
  local one = { id = about.id, kind = about.kind, restarts = 0 }
  function one.push(bundle, answer)
    settle(one, answer, function() one.bundle = bundle end)
  end
  function one.restart(answer)
    settle(one, answer, function() one.restarts = one.restarts + 1 end)
  end
  return one
end

--- Give a simulated device its terminals.
--   list   of { id, kind }; nil: none
--   tell   function(kind) for those who listen to the device
function terminals.add(d, list, tell)
  local all, known = {}, {}
  local function set(wanted)
    all = {}
    for i, about in ipairs(wanted or {}) do
      known[about.id] = known[about.id] or new(about)
      all[i] = known[about.id]
    end
  end
  set(list)
  function d.terminals() return all end
  function d.terminal(id) return known[id] end
  function d.set_terminals(wanted)
    set(wanted)
    tell("terminal")
  end
end

return terminals
