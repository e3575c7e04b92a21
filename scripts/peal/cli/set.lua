--- peal set: write parameters by hand.
local advice = require "peal.cli.advice"
local get = require "peal.cli.get"
local output = require "peal.cli.output"
local session = require "peal.cli.session"
local sys = require "peal.sys"

local set = {
  name = "set",
  usage = "NAME VALUE | NAME=VALUE ...",
  summary = "Write parameters into the store, all of them or none.",
  details = "The values are checked like those of a profile. NAME= empties "
    .. "a parameter.",
  options = {},
  examples = { "peal set Resync_Periodic 7200 --store st",
    "peal set GPP_A= GPP_B='two words' --store st" },
}

local function pairs_of(options)
  if #options == 2 and not options[1]:find("=", 1, true) then
    return { { options[1], options[2] } }
  end
  local out = {}
  for i, text in ipairs(options) do
    local name, value = text:match("^([^=]+)=(.*)$")
    if not name then
      return nil, { sentence = ("not NAME=VALUE: %s"):format(
        output.clip(text)), word = "usage", code = 2 }
    end
    out[i] = { name, value }
  end
  if #out == 0 then
    return nil, { sentence = "what is to be set?", word = "usage", code = 2 }
  end
  return out
end

local function failure(sentence, word, next_step)
  return nil, { sentence = sentence, word = word,
    next = next_step or advice.here(word) }
end

-- A profile could not hold such a value, nor a report show it.
local function check_bytes(name, value)
  if value:gsub("\t", ""):find("%c") then
    return failure(name .. ": control characters or line ends in the value",
      "bad-value", "write it on one line")
  end
  if not utf8.len(value) then
    return failure(name .. ": the value is not UTF-8", "bad-value",
      "convert it: iconv -t UTF-8")
  end
  return true
end

local function write(open, list)
  for _, pair in ipairs(list) do
    local ok, failed = check_bytes(pair[1], pair[2])
    if not ok then return nil, failed end
  end
  local txn, sentence, word = open.store:begin()
  if not txn then return failure(sentence, word) end
  txn:source { author = "cli" }
  txn:keep_unknown(open.phone.keep_unknown or false)
  for _, pair in ipairs(list) do
    local ok
    ok, sentence, word = txn:set(pair[1], pair[2])
    if not ok then
      txn:abort()
      if word == "unknown-name" then
        return get.unknown(open.schema, pair[1])
      end
      return failure(("%s: %s"):format(pair[1], sentence), word,
        word == "bad-value" and "its type and value now: peal explain "
          .. pair[1] or nil)
    end
  end
  local changes, revision
  changes, sentence, word = txn:changes()
  if not changes then
    txn:abort()
    return failure(sentence, word)
  end
  revision, sentence, word = txn:commit("set", math.floor(sys.time()))
  if not revision then
    return nil, { sentence = sentence, word = word,
      next = "the store is as it was" }
  end
  return changes, revision
end

function set.run(options)
  local list, failed = pairs_of(options)
  if not list then return nil, failed end
  local open
  open, failed = session.open(options, { disk = "set" })
  if not open then return nil, failed end
  local changes, revision = write(open, list)
  if not changes then return nil, revision end
  if options.json then
    output.json { changed = #changes, revision = revision }
  else
    output.say("%d changed, revision %d", #changes, revision)
  end
  return 0
end

return set
