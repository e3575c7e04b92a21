--- A parameter as it was: text, access and user flags.
local decode = require "peal.decode"
local encode = require "peal.encode"

-- Attributes can only be said in a profile's words.
local function element(txn, name, old, preserve)
  local xml, sentence, word = encode.profile { { name = name, ua = old.ua,
    text = old.text, user_pref = old.user_pref, preserve = preserve } }
  if not xml then return nil, sentence, word end
  return decode.apply(xml, {}, txn)
end

-- The text as an element says it: one without text means something else.
local function said(old)
  return { ua = old.ua, user_pref = old.user_pref,
    text = old.text == "" and '""' or old.text }
end

local function put_default(txn, name, old)
  local ok, sentence, word = txn:reset(name)
  if not ok or not old.user_pref then return ok, sentence, word end
  return element(txn, name, { ua = old.ua, text = "", user_pref = true })
end

local function put_text(txn, name, old)
  local now, ok, sentence, word = txn:value(name), true, nil, nil
  if old.untyped then return element(txn, name, said(old)) end
  if now and now.user_pref and not old.user_pref then
    ok, sentence, word = txn:reset(name)
  elseif old.user_pref then
    ok, sentence, word = element(txn, name, said(old))
  end
  if ok and (old.user_modified or not old.user_pref) then
    ok, sentence, word = txn:set(name, old.text,
      { by_user = old.user_modified })
  end
  return ok, sentence, word
end

--- Stage parameter `name` as it was.
--   old   text, ua, is_default, user_pref, user_modified, untyped, as of
--         store:value()
-- @treturn[1] true
-- @return[2] nil, sentence, word
return function(txn, name, old)
  local put = old.is_default and put_default or put_text
  local ok, sentence, word = put(txn, name, old)
  if ok and not old.untyped and txn:value(name).ua ~= old.ua then
    ok, sentence, word = element(txn, name,
      { ua = old.ua, text = said(old).text }, true)
  end
  return ok, sentence, word
end
