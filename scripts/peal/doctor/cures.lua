--- What mends the step that is broken, where the resync's own advice
-- (cli/advice.lua) can be told from what was seen.
local advice = require "peal.cli.advice"
local civil = require "peal.civil"
local trust = require "peal.trust"

local cures = {}

-- A certificate gets into the lists when a resync has met it.
local ACCEPT <const> = "; or believe this one alone: peal resync --store DIR "
  .. "lists it, then peal cert accept %s --store DIR"

-- The names that a certificate is for.
local function names_of(leaf)
  local list = leaf.der and trust.parse(leaf.der)
  local sans = list and list[1] and list[1].sans
  return sans and sans[1] and table.concat(sans, ", ") or leaf.cn
end

local function accept(id)
  return id and ACCEPT:format(id:sub(1, 12)) or ""
end

local BY_WORD <const> = {
  ["c.untrusted"] = function(about)
    return "name the CA that signed it: phone file, trust = { ca = \"ca.pem\" "
      .. "}; Custom_CA_Rule; or peal cert import ca.pem --store DIR"
      .. accept(about.id)
  end,
  ["c.expired"] = function(about)
    return ("give the server a new certificate; is the clock right? Here it is "
      .. "%s"):format(civil.iso(about.now.time)) .. accept(about.id)
  end,
  ["c.future"] = function(about)
    return ("is the clock right? Here it is %s"):format(
      civil.iso(about.now.time)) .. accept(about.id)
  end,
  ["c.name"] = function(about)
    local names = about.leaf and names_of(about.leaf)
    return ("use a name that the certificate holds%s, or give the server one "
      .. "for %s"):format(names and " (" .. names .. ")" or "",
      about.host or "this name") .. accept(about.id)
  end,
  ["t.client"] = function(about)
    if about.identity then
      return "the server refuses the phone's certificate: does it know the CA "
        .. "that signed it? See its log, and peal cert list"
    end
    return advice.of(about.failed, about.phone)
  end,
}

-- Does the body look encrypted or compressed, or made for people?
local function looks(body)
  if body:find("^Salted__") then return "salted" end
  if body:find("^\x1f\x8b") then return "gzip" end
  local start = body:sub(1, 200):lower()
  if start:find("<html") or start:find("<!doctype html") then return "html" end
end

local PAGE <const> = "open the URL in a browser: does the server want a login "
  .. "first, or is it the address of a page?"

local function of_decode(about)
  local body = about.body or ""
  local kind = looks(body)
  if about.failed.word == "bad-coding" then
    return "let the server send the file as it is, or with gzip"
  elseif kind == "salted" and not about.with_key then
    return "the file is encrypted and the rule gives no key: "
      .. "[--key K] URL"
  elseif about.with_key and kind ~= "salted" then
    return "leave --key out of the rule, or encrypt the file: peal profile "
      .. "encode FILE --key K"
  elseif about.with_key then
    return "is it the key that the file was encrypted with? Try it by hand: "
      .. "peal profile check FILE --key K"
  elseif kind == "html" then
    return PAGE
  elseif kind == "gzip" then
    return "the compressed file is damaged: put it on the server again, and "
      .. "compare: gzip -t FILE"
  end
  return "see what the file holds: peal profile check FILE"
end

local BY_STEP <const> = {
  decode = of_decode,
  tls = function(about)
    local text = advice.of(about.failed, about.phone)
    return about.failed.word == "connect"
      and "is this a TLS port? Try http, or see the server's log" or text
  end,
  answer = function(about)
    local text = advice.of(about.failed, about.phone)
    return about.failed.word == "connect" and about.scheme == "http"
      and text .. " Is it a TLS port? Try https" or text
  end,
  parse = function(about)
    if looks(about.body or "") == "html" then return PAGE end
    return "mend the line; peal profile check FILE tells the same before the "
      .. "file is on the server"
  end,
}

--- One line.
--   about   step, scheme, failed (word, sentence, cause, status, place),
--           phone, host, leaf and id (of the certificate that was shown), now,
--           body, with_key, identity
function cures.of(about)
  local special = BY_WORD[about.failed.word] or BY_STEP[about.step]
  if special then return special(about) end
  return advice.of(about.failed, about.phone, about.id)
end

-- For parameters that nobody knows.
local function of_unknown(notes)
  for _, note in ipairs(notes) do
    if note.suggest then
      return ("write %s for %s; names of the maker's own go into the phone "
        .. "file's registry"):format(note.suggest, note.name)
    end
  end
  return "names of the maker's own go into the phone file's registry; "
    .. "--keep-unknown keeps all of them as plain text"
end

-- For values that do not fit.
local function of_bad(notes)
  return ("mend %s in the profile: peal profile check FILE lists all"):format(
    notes[1].name or "the values")
end

--- For what a profile holds and a phone does not take.
--   unknown, bad   notes of either kind; one of the lists may be empty
function cures.values(unknown, bad)
  local parts = {}
  if #bad > 0 then parts[1] = of_bad(bad) end
  if #unknown > 0 then parts[#parts + 1] = of_unknown(unknown) end
  return table.concat(parts, "; ")
end

return cures
