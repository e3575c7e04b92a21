--- peal profile: make and read profile files.
local advice = require "peal.cli.advice"
local decode = require "peal.decode"
local encode = require "peal.encode"
local files = require "peal.cli.files"
local json = require "peal.json"
local output = require "peal.cli.output"
local session = require "peal.cli.session"
local shown = require "peal.shown"
local store = require "peal.store"
local sys = require "peal.sys"

local profile = {
  name = "profile",
  usage = "encode|decode|show|check FILE",
  summary = "Make and read profile files. FILE may be - for standard input.",
  details = "encode  gzip and, with --key, encrypt a plain profile\n"
    .. "decode  print the plain text of a profile file and nothing else\n"
    .. "show    list the parameters of a profile file\n"
    .. "check   say what a phone would refuse, with line numbers",
  options = {
    { "--key", "KEY", "the key of the rule's --key option" },
    { "--ikm", "IKM", "IKM_HTTP_Encrypt_Content, for aes128gcm files" },
    { "--codings", "LIST", "what Content-Encoding says of the file" },
    { "--out", "FILE", "encode: write there (default: standard output)" },
    { "--no-gzip", nil, "encode: do not compress" },
    { "--md", "md5|sha256|pbkdf2",
      "encode: how the key is made (default md5,\n                       "
        .. "as the phones' guide)" },
  },
  examples = {
    "peal profile encode phone.xml --key s3cret --out phone.enc",
    "peal profile decode phone.enc --key s3cret",
    "peal profile check phone.enc --key s3cret",
  },
}

local MAX_BYTES <const> = 64 * 1024 * 1024

local function usage(sentence)
  return nil, { sentence = sentence, word = "usage", code = 2 }
end

local function decode_options(options)
  return { key = options.key, ikm = options.ikm,
    codings = options.codings or (options.ikm and not options.key
      and "aes128gcm") or nil }
end

local function refused(path, options, sentence, word, place)
  return nil, { sentence = ("%s: %s"):format(path, sentence), word = word,
    place = place,
    next = advice.profile(word, options.key or options.ikm) }
end

local verbs = {}

function verbs.decode(path, bytes, options)
  local text, sentence, word, place = decode.text(bytes,
    decode_options(options))
  if not text then return refused(path, options, sentence, word, place) end
  io.stdout:write(text)
  return 0
end

local function refused_by_encoder(options, sentence, word)
  if word == "invalid" and (options.key or options.ikm) then
    return usage(("%s: %s"):format(options.key and "--key" or "--ikm",
      sentence))
  end
  return nil, { sentence = sentence, word = word, next = advice.here(word) }
end

function verbs.encode(_, bytes, options)
  local kdf = options.md or "md5"
  if kdf ~= "md5" and kdf ~= "sha256" and kdf ~= "pbkdf2" then
    return usage("--md is md5, sha256 or pbkdf2")
  end
  if options.key == "" then return usage("--key is empty") end
  if options.key and options.ikm then
    return usage("--key or --ikm: a file is encrypted once")
  end
  local out, sentence, word = bytes, nil, nil
  if not options.no_gzip then out, sentence, word = encode.gzip(out) end
  if out and options.key then
    out, sentence, word = encode.aes(out, options.key, kdf, sys.random(8))
  elseif out and options.ikm then
    out, sentence, word = encode.aes128gcm(out, options.ikm, sys.random(16))
  end
  if not out then return refused_by_encoder(options, sentence, word) end
  if not options.out then
    io.stdout:write(out)
    return 0
  end
  local ok, failed = files.write(options.out, out)
  if not ok then return nil, failed end
  return 0
end

-- A store in memory for the phone of these options.
local function blank_store(options)
  local schema, failed = session.schema(options)
  if not schema then return nil, failed end
  local st, sentence, word = store.open { schema = schema }
  if not st then
    return nil, { sentence = sentence, word = word, next = advice.here(word) }
  end
  return st
end

-- What may be shown of an element's value.
local function value_of(st, element)
  if element.value ~= "" and shown.is_secret(st, element.name) then
    return "********"
  end
  local about = st:value(element.name)
  return shown.value(st, { name = element.name, text = element.value,
    type = about and about.type or "Str" })
end

function verbs.show(path, bytes, options)
  local st, failed = blank_store(options)
  if not st then return nil, failed end
  local list, sentence, word, place = decode.elements(bytes,
    decode_options(options))
  if not list then return refused(path, options, sentence, word, place) end
  local rows, data = { { "LINE", "NAME", "VALUE", "UA" } }, json.array()
  for i, element in ipairs(list) do
    local value = value_of(st, element)
    rows[i + 1] = { tostring(element.line), element.name,
      output.clip(value), element.ua or "" }
    data[i] = { name = element.name, value = value, ua = element.ua,
      line = element.line }
  end
  if options.json then
    output.json(data)
  else
    output.print(output.columns(rows))
  end
  return 0
end

local function print_check(counts, notes)
  for _, note in ipairs(notes) do
    output.print(("line %d: %s"):format(note.line or 0, output.note(note)))
  end
  local parts = { ("%d parameters"):format(counts.elements),
    ("%d applied"):format(counts.applied) }
  if counts.kept > 0 then
    parts[#parts + 1] = ("%d unknown but kept"):format(counts.kept)
  end
  parts[#parts + 1] = ("%d unknown"):format(counts.unknown - counts.kept)
  parts[#parts + 1] = ("%d refused"):format(counts.bad)
  local left = counts.elements - counts.applied - counts.unknown - counts.bad
  if left > 0 then
    parts[#parts + 1] = ("%d left as they are"):format(left)
  end
  output.print(table.concat(parts, ", "))
end

function verbs.check(path, bytes, options)
  local st, failed = blank_store(options)
  if not st then return nil, failed end
  local txn = assert(st:begin())
  txn:keep_unknown(options.keep_unknown or false)
  local facts, sentence, word, place = decode.apply(bytes,
    decode_options(options), txn)
  if not facts then
    txn:abort()
    return refused(path, options, sentence, word, place)
  end
  local counts, notes = txn:counts(), txn:notes()
  txn:abort()
  if options.json then
    output.json { steps = json.array(facts.steps), counts = counts,
      notes = json.array(notes) }
  else
    print_check(counts, notes)
  end
  return counts.bad > 0 and 1 or 0
end

function profile.run(options)
  local verb = verbs[options[1] or ""]
  if not verb then return usage("encode, decode, show or check?") end
  if not options[2] or options[3] then return usage("one file, please") end
  local bytes, failed = files.read(options[2], MAX_BYTES)
  if not bytes then return nil, failed end
  return verb(options[2], bytes, options)
end

return profile
