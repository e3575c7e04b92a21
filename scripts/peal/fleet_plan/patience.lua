--- How long a fleet's plan waits for a server that answers nobody: after so
-- many requests in a row that got no answer in time, those that follow fail at
-- once, with the same words (our choice). Each would have cost half a minute.
local json = require "peal.json"
local sorted = require "peal.sorted"

local patience = {}
patience.__index = patience

--- @tparam integer max requests without an answer, in a row
function patience.new(max)
  return setmetatable({ max = max, servers = {} }, patience)
end

-- "http://conf.example:8080"
local function server_of(request)
  return ("%s://%s:%s"):format(request.scheme, request.host, request.port)
end

local function listen(self, name, ...)
  local server = self.servers[name]
  local answer, _, word = ...
  if answer or word ~= "timeout" then
    server.silent = 0
  else
    server.silent = server.silent + 1
    if server.silent >= self.max then
      server.last = server.last or table.pack(...)
    end
  end
  return ...
end

--- A fetch() that is impatient.
function patience:over(fetch)
  return function(request)
    local name = server_of(request)
    local server = self.servers[name] or { silent = 0, spared = 0 }
    self.servers[name] = server
    if server.last then
      server.spared = server.spared + 1
      return table.unpack(server.last, 1, server.last.n)
    end
    return listen(self, name, fetch(request))
  end
end

--- Servers that were given up, as plain data: list of { server, after
-- (requests without an answer), spared (requests that failed at once) }.
function patience:given_up()
  local list = json.array {}
  for _, name in ipairs(sorted.keys(self.servers)) do
    local server = self.servers[name]
    if server.last then
      list[#list + 1] = { server = name, after = self.max,
        spared = server.spared }
    end
  end
  return list
end

return patience
