--- The method `record`: a daemon's next resync on a cassette.
-- The client says under which key (made of a passphrase that it keeps to
-- itself), waits, and gets sealed bytes, in parts. When it goes away, the
-- resync is not recorded, and takes place as it would have.
local base64 = require "peal.base64"
local cassette = require "peal.cassette"
local take = require "peal.cassette.take"
local task = require "peal.task"

local record = {}

-- A part in base64 stays far below what a frame may hold.
local PART <const> = 128 * 1024

-- What engine/work.lua knows of a recording: phone_for() before each attempt
-- at a resync, ended() after the one that was made.
local recording = {}
recording.__index = recording

function recording:is_wanted()
  return not self.over and self.session.peer ~= nil
end

-- One that was asked for is meant, and no other that comes before it.
local function is_meant(self, job)
  if not self.asked then return true end
  for _, done in ipairs(job.dones or {}) do
    if done == self.asked then return true end
  end
  return false
end

--- The phone to make the next resync with.
--   job   what it is made for
function recording:phone_for(phone, job)
  self.taken = nil
  if not self:is_wanted() or not is_meant(self, job) then return phone end
  self.taken = take.new(phone, self.schema)
  return self.taken.phone
end

--- A resync is over.
function recording:ended(run, request)
  local taken = self.taken
  if not taken or taken.phone ~= run.phone then return end
  self.taken = nil
  local c = taken:cassette(run, request)
  if self:is_wanted() then self.done(c, run.result) end
  self.over = true
end

--- There will be no resync to record.
function recording:fail(sentence, word)
  if self.over then return end
  self.over, self.taken = true, nil
  self.done(nil, sentence, word)
end

local function drop(member)
  member.recording = nil
  if member.engine then member.engine.recording = nil end
end

local function invalid(sentence)
  return nil, sentence, "invalid"
end

-- 32 octets in hex.
local function key_of(text)
  if type(text) ~= "string" or not text:find("^%x+$") or #text ~= 64 then
    return nil
  end
  return (text:gsub("%x%x", function(two)
    return string.char(tonumber(two, 16))
  end))
end

-- Wait until it is made, asking for it now if that is wanted.
local function wait(member, params, call)
  return task.await(function(resume)
    local one = setmetatable({ session = call.session, schema = member.schema,
      done = resume }, recording)
    member.recording, member.engine.recording = one, one
    call.on_cancel = function()
      one.over = true
      resume(nil, "canceled", "canceled")
    end
    if not params.now and not params.rule then return end
    --- After ended(), unless it was refused before it began.
    function one.asked(result)
      one:fail("nothing is recorded: " .. tostring(result.reason), "refused")
    end
    local ok, sentence, word = member.engine:resync { by = "cli",
      role = "admin", rule = params.rule, done = one.asked }
    if not ok then one:fail(sentence, word) end
  end)
end

--- params: key (64 hex digits), now, rule
-- @treturn table cycle, outcome, reason, size, calls: then record_part is
--   asked for the bytes
function record.begin(member, params, call)
  local key = key_of(params.key)
  if not key then return invalid("key is no text of 64 hex digits") end
  local rule = params.rule
  if rule ~= nil and (type(rule) ~= "string" or rule:find("%c")) then
    return invalid("rule is no text of one line")
  end
  if member.recording and member.recording:is_wanted() then
    return nil, "somebody records the next resync already", "busy"
  end
  local c, result, word = wait(member, params, call)
  drop(member)
  if not c then return nil, result, word end
  local bytes, sentence
  bytes, sentence, word = cassette.seal(c, key)
  if not bytes then return nil, sentence, word end
  call.session.cassette = bytes
  return { cycle = result.cycle, outcome = result.outcome,
    reason = result.reason, size = #bytes, calls = c.entries }
end

--- params: at (from 1)
-- @treturn table bytes (base64) from there on, next (nil: that was all)
function record.part(_, params, call)
  local bytes, at = call.session.cassette, math.tointeger(params.at)
  if not bytes or not at or at < 1 or at > #bytes then
    return nil, "there is nothing to fetch", "not-found"
  end
  local last = at + PART > #bytes
  if last then call.session.cassette = nil end
  return { bytes = base64.encode(bytes:sub(at, at + PART - 1)),
    next = not last and at + PART or nil }
end

return record
