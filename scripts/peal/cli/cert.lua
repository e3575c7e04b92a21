--- peal cert: the certificates that a phone believes, and its own.
-- The lists are the daemon's where one owns the store, and the store's else.
local access = require "peal.cli.cert.access"
local advice = require "peal.cli.advice"
local base64 = require "peal.base64"
local files = require "peal.cli.files"
local hints = require "peal.cli.hints"
local output = require "peal.cli.output"
local show = require "peal.cli.cert.show"
local trust = require "peal.trust"

local cert = {
  name = "cert",
  usage = "list | show ID | accept ID | reject ID | remove ID |\n"
    .. "                 import FILE | export ID | updateca URL | renew",
  summary = "See and change whom a phone believes, and renew its own "
    .. "certificate.",
  details = "list      built-in, imported, accepted, rejected, and those that "
    .. "failed a check\n"
    .. "show      everything about one\n"
    .. "accept    believe one that failed a check, even if it has expired\n"
    .. "reject    refuse every connection that shows it\n"
    .. "remove    forget it; one of the factory's stays away until a factory "
    .. "reset\n"
    .. "import    put the certificates of FILE (PEM, DER or PKCS #7, - for "
    .. "standard\n          input) into the lists\n"
    .. "export    print it as PEM\n"
    .. "updateca  fetch a bundle of CA certificates, for this once; "
    .. "Custom_CA_Rule stays\n"
    .. "renew     have the phone's own certificate renewed, if its rule says "
    .. "so\n"
    .. "ID is the beginning of a certificate's SHA-256 fingerprint: four "
    .. "digits or more,\nas far as it is unique.\n"
    .. "Where a daemon owns the store, it is the one that is asked; where "
    .. "none does,\nthe built-in ones are those of --phone.",
  options = {
    { "--out", "FILE", "export: write there (default: standard output)" },
    { "--force", nil, "renew: whatever its dates and rule say" },
  },
  examples = {
    "peal cert list --store st",
    "peal cert accept 3f2a91 --store st",
    "peal cert import ca.pem --store st",
    "peal cert updateca 'http://192.168.1.200/$MA.pem' --store st",
  },
}

local FILE_MAX <const> = 1 << 20

local NO_CERTIFICATES <const> = "is it PEM or DER? "
  .. "openssl x509 -in FILE -noout -text"

local function usage(sentence)
  return nil, { sentence = sentence, word = "usage", code = 2 }
end

local verbs = {}

function verbs.list(on, options)
  local found, failed = on:ask("list")
  if not found then return nil, failed end
  if options.json then
    output.json(found.certificates)
  else
    show.list(found.certificates)
  end
  return 0
end

function verbs.show(on, options)
  local entry, failed = on:ask("show", { id = options[2] })
  if not entry then return nil, failed end
  if options.json then
    output.json(entry)
  else
    show.details(entry)
  end
  return 0
end

-- Something that is done to one certificate, and said in a line.
local function change(action, text)
  return function(on, options)
    local entry, failed = on:ask(action, { id = options[2] })
    if not entry then return nil, failed end
    if options.json then
      output.json(entry)
    else
      output.say("%s %s: %s", text, entry.id:sub(1, 12), show.subject(entry))
    end
    return 0, entry
  end
end

verbs.accept = change("accept", "accepted")
verbs.reject = change("reject", "rejected")

local remove = change("remove", "removed")

local AGAIN <const> = "Custom_CA_Rule brings it back only when its text "
  .. "changes, or with: peal cert updateca URL --store DIR"

function verbs.remove(on, options)
  local code, done = remove(on, options)
  if not code then return nil, done end
  if done.custom_ca_rule then
    output.say("%s", hints.typed(AGAIN, options))
  end
  return code
end

-- A PKCS #7 as PEM has a label of its own; its content is read as DER.
local function plain(bytes)
  local body = bytes:match("%-%-%-%-%-BEGIN PKCS7%-%-%-%-%-(.-)%-%-%-%-%-END")
  return body and base64.decode(body) or bytes
end

-- The certificates of a file as PEM, without what else it holds.
local function pem_of(path)
  local bytes, failed = files.read(path, FILE_MAX + 1)
  if not bytes then return nil, failed end
  if #bytes > FILE_MAX then
    return nil, { sentence = ("%s: longer than %d KiB"):format(path,
      FILE_MAX >> 10), word = "toobig",
      next = "take the certificates out of it that are needed" }
  end
  local list, sentence, word = trust.parse(plain(bytes))
  if not list then
    return nil, { sentence = ("%s: %s"):format(path, sentence), word = word,
      next = NO_CERTIFICATES }
  end
  local out = {}
  for i, one in ipairs(list) do out[i] = trust.pem(one.der) end
  return table.concat(out)
end

function verbs.import(on, options)
  local pem, failed = pem_of(options[2])
  if not pem then return nil, failed end
  local done
  done, failed = on:ask("import", { pem = pem })
  if not done then return nil, failed end
  if options.json then
    output.json(done)
  else
    show.imported(done)
  end
  return 0
end

function verbs.export(on, options)
  local found, failed = on:ask("export", { id = options[2] })
  if not found then return nil, failed end
  if not options.out then
    if options.json then output.json(found) else io.stdout:write(found.pem) end
    return 0
  end
  local ok
  ok, failed = files.write(options.out, found.pem)
  if not ok then return nil, failed end
  return 0
end

local function advised(result, options)
  if result.word == "corrupt" and options[1] == "updateca" then
    return NO_CERTIFICATES
  end
  if result.word == "fnf" then return "does the server have that file?" end
  return hints.typed(advice.of { sentence = result.reason, word = result.word,
    cause = { id = result.word } }, options)
end

local IN_CLEAR <const> = "the bundle came by %s: anybody on the way could put "
  .. "in their own"

-- What a part of the engine came to: 0 where nothing failed.
local function tell(result, options)
  if options.json then
    output.json(result)
  elseif result.outcome ~= "failed" then
    output.say("%s%s", result.outcome == "none" and "nothing to do"
      or result.outcome, result.reason and ": " .. result.reason or "")
  end
  if result.by then output.say(IN_CLEAR, result.by) end
  if result.outcome ~= "failed" then return 0 end
  output.failure { sentence = result.reason, word = result.word,
    next = advised(result, options) }
  return 1
end

function verbs.updateca(on, options)
  local result, failed = on:updateca(options[2])
  if not result then return nil, failed end
  return tell(result, options)
end

function verbs.renew(on, options)
  local result, failed = on:renew(options.force)
  if not result then return nil, failed end
  return tell(result, options)
end

-- What a verb takes besides options.
local TAKES <const> = { list = false, renew = false, show = "ID",
  accept = "ID", reject = "ID", remove = "ID", export = "ID",
  import = "FILE", updateca = "URL" }

local READS <const> = { list = true, show = true, export = true }

local function check(options)
  local takes = TAKES[options[1] or ""]
  if takes == nil then
    return usage("list, show, accept, reject, remove, import, export, "
      .. "updateca or renew?")
  elseif takes and not options[2] or options[takes and 3 or 2] then
    return usage(takes and ("peal cert %s takes one %s"):format(options[1],
      takes) or ("peal cert %s takes options only"):format(options[1]))
  end
  return true
end

function cert.run(options)
  local ok, failed = check(options)
  if not ok then return nil, failed end
  local on
  on, failed = access.open(options, READS[options[1]])
  if not on then return nil, failed end
  local code
  code, failed = verbs[options[1]](on, options)
  on:close()
  return code, failed
end

return cert
