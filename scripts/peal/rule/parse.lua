--- The grammar of profile rules, on text whose macros are expanded:
--
--     (condition)? (Name="value";)! [--key "..."] url | ...
--
-- Quotes and brackets must balance in the whole rule, and an unknown option is
-- an error wherever it stands. What an empty macro can bring about (an option
-- without argument, options without URL) counts only in the alternative that
-- is chosen, so that `("$C" ne "")? [--key $C] http://h/x | http://h/y` works
-- while C is empty: our choice.
--
-- Source: MPP provisioning guide, "Profile rules".
local find, match, sub = string.find, string.match, string.sub

local ALTERNATIVES_MAX <const> = 256
local ASSIGNS_MAX <const> = 256

-- What follows an option: any text, a register a..p, or nothing.
local PROFILE <const> = {
  key = "text", uid = "text", pwd = "text", post = "register",
  put = "register", alias = "register", srv = "flag",
}
local REPORT <const> = {
  key = "text", uid = "text", pwd = "text", srv = "flag", delta = "flag",
  status = "flag",
}
local ANY <const> = {
  key = "text", uid = "text", pwd = "text", post = "register",
  put = "register", alias = "register", srv = "flag", delta = "flag",
  status = "flag",
}
local KINDS <const> = {
  any = { options = ANY, urls = 2 },
  profile = { options = PROFILE, urls = 1 },
  report = { options = REPORT, urls = 2 },
  upgrade = { urls = 1 },
}

local function skip(mask, at)
  return find(mask, "[^ \t\r\n]", at) or #mask + 1
end

local function char(mask, at)
  return sub(mask, at, at)
end

-- The ")" that closes the "(" at `at`; nil, sentence, position.
local function closing(mask, at)
  local depth, from = 0, at
  while true do
    at = find(mask, '["()]', at)
    if not at then
      return nil, "Unbalanced bracket", from
    end
    local c = char(mask, at)
    if c == '"' then
      local to = find(mask, '"', at + 1, true)
      if not to then
        return nil, "Unbalanced quote", at
      end
      at = to
    else
      depth = depth + (c == "(" and 1 or -1)
      if depth == 0 then
        return at
      end
    end
    at = at + 1
  end
end

-- The quoted text at `at`: first and last byte inside, position behind.
local function quoted(mask, at)
  local to = find(mask, '"', at + 1, true)
  if not to then
    return nil, "Unbalanced quote", at
  end
  return at + 1, to - 1, to + 1
end

local function parse_assign(r, at)
  local name, after = match(r.mask, "^([A-Za-z][A-Za-z0-9_.-]*)()", at)
  after = name and skip(r.mask, after)
  if not name or char(r.mask, after) ~= "=" then
    return nil, "Assignment expected", at
  end
  after = skip(r.mask, after + 1)
  if char(r.mask, after) ~= '"' then
    return nil, "Quoted value expected", after
  end
  local from, to, next_at = quoted(r.mask, after)
  if not from then
    return nil, to, next_at
  end
  return {
    name = find(name, "^[a-p]$") and "GPP_" .. name:upper() or name,
    value = sub(r.text, from, to),
    value_mask = sub(r.mask, from, to),
  }, skip(r.mask, next_at)
end

