--- Certificates as people read them.
local output = require "peal.cli.output"

local show = {}

local WIDTH <const> = 40
-- Of a line, less the columns beside the subject.
local IN_LIST <const> = 80 - #"ID0123456789  invalid    2026-11-22"

--- Its subject, or what there is instead. A long one may begin with what its
-- issuer's others begin with too: the common name tells them apart.
function show.subject(entry, width)
  width = width or WIDTH
  local subject = entry.subject ~= "" and entry.subject or "(no subject)"
  local short = output.clip(subject, width)
  if short == subject or (entry.cn or "") == "" then return short end
  return output.clip("CN=" .. entry.cn, width)
end

local function state(entry)
  if entry.builtin then return entry.state .. " (factory)" end
  return entry.custom_ca and entry.state .. " (custom CA)" or entry.state
end

-- The same in the lists: of what is in the Invalid one, what is wrong with it.
local function standing(entry)
  return entry.state == "invalid" and entry.reason or state(entry)
end

local function date(text)
  return (text or ""):match("^%d+%-%d+%-%d+") or text or ""
end

--- The lists.
function show.list(entries)
  if #entries == 0 then
    return output.print("no certificate is in the lists")
  end
  local longest = #"STATE"
  for _, entry in ipairs(entries) do
    longest = math.max(longest, #standing(entry))
  end
  local rows = { { "ID", "LIST", "STATE", "EXPIRES", "SUBJECT" } }
  for i, entry in ipairs(entries) do
    rows[i + 1] = { entry.id:sub(1, 12), entry.list, standing(entry),
      date(entry.not_after), show.subject(entry, IN_LIST - longest - 2) }
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
  rows[#rows + 1] = entry.since and { "since", entry.since } or nil
  for _, row in ipairs(rows) do
    output.print(("%-9s %s"):format(row[1],
      output.clip(row[2] or "", math.huge)))
  end
end

--- What an import came to.
function show.imported(all)
  for _, name in ipairs { "added", "invalid", "rejected" } do
    for _, entry in ipairs(all[name]) do
      output.print(("%s  %s  %s"):format(entry.id:sub(1, 12), entry.list,
        show.subject(entry)))
      if entry.lifted then
        output.say("%s was rejected, and is so no more", entry.id:sub(1, 12))
      end
    end
  end
  local parts = { ("%d imported"):format(#all.added) }
  if all.duplicates > 0 then
    parts[#parts + 1] = ("%d known before"):format(all.duplicates)
  end
  if all.expired > 0 then
    parts[#parts + 1] = ("%d expired, in the Invalid list"):format(all.expired)
  end
  if #all.rejected > 0 then
    parts[#parts + 1] = ("%d expired, and still rejected"):format(
      #all.rejected)
  end
  output.say("%s", table.concat(parts, ", "))
end

return show
