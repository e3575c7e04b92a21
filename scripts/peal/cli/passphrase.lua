--- The passphrase of a cassette. Never an argument: those can be read by
-- others while a command runs.
local files = require "peal.cli.files"

local passphrase = {}

local MAX <const> = 1024

--- For the list of options of a command.
passphrase.option = { "--passphrase-file", "FILE", "its passphrase: the first "
  .. "line (else PEAL_PASSPHRASE,\nelse it is asked for)" }

local function usage(sentence, next_step)
  return nil, { sentence = sentence, word = "usage", code = 2,
    next = next_step }
end

local function checked(text, from)
  if text and text ~= "" then return text end
  return usage(("the passphrase is empty (%s)"):format(from))
end

local function of_file(path)
  local bytes, failed = files.read(path, MAX)
  if not bytes then return nil, failed end
  return checked(bytes:match("^[^\r\n]*"), path)
end

local function asked(is_new)
  local typed = require "peal.terminal".secret
  local text = typed("passphrase of the cassette: ")
  if not text then
    return usage("the passphrase of the cassette is needed",
      "give it with --passphrase-file FILE, or in PEAL_PASSPHRASE")
  end
  if is_new and text ~= "" and typed("once more: ") ~= text then
    return usage("these are two passphrases: nothing is written")
  end
  return checked(text, "typed")
end

--- @param options   of the command line
-- @tparam boolean is_new it is chosen now, and asked for twice
-- @treturn[1] string
-- @return[2] nil, failure
function passphrase.of(options, is_new)
  if options.passphrase_file then return of_file(options.passphrase_file) end
  local given = os.getenv("PEAL_PASSPHRASE")
  if given then return checked(given, "PEAL_PASSPHRASE") end
  return asked(is_new)
end

return passphrase
