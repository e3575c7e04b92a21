--- Each step of the doctor's way in words: say.STEP(seen) -> text, verdict,
-- cure; the last two where it is not "ok". `seen` is as doctor.lua has it.
local cures = require "peal.doctor.cures"
local shown = require "peal.shown"
local span = require "peal.doctor.span"
local transport = require "peal.transport"
local visible = require "peal.visible"

local say = {}

local NAMES_MAX <const> = 6

local function line(text, ...)
  return visible.line(select("#", ...) > 0 and text:format(...) or text)
end

local function servers(seen)
  return seen.servers or "the system's name servers"
end

--- What has failed.
function say.broken(seen)
  local place, failed = seen.failed.place or {}, seen.failed
  local where = place.line and (" (line %d)"):format(place.line)
    or failed.word == "dns" and (" (asked %s)"):format(servers(seen)) or ""
  return line("%s%s", failed.sentence, where)
end

-- --- the rule ---

local function chosen(rule)
  for i, one in ipairs(rule.alternatives or {}) do
    if one.chosen then return i, one end
  end
end

function say.rule(seen)
  local rule, i, one = seen.rule, chosen(seen.rule)
  local out = { seen.asked and ("%s %s"):format(seen.asked.method,
    shown.rule(seen.phone.world.store, seen.asked.url))
    or rule.expanded or rule.text or "" }
  if rule.alternatives and #rule.alternatives > 1 then
    out[#out + 1] = ("alternative %d of %d"):format(i or 0,
      #rule.alternatives)
  end
  for _, c in ipairs(one and one.conditions or {}) do
    out[#out + 1] = ("%s %s %s is %s"):format(c.left, c.op, c.right,
      tostring(c.verdict))
  end
  if rule.expanded and rule.expanded ~= rule.text then
    out[#out + 1] = "from " .. rule.text
  end
  return line(table.concat(out, "; "))
end

-- --- the way to the server ---

local function addresses_of(lookup)
  local list = {}
  for i, one in ipairs(lookup.addresses) do
    list[i] = one.address or ("%s:%d"):format(one.target, one.port)
  end
  return table.concat(list, ", ")
end

local function is_address(name)
  return name:find("^[%d.]+$") or name:find(":", 1, true)
end

local function looked_up(seen, lookup)
  if is_address(lookup.name) then return lookup.name .. " is an address" end
  return ("%s: %s (%s, asked %s)"):format(lookup.name, lookup.addresses
    and addresses_of(lookup) or lookup.sentence or "no answer",
    span(lookup.seconds), servers(seen))
end

function say.dns(seen)
  local lookups = seen.seen.lookups
  local last = lookups[#lookups]
  if seen.fetch.request.proxy then
    return line("the proxy looks %s up; proxy %s", seen.host,
      last and looked_up(seen, last) or "")
  end
  return line(looked_up(seen, last)), is_address(last.name) and "none"
end

-- Attempts at other addresses before the one that counts.
local function tried(seen)
  local out = {}
  for i = 1, #seen.seen.fetches - 1 do
    local one = seen.seen.fetches[i]
    if one.word == "connect" or one.word == "timeout" then
      out[#out + 1] = ("%s did not answer, "):format(one.request.address or "?")
    end
  end
  return table.concat(out)
end

function say.tcp(seen)
  local request, facts = seen.fetch.request, seen.fetch.facts
  if request.scheme == "tftp" then return "tftp is UDP", "none" end
  local peer = facts.peer or request.proxy_address or request.address
    or request.host
  local timing = facts.timing or {}
  return line("%s%s%s port %d in %s", tried(seen),
    request.proxy and "proxy " or "", peer, facts.port or request.port,
    span(timing.connect or 0))
end

function say.tls(seen)
  local request, tls = seen.fetch.request, seen.fetch.facts.tls
  if not request.tls then return request.scheme .. ": no TLS", "none" end
  if not tls then return "agreed" end
  local timing = seen.fetch.facts.timing or {}
  return line("%s, %s, %s in %s", tls.version or "TLS", tls.cipher or "?",
    tls.resumed and "a session resumed" or "full handshake",
    span(math.max(0, (timing.tls or 0) - (timing.connect or 0))))
end

local function let_pass(seen)
  for i = #seen.trace.steps, 1, -1 do
    local step = seen.trace.steps[i]
    if step.step == "trust" and step.accept then return step end
  end
end

function say.certificate(seen)
  if not seen.fetch.request.tls then return "no TLS", "none" end
  local leaf, tls = seen.leaf, seen.fetch.facts.tls
  if not leaf then return "that of the resumed session" end
  local text = line("%s, issued by %s, from %s to %s, SHA-256 %s",
    leaf.subject, leaf.issuer, leaf.not_before, leaf.not_after,
    leaf.sha256:sub(1, 12))
  local passed = let_pass(seen)
  if passed then
    return line("%s; let pass although: %s (%s)", text, passed.text,
      passed.reason or "the rule says so"), "warning",
      cures.of { step = "certificate", failed = { word = passed.word,
        sentence = passed.text, cause = { id = passed.word } },
        phone = seen.phone, host = seen.host, leaf = leaf, id = seen.id,
        now = seen.now }
  end
  if tls.pinned then return text .. "; believed because the lists hold it" end
  return text .. (tls.anchor and "; under " .. visible.line(tls.anchor) or "")
end

function say.client(seen)
  local request, tls = seen.fetch.request, seen.fetch.facts.tls
  if not request.tls then return "no TLS", "none" end
  if tls and tls.client_cert_sent then
    return "asked for, and the phone's own was sent"
  end
  local asked = tls and tls.client_cert_requested
    and "asked for, not demanded"
    or tls and tls.resumed and "not asked for in a session resumed"
    or "not asked for"
  return ("%s; the phone has %s"):format(asked, seen.identity and "one"
    or "none")
end

-- --- the answer ---

function say.auth(seen)
  local request, answer = seen.fetch.request, seen.fetch.facts
  if request.scheme == "tftp" then return "tftp has none", "none" end
  local out = {}
  if (answer.sent or 1) > 1 and (request.user or request.proxy_user) then
    out[1] = ("asked for, and the %s was taken"):format(request.user
      and "user and password of the rule or account"
      or "proxy's user and password")
  else
    out[1] = "not asked for"
    out[2] = request.user and "user and password were not needed" or nil
  end
  return line(table.concat(out, "; "))
end

local function redirects(seen)
  local out = {}
  for _, step in ipairs(seen.trace.steps) do
    if step.step == "redirect" then
      out[#out + 1] = ("redirected (%d) to %s; "):format(step.status,
        shown.rule(seen.phone.world.store, step.to))
    end
  end
  return table.concat(out)
end

function say.answer(seen)
  local answer = seen.fetch.facts
  local text = redirects(seen) .. (answer.status and answer.status ~= 0
    and ("HTTP %d, "):format(answer.status) or "")
  if seen.done.missing then
    return line("%sno such file, which is no fault: Resync_Fails_On_FNF is No",
      text), "warning", "put the file on the server, or set "
        .. "Resync_Fails_On_FNF to Yes"
  end
  return line("%s%d bytes in %s", text, #(seen.body or ""),
    span(seen.fetch.seconds))
end

local KEYS <const> = { ["^aes%-256"] = " with --key",
  ["^aes128gcm"] = " with IKM_HTTP_Encrypt_Content" }

local function coding(name)
  for pattern, key in pairs(KEYS) do
    if name:find(pattern) then return name .. key end
  end
  return name
end

function say.decode(seen)
  local out = {}
  for _, name in ipairs(seen.decoded and seen.decoded.steps or {}) do
    if name ~= "xml" then out[#out + 1] = coding(name) end
  end
  if #out == 0 then out[1] = "neither encrypted nor compressed" end
  local text = table.concat(out, ", ")
  local sent = transport.header(seen.fetch.facts, "content-encoding", true)
  return line("%s%s", text, sent and "; Content-Encoding " .. sent or "")
end

function say.parse(seen)
  local counts = seen.done.counts or {}
  return line("%d parameters in %d bytes of XML", counts.elements or 0,
    seen.decoded and seen.decoded.plain or 0)
end

-- --- the values ---

local function some(list, name_of)
  local out = {}
  for i = 1, math.min(#list, NAMES_MAX) do out[i] = name_of(list[i]) end
  if #list > NAMES_MAX then
    out[#out + 1] = ("and %d more"):format(#list - NAMES_MAX)
  end
  return table.concat(out, ", ")
end

local function note_text(note)
  return (note.name or note.text) .. (note.suggest
    and (" (did you mean %s?)"):format(note.suggest) or "")
end

-- Notes of the profile's elements.
local function notes_of(seen)
  local unknown, bad = {}, {}
  for _, note in ipairs(seen.result.notes) do
    if note.word == "unknown-name" then
      unknown[#unknown + 1] = note
    elseif note.line and note.line > 0 then
      bad[#bad + 1] = note
    end
  end
  return unknown, bad
end

function say.apply(seen)
  local result, out = seen.result, {}
  local unknown, bad = notes_of(seen)
  local function name(of) return of.name end
  out[1] = #result.changes == 0 and "nothing would change"
    or ("%d would change: %s"):format(#result.changes,
      some(result.changes, name))
  if #unknown > 0 then
    out[#out + 1] = ("%d unknown: %s"):format(#unknown,
      some(unknown, note_text))
  end
  if #bad > 0 then
    out[#out + 1] = ("%d not taken: %s"):format(#bad, some(bad,
      function(note) return ("%s: %s"):format(note.name or "?", note.text) end))
  end
  if #result.refused > 0 then
    out[#out + 1] = ("%d refused by a rule: %s"):format(#result.refused,
      some(result.refused, function(one)
        return ("%s (%s)"):format(one.name, one.reason)
      end))
  end
  if result.reboot then out[#out + 1] = "a reboot would be needed" end
  local text = line(table.concat(out, "; "))
  if #unknown + #bad == 0 then return text end
  return text, "warning", cures.values(unknown, bad)
end

return say
