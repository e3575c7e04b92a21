--- Custom_CA_Rule: roots that a site adds to those of the factory.
-- The bundle is fetched, looked through and kept, all of it or nothing: what
-- was installed before stays until another one is in its place. A failure is
-- shown by the status pages and stops nothing.
-- Source: MPP administration guide, Custom_CA_Rule, "Custom CA Status",
-- updateca; ATA 191 guide, Custom CA URL; what a bundle may hold, and when it
-- is fetched again, are our choice.
local bundle = require "peal.custom_ca.bundle"
local clock = require "peal.engine.clock"
local context = require "peal.cycle.context"
local encode = require "peal.encode"
local macro = require "peal.macro"
local policy = require "peal.tls_policy"
local retrieve = require "peal.retrieve"
local secret = require "peal.secret"
local trust = require "peal.trust"
local visible = require "peal.visible"

local custom_ca = {}

local PARAM <const> = "Custom_CA_Rule"
local MAX_BYTES <const> = 256 << 10
local MAX_CERTIFICATES <const> = 64

-- What is kept: the bundle, and of the rule, as digests: the one that it came
-- by, the last one tried, and whether the last attempt of all failed.
local BUNDLE <const> = bundle.KEPT
local INSTALLED <const> = { "trust", "custom_ca_rule" }
local TRIED <const> = bundle.TRIED
local FAILED <const> = { "trust", "custom_ca_failed" }
local CUT <const>, BY <const> = bundle.CUT, bundle.BY
local STATUS <const> = { "status", "Custom_CA_Provisioning_Status" }
local INFO <const> = bundle.INFO

local function get(phone, what)
  return phone.keep:get(what[1], what[2])
end

local function set(phone, what, text)
  phone.keep:set(what[1], what[2], text)
end

local function digest(text)
  local hash = encode.sha256()
  hash:add(text)
  return hash:hex()
end

-- --- what a bundle holds ---

local function corrupt(sentence)
  return nil, retrieve.failure(sentence, "corrupt")
end

local function parse(bytes)
  if #bytes > MAX_BYTES then
    return nil, retrieve.failure(("the bundle is longer than %d KiB"):format(
      MAX_BYTES >> 10), "toobig")
  end
  local list, sentence, word = trust.parse(bytes)
  if not list and word == "resource" then
    return nil, retrieve.failure(sentence, word)
  elseif not list then
    return corrupt(sentence)
  elseif #list > MAX_CERTIFICATES then
    return corrupt(("%d certificates are more than %d"):format(#list,
      MAX_CERTIFICATES))
  end
  return list
end

