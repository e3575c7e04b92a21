--- Firmware offers for the headset: the rule decides, the user is asked, and
-- what the user wants is fetched and handed to the device.
-- phone.headset.state tells where that is: "none", "available" (to be asked,
-- or asked), "deferred", "downloading", "installing", "done", "failed".
-- Source: MPP provisioning guide, Cisco_Headset_Upgrade_Rule; states are our
-- choice.
local context = require "peal.cycle.context"
local device = require "peal.device"
local encode = require "peal.encode"
local manifest = require "peal.headset_manifest"
local retrieve = require "peal.retrieve"
local secret = require "peal.secret"
local task = require "peal.task"
local url = require "peal.url"

local headset = {}

--- Largest firmware of a headset, bytes (our choice).
headset.max = 16 * 1024 * 1024

local NS <const> = "headset"

local function state_of(phone)
  phone.headset = phone.headset or { state = "none" }
  return phone.headset
end

local function nothing(phone, reason)
  state_of(phone).state = "none"
  return { outcome = "none", reason = reason }
end

local function fail(phone, run, failed)
  local state = state_of(phone)
  state.state, state.err = "failed", failed.cause.err
  local sentence = secret.mask(failed.sentence)
  context.note(run, failed.word, "Cisco_Headset_Upgrade_Rule",
    "headset firmware: " .. sentence)
  return { outcome = "failed", reason = sentence, word = failed.word,
    err = failed.cause.err, cause = failed.cause.text }
end

local function ask_rule(phone, run, event, attached, offers)
  return context.ask(run, "headset", { event = event, headset = attached,
    offers = offers, deferred = phone.keep:get(NS, "deferred") })
end

-- A maker's own reader of manifests goes before the lab's.
local function read_manifest(phone, bytes)
  local read = phone.world.device.headset_manifest or manifest.parse
  local offers, sentence, word = read(bytes)
  if offers then return offers end
  return nil, retrieve.failure("the manifest: " .. tostring(sentence),
    word or "corrupt", nil, sentence)
end

local function fetch_offers(phone, run, get)
  local u, ask = retrieve.target(phone, get)
  if not u then return nil, ask end
  ask.max = manifest.max
  local answer, failed = retrieve.file(run, u, ask)
  if not answer then return nil, failed end
  local offers
  offers, failed = read_manifest(phone, answer.body)
  return offers, offers and u or failed
end

local function is_same(a, b)
  return a and b and a.model == b.model and a.version == b.version
end

-- Ask the user, now or when no call is active.
local function prompt(phone, run, answer)
  local state = state_of(phone)
  if device.lines_active(phone.world.device) > 0 then
    phone.headset_waits = true
    return { outcome = "none", reason = "a line is in use" }
  end
  phone.headset_waits, state.asked = nil, true
  run.trace:add("prompt", { kind = "headset_prompt", model = state.about.model,
    have = state.about.have, offer = state.about.offer })
  phone.world.device.prompt("headset_prompt", { model = state.about.model,
    have = state.about.have, offer = state.about.offer },
    answer or function(choice)
      task.spawn(headset.answer, phone, run, choice)
    end)
  return { outcome = "prompted",
    reason = ("firmware %s for headset %s"):format(state.about.offer,
      state.about.model) }
end

local function offer_to_user(phone, run, attached, offer, from, answer)
  local state = state_of(phone)
  local again = state.state == "available" and state.asked
    and is_same(state.offer, offer) and is_same(state.attached, attached)
  if again then
    return { outcome = "none", reason = "the user has been asked" }
  end
  phone.headset = { state = "available", offer = offer, from = from,
    attached = attached, about = { model = attached.model,
      have = attached.version, offer = offer.version } }
  return prompt(phone, run, answer)
end

local function look(phone, run, about, attached)
  local plan = ask_rule(phone, run, about.event, attached, nil)
  if plan.action == "skip" then return nothing(phone, plan.reason) end
  if plan.action == "error" then
    return fail(phone, run, retrieve.failure(plan.sentence, plan.word, nil,
      plan.sentence))
  elseif plan.action ~= "fetch" then
    return nothing(phone, "the rule offers what no manifest has offered")
  end
  local offers, from = fetch_offers(phone, run, plan.fetch)
  if not offers then return fail(phone, run, from) end
  plan = ask_rule(phone, run, about.event, attached, offers)
  local offer = plan.action == "offer" and offers[plan.index]
  if not offer then return nothing(phone, plan.reason or plan.sentence) end
  return offer_to_user(phone, run, attached, offer, from, about.answer)
