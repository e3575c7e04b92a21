--- Every decision that a rule file may take: what it is shown, what it answers.
-- The view's fields are plain data, read-only. Secrets are references that can
-- be joined and passed on (see secret.lua).
--
-- In every view:
--   param       param.NAME: text of a parameter, nil for an unknown name
--   identity    PN, PSN, SN, MAC, SWVER, HWVER, IP, EXTIP, CCERT ...
--   state       PRVST, PRVTMR, UPGTMR, REGTMR1 ... as macros show them
--   asked_by    "cli", "boot", "periodic", "at", "retry", "url", "notify" ...
--   explicit    true: somebody asked; false: a timer did
--   since_resync, since_upgrade   seconds
--   lines_active   calls at the moment
--   now         seconds since 1970, UTC
local stages = {}

local function is_text_or_nil(v)
  return v == nil or type(v) == "string"
end

stages.trigger = {
  purpose = "may a due resync start now?",
  answer = "true, or false and a reason",
  check = function(answer, reason)
    if answer == true then return { pass = true } end
    if answer == false and is_text_or_nil(reason) then
      return { pass = false, reason = reason or "no reason given" }
    end
  end,
}

local function check_plan(plan)
  if plan.action == "skip" then return plan end
  if plan.action ~= "run" then return nil end
  if plan.assigns ~= nil and type(plan.assigns) ~= "table" then return nil end
  local get = plan.fetch
  if get == nil then return plan end
  if type(get) ~= "table" then return nil end
  if type(get.url) ~= "table" and type(get.url) ~= "string" then return nil end
  for _, key in ipairs { "key", "uid", "pwd", "post", "put", "alias" } do
    if not is_text_or_nil(get[key]) then return nil end
  end
  return plan
end

-- The view has also rule = { name =, text = }.
stages.profile = {
  purpose = "which profile does rule A, B, C or D fetch, if any?",
  answer = "a plan { action = \"run\", assigns =, fetch = } or "
    .. "{ action = \"skip\", reason = }, or nil, a sentence and a word",
  check = function(plan, sentence, word, detail)
    if plan == nil and type(sentence) == "string" then
      return { action = "error", sentence = sentence,
        word = is_text_or_nil(word) and word or "bad-rule", detail = detail }
    end
    return type(plan) == "table" and check_plan(plan) or nil
  end,
}

-- The view has also rule, url, and changes = list of
-- { name, type, old, new, secret, reboot, line }.
stages.apply = {
  purpose = "per parameter: accept, change or refuse a staged value",
  answer = "nil (accept all) or { refuse = { NAME = reason }, "
    .. "change = { NAME = value } }",
  check = function(verdict)
    verdict = verdict == nil and {} or verdict
    if type(verdict) ~= "table" then return nil end
    for _, key in ipairs { "refuse", "change" } do
      local part = verdict[key] == nil and {} or verdict[key]
      if type(part) ~= "table" then return nil end
      for name, value in pairs(part) do
        if type(name) ~= "string" or type(value) ~= "string" then
          return nil
        end
      end
    end
    return verdict
  end,
}

return stages
