--- Plays all cassettes of a file (see recorded_peal.lua) in a process of its
-- own: prints how many are the same, and the sentence of each that is not.
local form = require "peal.world.tape_form"
local play = require "peal.cassette.play"

local locale = os.getenv("LC_ALL") or "C"
assert(os.setlocale(locale), locale .. " is not on this machine")

local file <close> = assert(io.open(arg[1], "rb"))
local all, at, same = file:read("a"), 1, 0
while at <= #all do
  local bytes
  bytes, at = string.unpack("<s8", all, at)
  local played, sentence = play.resync(assert(form.unpack(bytes)))
  if played and played.identical then
    same = same + 1
  else
    print(sentence or played.divergence.sentence)
  end
end
print(("%d are the same"):format(same))
