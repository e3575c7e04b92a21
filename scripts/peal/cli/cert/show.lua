--- Certificates as people read them.
local output = require "peal.cli.output"
local when = require "peal.cli.when"

local show = {}

local WIDTH <const> = 40

--- Its subject, or what there is instead. A long one may begin with what its
-- issuer's others begin with too: the common name tells them apart.
function show.subject(entry)
  local subject = entry.subject ~= "" and entry.subject or "(no subject)"
  local short = output.clip(subject, WIDTH)
  if short == subject or (entry.cn or "") == "" then return short end
  return output.clip("CN=" .. entry.cn, WIDTH)
end

local function state(entry)
  return entry.builtin and entry.state .. " (factory)" or entry.state
end

local function date(text)
  return (text or ""):match("^%d+%-%d+%-%d+") or text or ""
end

--- The lists.
function show.list(entries)
  if #entries == 0 then
    return output.print("no certificate is in the lists")
  end
  local rows = { { "ID", "LIST", "STATE", "SUBJECT", "EXPIRES", "REASON" } }
  for i, entry in ipairs(entries) do
    rows[i + 1] = { entry.id:sub(1, 12), entry.list, state(entry),
      show.subject(entry), date(entry.not_after), entry.reason or "" }
  end
  output.print(output.columns(rows))
end

-- A fingerprint in pairs, as other programs print it.
local function pairs_of(hex)
  return hex and hex:upper():gsub("%x%x", "%0:"):sub(1, -2) or ""
end

--- Everything about one.
function show.details(entry)
  local rows = {
    { "subject", entry.subject }, { "issuer", entry.issuer },
    { "serial", entry.serial },
    { "valid", ("%s to %s"):format(entry.not_before or "?",
      entry.not_after or "?") },
    { "names", table.concat(entry.sans or {}, ", ") },
    { "key", ("%s, %s bits"):format(entry.key_type or "?",
      entry.key_bits or "?") },
    { "SHA-256", pairs_of(entry.sha256 or entry.id) },
    { "SHA-1", pairs_of(entry.sha1) },
    { "list", ("%s, a %s certificate"):format(entry.list,
      entry.type == "ca" and "CA's" or "server's") },
    { "state", state(entry) },
  }
  rows[#rows + 1] = entry.reason and { "reason", entry.reason } or nil
  rows[#rows + 1] = entry.host and { "shown by", entry.host } or nil
  rows[#rows + 1] = entry.since and { "since", when.utc(entry.since) } or nil
  for _, row in ipairs(rows) do
    output.print(("%-9s %s"):format(row[1],
      output.clip(row[2] or "", math.huge)))
  end
end

--- What an import came to.
function show.imported(all)
  for _, entry in ipairs(all.added) do
    output.print(("%s  %s  %s"):format(entry.id:sub(1, 12), entry.list,
      show.subject(entry)))
  end
  local parts = { ("%d imported"):format(#all.added) }
  if all.duplicates > 0 then
    parts[#parts + 1] = ("%d known before"):format(all.duplicates)
  end
  if all.expired > 0 then
    parts[#parts + 1] = ("%d expired, in the Invalid list"):format(all.expired)
  end
  output.say("%s", table.concat(parts, ", "))
end

return show
