--- The rule files of one cycle. Their texts stay as they were when it began.
local say = require "peal.rules.say"

local set = {}
set.__index = set

--- @param book    what is known of the texts
-- @param files   stage -> { current =, good = }, shared with other cycles
-- @param notes   what is new since the last one; more may come
function set.new(book, files, notes)
  return setmetatable({ book = book, files = files, notes = notes,
    out = {} }, set)
end

--- A text that has failed is tried again in the next cycle.
function set:usable(copy)
  return not self.out[copy] and self.book:usable(copy)
end

function set:answered(stage, copy, about)
  self.book:answered(stage, copy, about, self.notes)
end

--- @param failure   copy, why, word
function set:failed(stage, failure, about)
  self.out[failure.copy] = true
  self.book:failed(stage, failure, about)
end

--- Say what has failed, and what was used instead.
--   used   the copy; nil: the factory's rule
function set:say(failures, used)
  for _, failure in ipairs(failures) do
    say.failure(self.notes, failure.copy, failure.why, failure.word,
      say.instead(used))
  end
end

--- Not even the factory's rule could answer.
function set:say_default(why)
  say.note(self.notes, "bad-rule-file", nil,
    why .. "; the phone's default is used")
end

return set
