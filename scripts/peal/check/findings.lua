--- What a check has found, with stable codes.
-- A finding: { code, severity, sentence, file, line, column, sample }.
local sorted = require "peal.sorted"

local findings = {}
findings.__index = findings

--- Codes and how grave they are. They are interface: add, never rename. Each
-- has a section in docs/check.md.
findings.SEVERITY = {
  ["syntax"] = "error",
  ["unreadable"] = "error",
  ["unknown-stage"] = "error",
  ["bad-stage"] = "error",
  ["no-decide"] = "error",
  ["unknown-field"] = "error",
  ["unknown-parameter"] = "error",
  ["unknown-name"] = "error",
  ["no-io"] = "error",
  ["read-only"] = "error",
  ["fails"] = "error",
  ["bad-answer"] = "error",
  ["limit"] = "error",
  ["bad-rule-text"] = "error",
  ["way-home"] = "error",
  ["not-settled"] = "error",
  ["herd"] = "error",
  ["secret-shown"] = "error",
  ["bad-value"] = "warning",
  ["unknown-value"] = "warning",
  ["unreachable"] = "warning",
  ["double-write"] = "warning",
  ["global-write"] = "warning",
  ["no-rules"] = "error",
  ["not-covered"] = "note",
}

function findings.new()
  return setmetatable({ list = {}, seen = {} }, findings)
end

--- Add one; the same at the same place only once.
--   place   { file =, line =, column = }
--   about   { sample = name of a sample phone }
function findings:add(code, place, sentence, about)
  local line, column = place.line or 1, place.column or 1
  local key = ("%s\0%s\0%d\0%d\0%s"):format(code, place.file, line, column,
    about and about.once or sentence)
  if self.seen[key] then return end
  self.seen[key] = true
  self.list[#self.list + 1] = { code = code,
    severity = assert(findings.SEVERITY[code], code), sentence = sentence,
    file = place.file, line = line, column = column, number = #self.list,
    sample = about and about.sample }
end

local function before(a, b)
  if a.file ~= b.file then return a.file < b.file end
  if a.line ~= b.line then return a.line < b.line end
  if a.column ~= b.column then return a.column < b.column end
  return a.number < b.number
end

--- All of them, by file and line.
function findings:all()
  table.sort(self.list, before)
  return self.list
end

--- How many of each severity.
function findings:counts()
  local out = { error = 0, warning = 0, note = 0 }
  for _, one in ipairs(self.list) do
    out[one.severity] = out[one.severity] + 1
  end
  return out
end

--- One finding as compilers say it: editors understand that.
function findings.text(one)
  return ("%s:%d:%d: %s: %s [%s]"):format(one.file, one.line, one.column,
    one.severity, one.sentence, one.code)
end

--- A sentence without the path and line in front: a finding has them already.
function findings.plain(sentence, path)
  if sentence:sub(1, #path) ~= path then return sentence end
  return (sentence:sub(#path + 1):gsub("^:%d+", ""):gsub("^: ", ""))
end

--- The codes in order.
function findings.codes()
  return sorted.keys(findings.SEVERITY)
end

return findings
