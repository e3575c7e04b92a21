--- The server for a rule that names none, from DHCP.
--
-- Source: MPP provisioning guide, "Profile rules" and DHCP_Option_To_Use.
-- Every usable option becomes a candidate, so that the caller can go on to
-- the next one where a server does not answer.
local macro = require "peal.macro"
local parse = require "peal.rule.parse"
local resolve = require "peal.rule.target"
local url = require "peal.url"

local find, match = string.find, string.match

local CANDIDATES_MAX <const> = 16

-- What an option may hold: a host too, or only a whole URL (vendor data,
-- decoded by whoever hands it in).
local USE <const> = {
  ["66"] = "host", ["150"] = "host", ["159"] = "host", ["160"] = "host",
  ["17"] = "host", ["43"] = "url", ["60"] = "url", ["125"] = "url",
}

local function no_variables()
  return nil
end

local function trimmed(text)
  text = match(text, "^[^\0]*")
  local from = find(text, "[^ \t\r\n]")
  if not from then
    return ""
  end
  local to = #text
  while find(text, "^[ \t\r\n]", to) do
    to = to - 1
  end
  return text:sub(from, to)
end

-- "/cfg/" and "/a.cfg": exactly one slash between.
local function join(folder, path)
  return folder:gsub("/$", "") .. path
end

-- The server's URL with the rule's path, unless it names a file itself.
local function complete(u, rule_url)
  if u.path == "" or (find(u.path, "/$") and not find(u.path, "?", 1, true))
  then
    u.path = join(u.path, rule_url.path)
  end
  return u
end

local function from_host(text, rule_url)
  if url.is_ipv6(text) then
    text = "[" .. text .. "]"
  end
  local scheme = rule_url.scheme_given and rule_url.scheme or "tftp"
  local u = url.parse(scheme .. "://" .. text, nil, { any_path = true })
  return u and u.host and not u.user and complete(u, rule_url)
end

-- A URL, or a rule with options or a condition-free alternative.
local function from_rule(text, rule_url, vars, warnings)
  local expanded, mask = macro.expand(text, vars)
  local parsed = expanded and parse(expanded, mask)
  local alt = parsed and parsed.alternatives[1]
  if not alt or #parsed.alternatives > 1 or alt.condition
    or #alt.assigns > 0 or not alt.targets[1] then
    return nil
  end
  local fetch = resolve(alt.targets[1], vars, warnings, { any_path = true })
  if not fetch or not fetch.url.host then
    return nil
  end
  local u = complete(fetch.url, rule_url)
  fetch.url = nil
  u.fetch = next(fetch) and fetch or nil
  return u
end

local function candidates_of(option, text, rule_url, vars, add)
  text = trimmed(text)
  if find(text, "^%[[ \t]*%-%-")
    or find(text, "^[A-Za-z][A-Za-z0-9+.-]*://") then
    add(option, function(warnings)
      return from_rule(text, rule_url, vars, warnings)
    end)
  elseif USE[option] == "host" then
    for host in text:gmatch("[^;]+") do
      host = trimmed(host)
      if host ~= "" then
        add(option, function()
          return from_host(host, rule_url)
        end)
      end
    end
  end
end

--- Servers to try for a rule URL without host, best first.
-- Options 66, 150, 159, 160 and 17 hold a host, `host;host`, a URL or a rule
-- with options; 43, 60 and 125 count only as text with a scheme.
-- @tparam table rule_url from the plan; its host is nil
-- @tparam table dhcp option number as text -> text, or list of texts
-- @tparam string order value of DHCP_Option_To_Use
-- @tparam[opt] function vars macros of the options' text
-- @treturn[1] table URLs; option names the source, fetch holds the options of
--   a rule (key, uid ...)
-- @treturn[1] table warnings, sentences
-- @return[2] nil, "No server", "no-server", warnings
local function default_server(rule_url, dhcp, order, vars)
  local found, warnings = {}, {}
  local function add(option, make)
    local u = #found < CANDIDATES_MAX and make(warnings)
    if u then
      u.option = option
      found[#found + 1] = u
    elseif #found < CANDIDATES_MAX and #warnings < CANDIDATES_MAX then
      warnings[#warnings + 1] = ("DHCP option %s is unusable"):format(option)
    end
  end
  for option in order:gmatch("[0-9]+") do
    local value = USE[option] and dhcp[option]
    for _, text in ipairs(type(value) == "table" and value or { value }) do
      candidates_of(option, text, rule_url, vars or no_variables, add)
    end
  end
  if #found == 0 then
    return nil, "No server", "no-server", warnings
  end
  return found, warnings
end

return default_server