-- The assignments from `at` up to the ")" at `close`.
local function parse_assigns(r, at, close)
  local assigns = {}
  at = skip(r.mask, at)
  repeat
    local assign, next_at, where = parse_assign(r, at)
    if not assign then
      return nil, next_at, where
    elseif #assigns == ASSIGNS_MAX then
      return nil, "Too many assignments", at
    end
    assigns[#assigns + 1] = assign
    at = next_at
    if char(r.mask, at) == ";" then
      at = skip(r.mask, at + 1)
    elseif at ~= close then
      return nil, "';' expected", at
    end
  until at >= close
  return assigns
end

-- Condition and assignments; the position behind them.
local function parse_guards(r, alt, at)
  while char(r.mask, at) == "(" do
    local close, sentence, where = closing(r.mask, at)
    if not close then
      return nil, sentence, where
    end
    local mark_at = skip(r.mask, close + 1)
    local mark = char(r.mask, mark_at)
    if mark == "?" and not alt.condition and #alt.assigns == 0 then
      alt.condition = { text = sub(r.text, at + 1, close - 1),
                        mask = sub(r.mask, at + 1, close - 1), at = at + 1 }
    elseif mark == "!" and #alt.assigns == 0 then
      alt.assigns, sentence, where = parse_assigns(r, at + 1, close)
      if not alt.assigns then
        return nil, sentence, where
      end
    else
      return nil, "'?' or '!' expected", mark_at
    end
    at = skip(r.mask, mark_at + 1)
  end
  return at
end

-- The argument at `at`: first and last byte, position behind. Without one the
-- last byte is before the first and the fourth value is true.
local function argument(mask, at)
  at = skip(mask, at)
  if char(mask, at) == '"' then
    return quoted(mask, at)
  elseif find(mask, "^%-%-", at) then
    return at, at - 1, at, true
  end
  local next_at = find(mask, '[%] \t\r\n"]', at) or #mask + 1
  return at, next_at - 1, next_at, next_at == at
end

-- A name may be shown unless it looks like an option run into its secret.
local function unknown_option(name)
  if find(name, "^[a-z_]+$") and #name <= 16 and not find(name, "^key")
    and not find(name, "^pwd") then
    return "Unknown option --" .. name
  end
  return "Unknown option"
end

local OTHER <const> = { post = "put", put = "post" }

local function set_option(r, target, name, from, to, missing)
  local value = sub(r.text, from, to)
  local kind = r.kind.options[name]
  if missing then
    target.problem = target.problem
      or { sentence = "Argument missing for --" .. name, at = from }
  elseif kind == "register" and not find(value, "^[a-p]$") then
    target.problem = target.problem
      or { sentence = ("--%s takes a letter a to p"):format(name), at = from }
  end
  if OTHER[name] then
    target.options[OTHER[name]] = nil
  end
  target.options[name] = value
  target.option_masks[name] = sub(r.mask, from, to)
end

-- One option with "--" at `at`; the position behind it.
local function parse_option(r, target, at)
  local name, next_at = match(r.mask, "^%-%-([A-Za-z0-9_-]+)()", at)
  local kind = name and r.kind.options[name]
  if not name then
    return nil, "Option expected", at
  elseif not kind then
    return nil, unknown_option(name), at
  elseif find(r.mask, "^=", next_at) then
    -- a habit of other programs, which would make "=" part of a key
    return nil, ("A blank, not =, behind --%s"):format(name), next_at
  elseif kind == "flag" then
    target.options[name] = true
    return next_at
  end
  local from, to, after, missing = argument(r.mask, next_at)
  if not from then
    return nil, to, after
  end
  set_option(r, target, name, from, to, missing)
  return after
end

-- The options whose "[" is at `at`; the position behind "]".
local function parse_options(r, target, at)
  local open = at
  if not r.kind.options then
    return nil, "Options not allowed here", open
  end
  target.options, target.option_masks = {}, {}
  at = skip(r.mask, at + 1)
  while char(r.mask, at) ~= "]" do
    if at > #r.mask then
      return nil, "Unbalanced bracket", open
    end
    local next_at, sentence, where = parse_option(r, target, at)
    if not next_at then
      return nil, sentence, where
    end
    at = skip(r.mask, next_at)
  end
  return skip(r.mask, at + 1)
end

-- The URL at `at` ends at a blank or at a "|" outside brackets. A quote in it
-- is refused: our choice.
local function parse_url(r, target, at)
  local from, depth = at, 0
  while true do
    at = find(r.mask, '["()%[%]| \t\r\n]', at) or #r.mask + 1
    local c = char(r.mask, at)
    if c == '"' then
      return nil, "Quote in URL", at
    elseif c == "(" or c == "[" then
      depth = depth + 1
    elseif c == ")" or c == "]" then
      depth = depth - 1
    elseif c ~= "|" or depth == 0 then
      break
    end
    if depth < 0 then
      return nil, "Unbalanced bracket", at
    end
    at = at + 1
  end
  if depth > 0 then
    return nil, "Unbalanced bracket", from
  end
  local to = at - 1
  if r.kind == KINDS.report and to > from and char(r.mask, to) == ";" then
    to = to - 1
  end
  target.url, target.url_mask = sub(r.text, from, to), sub(r.mask, from, to)
  return at
end

local function ends(mask, at)
  local c = char(mask, at)
  return c == "" or c == "|"
end

-- `[options] url`; the position behind it.
local function parse_target(r, at)
  local target = { at = at }
  if find(r.mask, "^%[[ \t\r\n]*%-%-", at)
    or find(r.mask, "^%[[ \t\r\n]*%]", at) then
    local next_at, sentence, where = parse_options(r, target, at)
    if not next_at then
      return nil, sentence, where
    end
    at = next_at
  end
  if ends(r.mask, at) then
    target.problem = target.problem
      or { sentence = "Options without URL", at = target.at }
    return target, at
  end
  local next_at, sentence, where = parse_url(r, target, at)
  if not next_at then
    return nil, sentence, where
  end
  return target, skip(r.mask, next_at)
end

local function parse_targets(r, alt, at)
  while not ends(r.mask, at) do
    if #alt.targets == r.kind.urls then
      return nil, r.kind.urls > 1 and "More than two URLs"
        or "Text after the URL", at
    end
    local target, next_at, where = parse_target(r, at)
    if not target then
      return nil, next_at, where
    end
    alt.targets[#alt.targets + 1] = target
    at = next_at
  end
  local first = alt.targets[1]
  if first then
    alt.options, alt.option_masks = first.options, first.option_masks
    alt.url, alt.url_mask = first.url, first.url_mask
  end
  return at
end

local function parse_alternative(r, at)
  at = skip(r.mask, at)
  local alt = { at = at, assigns = {}, targets = {} }
  local next_at, sentence, where = parse_guards(r, alt, at)
  if next_at then
    next_at, sentence, where = parse_targets(r, alt, next_at)
  end
  if not next_at then
    return nil, sentence, where
  end
  alt.to = next_at - 1
  while alt.to > at and find(r.mask, "^[ \t\r\n]", alt.to) do
    alt.to = alt.to - 1
  end
  return alt, next_at
end

local function bad(sentence, at)
  return nil, sentence, "bad-rule", { at = at }
end

local function warn_unreachable(parsed)
  for i = 1, #parsed.alternatives - 1 do
    if not parsed.alternatives[i].condition then
      parsed.warnings[1] =
        ("Alternative %d has no condition: later ones are never reached")
        :format(i)
      return
    end
  end
end

--- Reads a rule.
--   disabled      it begins with "#"
--   alternatives  each with at, to (first and last byte), condition {text,
--                 mask, at} or nil, assigns {name, value, value_mask} (a to p
--                 as GPP_A to GPP_P), options, option_masks, url, url_mask of
--                 its first target, and targets: each {at, options,
--                 option_masks, url, url_mask, problem}. `problem` {sentence,
--                 at} is an error if the alternative is chosen.
--   warnings      sentences
-- Option arguments are as written; secrets still need the second pass.
-- @tparam string expanded
-- @tparam[opt] string mask from macro.expand()
-- @tparam[opt] string kind "profile" (default), "report", "upgrade" or
--   "any", which takes what one of them takes
-- @treturn[1] table
-- @return[2] nil, sentence, "bad-rule", {at = byte}; quotes no arguments
local function parse(expanded, mask, kind)
  local r = { text = expanded, mask = mask or expanded,
              kind = KINDS[kind or "profile"] }
  local parsed = { disabled = false, alternatives = {}, warnings = {} }
  local at = skip(r.mask, 1)
  if char(r.mask, at) == "#" then
    parsed.disabled = true
    return parsed
  elseif at > #r.mask then
    return parsed
  end
  repeat
    local alt, next_at, where = parse_alternative(r, at)
    if not alt then
      return bad(next_at, where)
    elseif #parsed.alternatives == ALTERNATIVES_MAX then
      return bad("Too many alternatives", at)
    end
    parsed.alternatives[#parsed.alternatives + 1] = alt
    at = next_at + 1
  until char(r.mask, next_at) ~= "|"
  warn_unreachable(parsed)
  return parsed
end

return parse
