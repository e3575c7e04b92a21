--- peal status: how a phone stands.
local output = require "peal.cli.output"
local span = require "peal.span"
local standing = require "peal.cli.standing"
local when = require "peal.cli.when"

local command = {
  name = "status",
  usage = "",
  summary = "Say what a phone does, what happens next and when, and why not "
    .. "now.",
  details = "Asks the daemon that owns the store. Without one it says what the "
    .. "store knows,\nand ends with exit code 1.",
  options = {},
  examples = { "peal status --store st", "peal status --json --store st" },
}

local function last_line(last)
  if not last then return "none" end
  local parts = { ("%s, %s (%s)"):format(when.utc(last.time),
    last.outcome or "?", last.asked_by or "?") }
  if last.cycle then parts[#parts + 1] = "cycle " .. last.cycle end
  parts[#parts + 1] = last.reason
  return table.concat(parts, ", ")
end

local function next_rows(status)
  local rows = {}
  for _, one in ipairs(status.next or {}) do
    rows[#rows + 1] = { "", one.what, when.utc(one.at),
      "in " .. span(one.in_s or 0), one.why or one.cause or "" }
  end
  return rows
end

local function rule_rows(status)
  local rows = {}
  for _, rule in ipairs(status.rules or {}) do
    if rule.state ~= "factory" or rule.problem then
      rows[#rows + 1] = { "", rule.stage, rule.state, rule.path or "",
        rule.problem or "" }
    end
  end
  return rows
end

local function worker_line(worker)
  if not worker then return "none: no rule file has needed one" end
  return ("process %s, %s started"):format(worker.pid or 0, worker.starts or 0)
end

local function daemon_line(status)
  local daemon = status.daemon
  if not daemon then return "none owns this store" end
  return ("process %d, peal %s, since %s"):format(daemon.pid, daemon.version,
    when.utc(daemon.started))
end

-- What the status pages show of certificates; nothing while there is nothing.
local function certificate_rows(rows, about)
  for _, one in ipairs { { "custom CA", about.custom_ca },
    { "MIC renewal", about.mic } } do
    local shown = one[2]
    if shown and shown.status ~= "" then
      rows[#rows + 1] = { one[1], ("%s; %s"):format(shown.info,
        shown.status) }
    end
  end
  if about.ciphers then
    rows[#rows + 1] = { "ciphers", "TLS_Cipher_List: " .. about.ciphers }
  end
  local host = about.host
  if host then
    rows[#rows + 1] = { "host cert", host.alarm
      and ("%s: %s"):format(host.state, host.alarm) or host.state }
  end
end

local function weakness_rows(about)
  local rows = {}
  for _, one in ipairs(about.weaknesses or {}) do
    rows[#rows + 1] = { "", one.sentence }
  end
  return rows
end

local function facts_of(status)
  local phone = status.phone or {}
  local rows = {
    { "phone", ("%s %s %s"):format(phone.PN or "", phone.MAC or "",
      phone.SWVER or ""):match("^.*%S") or "" },
    { "daemon", daemon_line(status) },
  }
  if status.daemon then
    rows[#rows + 1] = { "state", status.since and ("%s since %s"):format(
      status.state, when.utc(status.since)) or status.state }
    rows[#rows + 1] = { "why not now", status.why_not_now or "" }
  end
  rows[#rows + 1] = { "last resync", last_line(status.last) }
  rows[#rows + 1] = { "last success", when.utc(status.last_success) }
  rows[#rows + 1] = { "store", ("revision %d, cycle %d"):format(
    status.revision or 0, status.cycle or 0) }
  certificate_rows(rows, status.trust or {})
  if status.queued and status.queued > 0 then
    rows[#rows + 1] = { "waiting", status.queued
      .. (status.queued == 1 and " request" or " requests") }
  end
  if status.daemon then
    rows[#rows + 1] = { "worker", worker_line(status.worker) }
  end
  for _, name in ipairs { "upgrade", "health" } do
    local about = status[name]
    if about and about.outcome and about.outcome ~= "none" then
      rows[#rows + 1] = { name, table.concat({ about.outcome, about.reason },
        ", ") }
    end
  end
  return rows
end

local function print_part(title, rows, nothing)
  if #rows == 0 then
    if nothing then output.print(("%-13s %s"):format(title, nothing)) end
    return
  end
  output.print(title)
  output.print(output.columns(rows))
end

local function print_status(status)
  for _, row in ipairs(facts_of(status)) do
    output.print(("%-13s %s"):format(row[1], row[2]))
  end
  print_part(status.daemon and "next" or "next, if peal run starts now",
    next_rows(status), "nothing is scheduled")
  print_part("rule files", rule_rows(status), "the factory's")
  print_part("trust is weakened by", weakness_rows(status.trust or {}))
end

function command.run(options)
  if options[1] then
    return nil, { sentence = "peal status takes options only", word = "usage",
      code = 2 }
  end
  local status, is_daemon = standing.ask(options, "status", "status", {},
    function(engine) return engine:status() end)
  if not status then return nil, is_daemon end
  if not is_daemon then
    status.state, status.since = "no daemon", nil
    status.why_not_now = "no daemon keeps this phone"
  end
  if options.json then
    output.json(status)
  else
    print_status(status)
  end
  if is_daemon then return status.problem and 1 or 0 end
  output.say("no daemon owns the store")
  io.stderr:write("      start it with: peal run ",
    options.phone and "--phone " .. options.phone or "",
    options.store and (options.phone and " " or "") .. "--store "
      .. options.store or "", "\n")
  return 1
end

return command
