--- From options and URL as written to what a fetch needs.
--
-- Source: MPP provisioning guide, "Profile rules", options; "Secret
-- parameters", where $SA to $SD expand.
local macro = require "peal.macro"
local url = require "peal.url"

-- An argument with its secrets; nil, sentence if that is too long.
local function argument(target, name, vars)
  local text = target.options and target.options[name]
  if not text then
    return nil
  end
  return macro.expand_secrets(text, vars, target.option_masks[name])
end

-- The rule's own answer to a challenge: --uid and --pwd, else user:pw@. The
-- URL keeps neither, so that it may be shown.
local function credentials(fetch, u)
  if not fetch.uid and not fetch.pwd then
    fetch.uid, fetch.pwd = u.user, u.password
  end
  u.user, u.password = nil, nil
end

local function check_tftp(fetch, warnings)
  if fetch.post or fetch.put then
    return "No POST or PUT with tftp"
  elseif fetch.srv then
    return "TFTP Scheme not supported in SRV lookups"
  elseif fetch.uid or fetch.pwd then
    fetch.uid, fetch.pwd = nil, nil
    warnings[#warnings + 1] = "User and password are ignored with tftp"
  end
end

--- Options of a target: key, uid, pwd (secrets expanded), post, put, alias
-- (letters), srv, delta, status. An empty key is refused, it would mean "not
-- encrypted".
-- @treturn[1] table
-- @return[2] nil, sentence
local function resolve_options(target, vars)
  local fetch = {}
  for name, value in pairs(target.options or {}) do
    fetch[name] = value
  end
  for _, name in ipairs { "key", "uid", "pwd" } do
    local text, sentence = argument(target, name, vars)
    if sentence then
      return nil, sentence
    end
    fetch[name] = text
  end
  if fetch.key == "" then
    return nil, "Empty key"
  end
  return fetch
end

--- What to fetch: the options of resolve_options() and url.
-- @tparam table target from parse()
-- @tparam function vars
-- @tparam table warnings sentences are added
-- @tparam[opt] table options any_path: see url.parse()
-- @treturn[1] table
-- @return[2] nil, sentence, byte
local function resolve(target, vars, warnings, options)
  if target.problem then
    return nil, target.problem.sentence, target.problem.at
  end
  local fetch, sentence = resolve_options(target, vars)
  if not fetch then
    return nil, sentence, target.at
  end
  local u
  u, sentence = url.parse(target.url, nil, {
    mask = target.url_mask,
    any_path = options and options.any_path,
  })
  if not u then
    return nil, sentence, target.at
  end
  credentials(fetch, u)
  sentence = u.scheme == "tftp" and check_tftp(fetch, warnings)
  if sentence then
    return nil, sentence, target.at
  end
  fetch.url = u
  return fetch
end

return resolve
