-- Runs every case of tests/cases: whole resyncs as data (support/cases.lua).
local cases = require "support.cases"

local FILES <const> = { "http_codes", "profiles", "rule_files", "rules",
  "syslog" }

local checks = {}

function checks.outcome(want, run)
  assert.are.equal(want, run.results[#run.results].outcome)
end

function checks.outcomes(want, run)
  local got = {}
  for i, result in ipairs(run.results) do got[i] = result.outcome end
  assert.are.same(want, got)
end

function checks.change_counts(want, run)
  local got = {}
  for i, result in ipairs(run.results) do got[i] = #result.changes end
  assert.are.same(want, got)
end

function checks.reason(want, run)
  assert.are.equal(want, run.results[1].reason)
end

function checks.requests(want, run)
  assert.are.same(want, cases.requests(run))
end

function checks.params(want, run)
  local got = {}
  for name in pairs(want) do got[name] = run.store:get(name) end
  assert.are.same(want, got)
end

function checks.syslog(want, run)
  assert.are.same(want, cases.syslog(run))
end

function checks.syslog_has(want, run)
  local all = table.concat(cases.syslog(run), "\n")
  for _, text in ipairs(want) do
    assert.is_truthy(all:find(text, 1, true), text .. " is not in\n" .. all)
  end
end

function checks.receivers(want, run)
  local got = {}
  for i, d in ipairs(run.world.datagrams) do
    got[i] = ("%s:%d"):format(d.address, d.port)
  end
  assert.are.same(want, got)
end

function checks.failure(want, run)
  local failure = run.results[#run.results].failure
  assert.is_table(failure)
  for key, value in pairs(want) do
    assert.are.equal(value, failure[key], key)
  end
end

function checks.words(want, run)
  local got = {}
  for i, note in ipairs(run.results[1].notes) do got[i] = note.word end
  assert.are.same(want, got)
end

function checks.notes_have(want, run)
  local all = {}
  for i, note in ipairs(run.results[1].notes) do all[i] = note.text end
  all = table.concat(all, "\n")
  for _, text in ipairs(want) do
    assert.is_truthy(all:find(text, 1, true), text .. " is not in\n" .. all)
  end
end

function checks.note_paths(want, run)
  local got = {}
  for i, note in ipairs(run.results[1].notes) do got[i] = note.path end
  assert.are.same(want, got)
end

function checks.trace_has(want, run)
  local trace = run.results[1].trace:encode()
  for _, text in ipairs(want) do
    assert.is_truthy(trace:find(text, 1, true), text .. " is not in\n" .. trace)
  end
end

function checks.refused(want, run)
  local got = {}
  for i, refused in ipairs(run.results[1].refused) do got[i] = refused.name end
  assert.are.same(want, got)
end

function checks.headers(want, run)
  assert.are.same(want, run.world.requests[1].headers)
end

function checks.addresses(want, run)
  local got = {}
  for i, request in ipairs(run.world.requests) do got[i] = request.address end
  assert.are.same(want, got)
end

function checks.credentials(want, run)
  local got = {}
  for i, request in ipairs(run.world.requests) do
    got[i] = request.user ~= nil
  end
  assert.are.same(want, got)
end

for _, field in ipairs { "user", "password", "body" } do
  checks[field] = function(want, run)
    assert.are.equal(want, run.world.requests[1][field])
  end
end

function checks.sealed(want, run)
  local all = cases.everything(run)
  for _, text in ipairs(want) do
    assert.is_nil(all:find(text, 1, true), "a secret is in:\n" .. all)
  end
end

for _, file in ipairs(FILES) do
  describe("case " .. file .. ":", function()
    for _, case in ipairs(require("cases." .. file)) do
      it(case.name, function()
        assert.is_not_nil(next(case.expect), "the case expects nothing")
        local run = cases.run(case)
        for key, want in pairs(case.expect) do
          assert(checks[key], "no such expectation: " .. key)(want, run)
        end
      end)
    end
  end)
end
