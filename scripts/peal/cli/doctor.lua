--- peal doctor: what is wrong on the way of a profile?
local doctor = require "peal.doctor"
local hints = require "peal.cli.hints"
local json = require "peal.json"
local output = require "peal.cli.output"
local session = require "peal.cli.session"
local shown = require "peal.shown"

local command = {
  name = "doctor",
  usage = "[URL|RULE]",
  summary = "Walk the way of a profile, from the rule's text over DNS, TCP, "
    .. "TLS, certificate\nand passwords to the values, and name the step that "
    .. "is broken, with its cure.",
  details = "Without an argument, that of Profile_Rule. Works on a copy: the "
    .. "store stays as\nit is. (A rule's own --post or --put is sent.)\n\n"
    .. "Exit codes: 0 every step works, 1 one is broken.",
  options = {},
  examples = {
    "peal doctor http://192.168.1.200/basic.txt --phone phone.lua",
    "peal doctor '[--key $GPP_K] https://prov.example.com/$MA.xml' --store st",
    "peal doctor --store st --json",
  },
}

local MARKS <const> = { ok = "ok", broken = "BROKEN", warning = "warning",
  none = "-", ["not reached"] = "not reached" }

local function print_report(report)
  for _, step in ipairs(report.steps) do
    output.print(((("%-12s %-11s %s"):format(step.step,
      MARKS[step.verdict], step.text or "")):gsub("%s+$", "")))
    if step.cure then output.print(("%24s %s"):format("", step.cure)) end
  end
end

local function public(open, report)
  return { ok = report.ok, broken = report.broken,
    steps = json.array(report.steps), notes = json.array(report.notes),
    changes = report.changes, store = open.store_path }
end

-- Those that the system asks, or nil.
local function system_servers()
  local file = io.open("/etc/resolv.conf")
  if not file then return nil end
  local list = {}
  for text in file:lines() do
    list[#list + 1] = text:match("^%s*nameserver%s+(%S+)")
  end
  file:close()
  return list[1] and table.concat(list, ", ") .. " of /etc/resolv.conf"
end

local function rule_of(options, open)
  local text = options[1] or open.phone:param("Profile_Rule") or ""
  if text:find("%S") then return text end
  return nil, { sentence = "Profile_Rule is empty: which URL or rule?",
    word = "usage", code = 2 }
end

function command.run(options)
  if options[2] then
    return nil, { sentence = "one URL or rule at most: quote it",
      word = "usage", code = 2 }
  end
  local open, failed = session.open(options, { read_only = true,
    trust = true })
  if not open then return nil, failed end
  local rule
  rule, failed = rule_of(options, open)
  if not rule then return nil, failed end
  local report, sentence, word = open.world.run(doctor.examine, open.phone,
    { rule = rule, servers = open.file.dns or system_servers() })
  if not report then return nil, { sentence = sentence, word = word } end
  for _, step in ipairs(report.steps) do
    step.cure = hints.typed(step.cure, options)
  end
  if options.json then
    output.json(public(open, report))
  else
    output.print(shown.rule(open.store, rule))
    print_report(report)
    for _, note in ipairs(report.notes) do
      if not note.line or note.line == 0 then
        output.say("%s", output.clip(output.note(note), 300))
      end
    end
  end
  return report.ok and 0 or 1
end

return command
