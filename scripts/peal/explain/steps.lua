--- The steps of a trace as branches of a tree; docs/trace.md has them all.
local tree = require "peal.explain.tree"

local steps = {}

local function comparison(c)
  return ("%s %s %s is %s"):format(c.left, c.op, c.right,
    tostring(c.verdict))
end

local function conditions(branch, list)
  for _, c in ipairs(list or {}) do branch:add("condition", comparison(c)) end
end

local function texts(branch, step)
  branch:add("text", step.text)
  if step.expanded ~= step.text then branch:add("expanded", step.expanded) end
end

local function by_file(step)
  return step.rule_file and (", says %s"):format(step.rule_file) or ""
end

local SAY = {}

function SAY.trigger(step, branch)
  local gate = branch:add("trigger", (step.pass and "passed"
    or "held back: " .. (step.reason or "no reason given")) .. by_file(step))
  for _, one in ipairs(step.triggers or {}) do
    local seen = gate:add(one.name, one.problem and "wrong: " .. one.problem
      or one.verdict and "true" or "false")
    texts(seen, one)
    conditions(seen, one.conditions)
  end
end

local function alternative(branch, i, alt, done)
  local why = alt.chosen and "taken"
    or alt.verdict == false and "not taken: its condition is false"
    or done or "not taken: its condition is wrong"
  local seen = branch:add(("choice %d"):format(i), why)
  seen:add("text", alt.text)
  conditions(seen, alt.conditions)
end

local OUTCOMES <const> = { skip = "skipped", error = "wrong" }

function SAY.rule(step, branch)
  local what = OUTCOMES[step.action]
  local why = step.reason or step.sentence
  local rule = branch:add("rule", step.rule .. (what and (": %s%s"):format(
    what, why and ", " .. why or "") or "") .. by_file(step))
  texts(rule, step)
  local done
  for i, alt in ipairs(step.alternatives or {}) do
    if #step.alternatives > 1 or #(alt.conditions or {}) > 0 then
      alternative(rule, i, alt, done)
    end
    done = done or alt.chosen and "not taken: one before it was"
      or alt.verdict == nil and "not looked at: one before it is wrong"
  end
  for _, text in ipairs(step.warnings or {}) do rule:add("warning", text) end
  return rule
end

function SAY.fetch(step, branch)
  branch:add("fetch", ("%s %s%s"):format(step.method, step.url,
    step.option and (", from DHCP option %s"):format(step.option) or ""))
end

function SAY.srv(step, branch)
  branch:add("SRV", ("%s: %d answers"):format(step.name, step.answers))
end

function SAY.resolve(step, branch)
  if step.word then
    branch:add("DNS", ("%s: %s"):format(step.name, step.text or step.word))
  elseif step.address and step.address ~= step.name then
    branch:add("DNS", ("%s is %s%s"):format(step.name, step.address,
      step.addresses > 1 and (", and %d more"):format(step.addresses - 1)
        or ""))
  end
end

function SAY.redirect(step, branch)
  branch:add("redirect", ("HTTP %d to %s"):format(step.status, step.to))
end

-- What came of looking at a certificate.
--   let_pass   a trust rule had its say before
local function verdict(step, let_pass)
  if step.listed then
    return "a list holds it: nothing else of it was checked"
  elseif step.word then
    return "refused: " .. (step.text or step.word)
  end
  return let_pass and "let pass, though it failed a check"
    or "chain, dates and name are good"
end

local function certificate(branch, step, let_pass)
  local about = step.certificate
  local server = branch:add("server", ("%s, issued by %s%s"):format(
    about.subject, about.issuer,
    step.listed and ", believed by the lists" or ""))
  server:add("sha256", about.sha256)
  server:add("verdict", verdict(step, let_pass))
end

