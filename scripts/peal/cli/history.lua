--- peal history: what was written when, and by whom.
local get = require "peal.cli.get"
local output = require "peal.cli.output"
local revisions = require "peal.revisions"
local session = require "peal.cli.session"
local when = require "peal.cli.when"

local command = {
  name = "history",
  usage = "[NAME]",
  summary = "List the revisions that the store keeps, or the values that a "
    .. "parameter has had.",
  details = "Times are UTC. A cycle that has committed several times is one "
    .. "line. BY is the\nrule that wrote, or cli, web, repl, phone-file, "
    .. "revert, undo.",
  options = {
    { "--all", nil, "also the revisions in which only state has changed" },
  },
  examples = { "peal history --store st",
    "peal history Resync_Periodic --store st" },
}

local function numbers_of(entry)
  if entry.first == entry.number then return tostring(entry.number) end
  return ("%d-%d"):format(entry.first, entry.number)
end

local function row_of(entry)
  if entry.damaged then
    return { numbers_of(entry), "-", "-", "damaged", "-",
      output.clip(entry.damaged) }
  end
  return { numbers_of(entry), when.utc(entry.time),
    tostring(entry.cycle or "-"), entry.cause,
    tostring(entry.changes),
    entry.changes > 0 and table.concat(entry.authors, ", ") or "state only" }
end

-- As columns; nil: there are none. And how many are left out.
local function list_text(list, with_state)
  local rows = { { "REVISION", "TIME", "CYCLE", "CAUSE", "CHANGES", "BY" } }
  local hidden = 0
  for _, entry in ipairs(list) do
    if with_state or entry.damaged or entry.changes > 0 then
      rows[#rows + 1] = row_of(entry)
    else
      hidden = hidden + 1
    end
  end
  return #rows > 1 and output.columns(rows) or nil, hidden
end

local function print_list(list, with_state)
  local text, hidden = list_text(list, with_state)
  if text then output.print(text) end
  if hidden > 0 then
    output.say("%d more %s changed state only: --all", hidden,
      hidden == 1 and "revision" or "revisions")
  elseif not text then
    output.say("nothing was written yet")
  end
end

local function where_of(one)
  local parts = { one.url }
  if one.line then parts[#parts + 1] = "line " .. one.line end
  return table.concat(parts, " ")
end

local function values_text(list)
  local rows = { { "REVISION", "TIME", "CYCLE", "VALUE", "UA", "BY",
    "WHERE" } }
  for _, one in ipairs(list) do
    rows[#rows + 1] = { tostring(one.revision or "-"), when.utc(one.time),
      tostring(one.cycle or "-"), output.clip(one.value),
      one.ua, one.default and (one.author and one.author .. ", " or "")
        .. "the default" or one.author or "", where_of(one) }
  end
  return output.columns(rows)
end

--- A list of revisions, or of a parameter's values, for a person.
function command.text(list, name)
  if name then return values_text(list) end
  return list_text(list) or "nothing was written yet"
end

function command.run(options)
  local name = options[1]
  if options[2] then
    return nil, { sentence = "one name at most", word = "usage", code = 2 }
  end
  local open, failed = session.open(options, { read_only = true,
    disk = "history" })
  if not open then return nil, failed end
  local list = revisions.list(open.store, name)
  if not list then return get.unknown(open.schema, name) end
  if options.json then
    output.json(list)
  elseif name then
    output.print(values_text(list))
  else
    print_list(list, options.all)
  end
  return 0
end

return command