-- The CA certificates of a bundle, in its order.
local function authorities(run, bytes)
  local list, failed = parse(bytes)
  if not list then return nil, failed end
  local out = {}
  for _, one in ipairs(list) do
    if one.is_ca then
      out[#out + 1] = one
    else
      context.note(run, "no-ca", PARAM, visible.line(("%s: %s is no CA's "
        .. "certificate, and is left out"):format(PARAM, one.subject)))
    end
  end
  if #out == 0 then return corrupt("the bundle holds no CA certificate") end
  return out
end

-- --- what becomes of it ---

local function tell(phone, result, text)
  phone.world.log(visible.line(text))
  phone.world.tell { event = "certificate", what = "custom-ca",
    time = math.floor(phone.world.now().time), outcome = result.outcome,
    reason = result.reason, word = result.word }
  return result
end

-- Several values in one commit, or all of them as they were.
local function write(phone, values)
  local before = {}
  for i, pair in ipairs(values) do
    before[i] = get(phone, pair[1])
    set(phone, pair[1], pair[2])
  end
  local ok, sentence, word = phone.keep:flush("custom-ca")
  if ok then return true end
  for i, pair in ipairs(values) do set(phone, pair[1], before[i]) end
  return nil, retrieve.failure(sentence, word)
end

local function ended(phone, how)
  return ("Last provisioning %s on %s"):format(how, clock.stamp(phone))
end

local function succeed(phone, rule, list, by)
  local info = bundle.info(list)
  local values = { { BUNDLE, bundle.pem(list) }, { FAILED, nil }, { BY, by },
    { INFO, info }, { STATUS, ended(phone, "succeeded") } }
  if rule then
    values[#values + 1] = { INSTALLED, digest(rule) }
    values[#values + 1] = { TRIED, digest(rule) }
    values[#values + 1] = { CUT, nil }
  end
  local changed = get(phone, BUNDLE) ~= values[1][2]
  local ok, failed = write(phone, values)
  if not ok then return nil, failed end
  if changed then policy.changed(phone) end
  return tell(phone, { outcome = "done", reason = info, by = by },
    ("Custom CA: %s, %d %s"):format(info, #list,
      #list == 1 and "certificate" or "certificates"))
end

-- The status waits for the next commit: a server that is away must not wear
-- the flash.
local function fail(phone, run, rule, failed)
  set(phone, STATUS, ended(phone, "failed"))
  set(phone, FAILED, "yes")
  if rule then
    set(phone, TRIED, digest(rule))
    set(phone, CUT, nil)
  end
  local reason = secret.mask(failed.sentence)
  context.note(run, failed.word, PARAM,
    visible.line(("Custom CA: %s; %s"):format(reason, get(phone, BUNDLE)
      and "the bundle from before stays" or "none is installed")))
  return { outcome = "failed", reason = reason, word = failed.word,
    cause = failed.cause.text }
end

local function remove(phone)
  local ok, failed = write(phone, { { BUNDLE, nil }, { INSTALLED, nil },
    { TRIED, nil }, { CUT, nil }, { FAILED, nil }, { BY, nil },
    { STATUS, nil }, { INFO, nil } })
  local result = ok and { outcome = "done", reason = "removed" }
    or { outcome = "failed", reason = failed.sentence, word = failed.word,
      cause = failed.cause.text }
  if ok then policy.changed(phone) end
  return tell(phone, result, ok and "Custom CA: removed, the rule is empty"
    or "Custom CA: not removed: " .. failed.sentence)
end

-- --- the attempt ---

local function warn_if_plain(run, u)
  if u.scheme == "https" then return end
  context.note(run, "plain", PARAM, ("%s: the bundle comes over %s, where "
    .. "others may put in their own"):format(PARAM, u.scheme))
end

-- Why a bundle may be another's; nil: it is the server's.
local function doubt(u, answer)
  if u.scheme ~= "https" then return u.scheme end
  return answer.let_pass and "https from a server that failed a check" or nil
end

-- The certificates, and doubt(); or nil, failure.
local function fetch(phone, run, text)
  local u, ask = retrieve.target(phone, { url = text })
  if not u then return nil, ask end
  warn_if_plain(run, u)
  ask.max = MAX_BYTES
  local answer, failed = retrieve.file(run, u, ask)
  if not answer then return nil, failed end
  local list
  list, failed = authorities(run, answer.body)
  if not list then return nil, failed end
  return list, doubt(u, answer)
end

--   rule   its text is remembered; nil: somebody's URL, for this once
local function attempt(phone, run, text, rule)
  local list, about = fetch(phone, run, text)
  local result, failed = nil, about
  if list then result, failed = succeed(phone, rule, list, about) end
  result = result or fail(phone, run, rule, failed)
  run.trace:add("custom-ca", { outcome = result.outcome,
    reason = result.reason, word = result.word,
    certificates = list and #list or nil })
  return result
end

local function expand(phone, text)
  local expanded, sentence, word = macro.expand(text, phone:variables())
  if expanded then return expanded:match("^%s*(.-)%s*$") end
  return nil, retrieve.failure(sentence, word, nil, sentence)
end

-- Is it time to do something about the rule of this text? What an
-- administrator has taken out stays out while its text does.
local function is_due(phone, event, rule)
  local tried = get(phone, TRIED)
  if rule == "" then return tried ~= nil end
  local now = digest(rule)
  if get(phone, CUT) == now then return false end
  if event == "boot" then return true end
  if event == "change" then return tried ~= now end
  return get(phone, FAILED) ~= nil or get(phone, INSTALLED) ~= now
end

--- Would consider() do something?
--   event   "boot", "change" or "resync"
function custom_ca.wants(phone, event)
  local text = expand(phone, phone:param(PARAM) or "")
  return text == nil or is_due(phone, event, text)
end

--- Fetch and install the bundle, where it is time to. Runs in a task.
-- @param phone
-- @param run    as context.new() makes it
--   about.event   "boot": always; "change": where the rule is another than the
--                 one tried last; "resync": also where the last attempt
--                 failed; "request": about.url, for this once
-- @treturn table outcome "none", "done" or "failed"; reason, word, cause (the
--   text of status pages); by: see bundle.BY
function custom_ca.consider(phone, run, about)
  local rule = about.event ~= "request" and (phone:param(PARAM) or "") or nil
  local text, failed = expand(phone, rule or about.url)
  if not text then return fail(phone, run, rule, failed) end
  if not rule then return attempt(phone, run, text, nil) end
  if not is_due(phone, about.event, text) then return { outcome = "none" } end
  if text == "" then return remove(phone) end
  return attempt(phone, run, text, text)
end

--- How it stands: what the status pages show.
function custom_ca.status(phone)
  return { status = get(phone, STATUS) or "",
    info = get(phone, INFO) or "Not Installed" }
end

return custom_ca
