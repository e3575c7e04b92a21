--- Searches what was said in a run of all tests for planted secrets. The last
-- step of tests/run:
--   lua5.4 tests/support/scan_secrets.lua FOLDER [LOG ...]
-- FOLDER is PEAL_OUTPUTS of that run, LOG what its steps wrote themselves.
package.path = "./scripts/?.lua;./tests/?.lua;" .. package.path
local outputs = require "support.outputs"
local secrets = require "support.secrets"

local AROUND <const> = 40

local function excerpt(bytes, at)
  return (bytes:sub(math.max(1, at - AROUND), at + AROUND):gsub("%c", " "))
end

local function names_in(folder)
  local out = {}
  local pipe = assert(io.popen(("ls -1 '%s'"):format(folder)))
  for name in pipe:lines() do out[#out + 1] = folder .. "/" .. name end
  pipe:close()
  return out
end

-- What is wrong with one record, a line each.
local function judge(record, found, say)
  for _, one in ipairs(found) do
    say(("%s: %s of `%s` holds the secret %q: ...%s..."):format(
      record.place ~= "" and record.place or record.file, record.what,
      record.who, one.name, excerpt(record.bytes, one.at)))
  end
end

local function scan(folder, logs, say)
  local count = { outputs = 0, bytes = 0, found = 0, marked = 0, reasons = {} }
  local function look(record)
    count.outputs = count.outputs + 1
    count.bytes = count.bytes + #record.bytes
    local found = secrets.find(record.bytes)
    if record.reveals ~= "" then
      if #found > 0 then count.reasons[record.reveals] = true end
      count.marked = count.marked + 1
    else
      count.found = count.found + #found
      judge(record, found, say)
    end
  end
  for _, path in ipairs(names_in(folder)) do
    for record in outputs.read(path) do
      record.file = path
      look(record)
    end
  end
  for _, path in ipairs(logs) do
    local file = assert(io.open(path, "rb"))
    look { who = path, what = "log", place = "", reveals = "", file = path,
      bytes = file:read("a") }
    file:close()
  end
  return count
end

local function main(folder, ...)
  local count = scan(folder, { ... }, print)
  print(("%d outputs, %d bytes: %d secrets found; %d may show one"):format(
    count.outputs, count.bytes, count.found, count.marked))
  for reason in pairs(count.reasons) do print("  because " .. reason) end
  if count.outputs == 0 then print "nothing was kept: is PEAL_OUTPUTS set?" end
  return count.found == 0 and count.outputs > 0
end

os.exit(main(table.unpack(arg)))