function SAY.response(step, branch, let_pass)
  local parts = {}
  if step.status then parts[1] = "HTTP " .. step.status end
  if step.bytes then parts[#parts + 1] = ("%d bytes"):format(step.bytes) end
  if step.peer then parts[#parts + 1] = "from " .. step.peer end
  if (step.tls or "") ~= "" then
    parts[#parts + 1] = step.tls .. (step.cipher and " " .. step.cipher or "")
  end
  if step.client_certificate then
    parts[#parts + 1] = "the phone's certificate was shown"
  end
  parts[#parts + 1] = step.text
  branch:add("answer", table.concat(parts, ", "))
  if step.certificate then certificate(branch, step, let_pass) end
end

function SAY.trust(step, branch)
  branch:add("trust", ("%s: %s%s%s"):format(
    step.accept and "let pass" or "refused", step.text,
    step.reason and step.reason ~= step.text
      and " (" .. step.reason .. ")" or "", by_file(step)))
end

function SAY.decode(step, branch)
  if step.steps then
    branch:add("decoded", table.concat(step.steps, ", "))
  else
    branch:add("decoded", ("no: %s%s"):format(step.text or step.word,
      step.line and (" (line %d)"):format(step.line) or ""))
  end
end

local function some(n, what)
  return n and n > 0 and (", %d %s"):format(n, what) or ""
end

function SAY.apply(step, branch)
  branch:add("profile", ("%d %s%s%s%s"):format(step.elements,
    step.elements == 1 and "parameter" or "parameters",
    some(step.unknown, "unknown"), some(step.kept, "of them kept"),
    some(step.bad, "refused by type")))
end

function SAY.refused(step, branch)
  branch:add("refused", ("%s: %s, says %s"):format(step.name, step.reason,
    step.by or "a rule"))
end

function SAY.changed(step, branch)
  branch:add("changed", ("%s by %s%s"):format(step.name,
    step.by or "a rule", step.word
      and ", in vain: " .. (step.text or step.word) or ""))
end

--- Why an element of a profile wrote nothing.
function steps.lost(one)
  if one.word == "user-value" then
    return "the user's own value stays (user-pref)"
  elseif one.word == "same" then
    return "says the same, so that the first writer stays named"
  end
  return one.text or one.word
end

local function named(step, branch, label, add_word)
  for _, one in ipairs(step.values or {}) do
    branch:add(label, ("%s%s: %s"):format(one.name,
      one.line and one.line > 0 and (" (line %d)"):format(one.line) or "",
      steps.lost(add_word and { word = add_word } or one)))
  end
  if step.more then branch:add(label, ("and %d more"):format(step.more)) end
end

function SAY.lost(step, branch) named(step, branch, "not taken") end
function SAY.same(step, branch) named(step, branch, "not taken", "same") end

function SAY.commit(step, branch)
  branch:add("commit", ("%d %s"):format(step.changes,
    step.changes == 1 and "change" or "changes"))
end

function SAY.note(step, branch)
  branch:add("note", step.text)
end

function SAY.failed(step, branch)
  branch:add("failed", ("%s%s [%s]"):format(step.text,
    step.line and (" (line %d)"):format(step.line) or "",
    step.word or "?"))
end

function SAY.health(step, branch)
  branch:add("health", ("%s%s%s"):format(step.verdict,
    step.reason and ": " .. step.reason or "", by_file(step)))
end

function SAY.undone(step, branch)
  for _, one in ipairs(step.values) do branch:add("undone", one.name) end
  if step.more then branch:add("undone", ("and %d more"):format(step.more)) end
end

function SAY.cut(step, branch)
  branch:add("...", ("%d steps were too many to keep"):format(step.left_out))
end

-- What the steps before it mean to a step: let_pass, whether a trust rule has
-- had its say about the server.
local function follow(seen, step)
  if step.step == "rule" or step.step == "redirect" then
    seen.let_pass = nil
  elseif step.step == "trust" then
    seen.let_pass = step.accept
  end
end

--- Add the branches of these steps; those of a rule go below it.
function steps.add(branch, list)
  local rule, seen = nil, {}
  for _, step in ipairs(list) do
    local say = SAY[step.step]
    if step.step == "rule" then
      rule = say(step, branch)
    elseif say then
      say(step, step.step ~= "trigger" and rule or branch, seen.let_pass)
    end
    follow(seen, step)
  end
end

--- The last of these steps, in lines of its own; of a kind that no tree
-- tells, its name.
function steps.last(list)
  local root, seen, step = tree.new(), {}, list[#list]
  for i = 1, #list - 1 do follow(seen, list[i]) end
  local say = SAY[step.step]
  if say then say(step, root, seen.let_pass) end
  local lines = {}
  for i, branch in ipairs(root) do lines[i] = branch:write() end
  return lines[1] and table.concat(lines, "\n") or step.step
end

return steps
