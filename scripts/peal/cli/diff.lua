--- peal diff: what is different between two revisions.
local hints = require "peal.cli.hints"
local output = require "peal.cli.output"
local revisions = require "peal.revisions"
local session = require "peal.cli.session"

local command = {
  name = "diff",
  usage = "A [B]",
  summary = "Say what is different between two revisions; B is the newest if "
    .. "it is left out.",
  details = "A and B are numbers as peal history lists them. -1 is the "
    .. "revision before the\nnewest of those that changed parameters, -2 the "
    .. "one before that.",
  options = {},
  examples = { "peal diff 3 5 --store st", "peal diff -1 --store st" },
}

local function flags_of(ua, is_user, is_pref)
  local parts = { "ua " .. ua }
  if is_user then parts[#parts + 1] = "the user's" end
  if is_pref then parts[#parts + 1] = "user-pref" end
  return table.concat(parts, ", ")
end

local function side(text, is_default)
  if is_default then
    return text == "" and "(default)" or text .. " (default)"
  end
  return text
end

--- Rows of a table: PARAMETER, OLD, NEW, BY. Where the text is the same,
-- access and flags are shown.
function command.rows(list, with_author)
  local rows = { { "PARAMETER", "OLD", "NEW", with_author and "BY" } }
  for _, change in ipairs(list) do
    local old = flags_of(change.ua_old, change.user_old, change.pref_old)
    local new = flags_of(change.ua_new, change.user_new, change.pref_new)
    if not change.same_text or old == new then
      old = side(output.clip(change.old, 32), change.default_old)
      new = side(output.clip(change.new, 48), change.default_new)
    end
    rows[#rows + 1] = { change.name, old, new,
      with_author and change.author or nil }
  end
  return rows
end

local function number_of(store, text, options)
  local number, failed = revisions.number(store, text)
  if number then return number end
  failed.code = failed.word == "usage" and 2 or 1
  failed.next = hints.typed(failed.next, options)
  return nil, failed
end

function command.run(options)
  if not options[1] or options[3] then
    return nil, { sentence = "one revision, or two", word = "usage",
      code = 2 }
  end
  local open, failed = session.open(options, { read_only = true,
    disk = "diff" })
  if not open then return nil, failed end
  local a, b, list
  a, failed = number_of(open.store, options[1], options)
  if a and options[2] then
    b, failed = number_of(open.store, options[2], options)
  end
  if not a or options[2] and not b then return nil, failed end
  list, failed = revisions.diff(open.store, a, b)
  if not list then return nil, failed end
  if options.json then
    output.json { a = a, b = b or open.store:revision(), changes = list }
  elseif #list == 0 then
    output.say("no parameter is different")
  else
    output.print(output.columns(command.rows(list, true)))
  end
  return 0
end

return command