end

local function is_busy(phone)
  local state = state_of(phone).state
  return state == "downloading" or state == "installing"
end

--- Is there something to offer? Runs in a task.
--   about.event    "attach", "boot", "resync", "change" of the rule, "idle"
--   about.answer   function(choice) that is called when the user has chosen;
--                  nil: headset.answer() runs at once, in a task of its own
-- @treturn table outcome "none", "prompted" or "failed"; reason, word, err.
--   phone.headset_waits: the user is to be asked when no call is active
function headset.consider(phone, run, about)
  local d = phone.world.device
  local attached = device.headset(d)
  if is_busy(phone) then
    return { outcome = "none", reason = "an installation is under way" }
  end
  if about.event == "attach" then phone.keep:set(NS, "deferred", nil) end
  if not attached then
    phone.headset_waits = nil
    return nothing(phone, "no headset")
  elseif not d.prompt or not d.headset_install then
    return nothing(phone, "the device cannot install headset firmware")
  end
  if about.event == "idle" then
    local waits = phone.headset_waits and phone.headset
    phone.headset_waits = nil
    if not waits or not is_same(waits.attached, attached) then
      return { outcome = "none", reason = "nothing waits to be asked" }
    end
    return prompt(phone, run, about.answer)
  end
  phone.headset_waits = nil
  return look(phone, run, about, attached)
end

-- Size and hash that the manifest promised, where it did.
local function check(offer, bytes)
  local wrong
  if offer.size and offer.size ~= #bytes then
    wrong = ("%d bytes, not %d"):format(#bytes, offer.size)
  elseif offer.sha256
    and encode.sha256():add(bytes):hex() ~= offer.sha256:lower()
  then
    wrong = "wrong SHA-256"
  end
  if not wrong then return true end
  return nil, retrieve.failure("the file is not what the manifest says: "
    .. wrong, "corrupt", nil, wrong)
end

local function download(phone, run, state)
  local u, sentence, word = url.resolve(state.from, state.offer.file)
  if not u or not u.host then
    sentence = sentence or "the manifest names no file"
    return nil, retrieve.failure(sentence, word or "bad-url", nil, sentence)
  end
  local _, ask = retrieve.target(phone, { url = u })
  ask.max = headset.max
  local answer, failed = retrieve.file(run, u, ask)
  if not answer then return nil, failed end
  local ok
  ok, failed = check(state.offer, answer.body)
  return ok and answer.body, failed
end

local function install(phone, state, bytes)
  local attached = device.headset(phone.world.device)
  if not attached or attached.model ~= state.attached.model then
    return nil, retrieve.failure("the headset is gone", "not-found")
  end
  state.state = "installing"
  local ok, sentence, word = phone.world.device.headset_install(
    { model = state.offer.model, version = state.offer.version }, bytes)
  if ok then return true end
  return nil, retrieve.failure(sentence or "the headset did not take it",
    word or "internal", nil, sentence)
end

--- The user has chosen: "now", or anything else for later. Runs in a task.
-- @treturn table outcome "none", "deferred", "done" or "failed"; reason
function headset.answer(phone, run, choice)
  local state = state_of(phone)
  if state.state ~= "available" or not state.asked then
    return { outcome = "none", reason = "nothing was asked" }
  end
  run.trace:add("answer", { kind = "headset_prompt", choice = choice })
  if choice ~= "now" then
    state.state = "deferred"
    phone.keep:set(NS, "deferred", state.offer.version)
    return { outcome = "deferred", reason = state.offer.version }
  end
  state.state = "downloading"
  local bytes, failed = download(phone, run, state)
  local ok
  if bytes then ok, failed = install(phone, state, bytes) end
  if not ok then return fail(phone, run, failed) end
  state.state = "done"
  phone.keep:set(NS, "deferred", nil)
  return { outcome = "done", reason = ("headset %s has firmware %s"):format(
    state.offer.model, state.offer.version) }
end

return headset
