-- What is kept of a cycle, and when it reaches the disk.
local cases = require "support.cases"
local classic = require "peal.classic"
local explain = require "peal.explain"
local json = require "peal.json"
local process = require "support.process"
local support = require "support.engine"
local trace = require "peal.trace"

local URL <const> = support.URL

-- Steps of a kind in the trace of the last run of a case.
local function steps_of(case, kind)
  local run = cases.run(case)
  local out = {}
  for _, step in ipairs(run.results[#run.results].trace.steps) do
    if step.step == kind then out[#out + 1] = step end
  end
  return out, run
end

local function xml(text)
  return { status = 200, body = "<flat-profile>" .. text
    .. "</flat-profile>" }
end

describe("the trace of a cycle", function()
  it("names what each trigger compared", function()
    local about = { request = { asked_by = "periodic" }, phone = { params = {
      Resync_Trigger_1 = "$PRVTMR ge 5000",
      Resync_Trigger_2 = '"$A" eq "ABCDEF"' } } }
    local gate = steps_of(about, "trigger")[1]
    assert.is_true(gate.pass)
    assert.same({ "Resync_Trigger_1", false, "900 ge 5000" },
      { gate.triggers[1].name, gate.triggers[1].verdict,
        gate.triggers[1].expanded })
    assert.same({ { left = '"ABCDEF"', op = "=", right = '"ABCDEF"',
      verdict = true } }, gate.triggers[2].conditions)
  end)

  it("has a problem in place of an answer where a trigger is wrong",
    function()
      local phone = { identity = {}, state = {},
        param = { Resync_Trigger_1 = "$NOPE eq 1" } }
      local pass, reason, seen = classic.triggers(phone)
      assert.is_false(pass)
      assert.matches("^Resync_Trigger_1: ", reason)
      assert.is_string(seen[1].problem)
    end)

  it("says which elements wrote nothing, and why", function()
    local lost = steps_of({ server = { ["*"] = xml(
      "\n<GPP_A>1</GPP_A>\n<Resync_Periodic>x</Resync_Periodic>\n<Nope>1</Nope>"
      ) }, phone = { params = { Profile_Rule = URL } } }, "lost")[1]
    assert.same({ { "Resync_Periodic", 3, "bad-value" },
      { "Nope", 4, "unknown-name" } }, {
        { lost.values[1].name, lost.values[1].line, lost.values[1].word },
        { lost.values[2].name, lost.values[2].line, lost.values[2].word } })
  end)

  it("does not call lost what no registry knows, and is kept all the same",
    function()
      local case = { server = { ["*"] = xml("<Nope>1</Nope>") },
        phone = { params = { Profile_Rule = URL }, keep_unknown = true } }
      local lost, run = steps_of(case, "lost")
      assert.equal("1", run.phone.world.store:get("Nope"))
      assert.same({}, lost)
    end)

  it("names 64 of them at most, and counts the others", function()
    local parts = {}
    for i = 1, 100 do parts[i] = ("<Nope_%d>x</Nope_%d>"):format(i, i) end
    local lost = steps_of({ server = { ["*"] = xml(table.concat(parts)) },
      phone = { params = { Profile_Rule = URL } } }, "lost")[1]
    assert.same({ 64, 36 }, { #lost.values, lost.more })
  end)

  it("names what a later rule says the same of", function()
    local same = steps_of({ server = { ["http://h/1"] = xml(
      "<GPP_C>c</GPP_C><GPP_F>f</GPP_F>"), ["http://h/2"] = xml(
      "<GPP_C>c</GPP_C>\n<GPP_F>other</GPP_F>") }, phone = { params = {
      Profile_Rule = "http://h/1", Profile_Rule_B = "http://h/2" } } }, "same")
    assert.same({ { name = "GPP_C", line = 1 } }, same[1].values)
    assert.equal("Profile_Rule_B", same[1].rule)
  end)

  it("says how a rule failed, and where in the file", function()
    local failed = steps_of({ server = { ["*"] = { status = 200,
      body = "<flat-profile>\n<GPP_A>1</GPP_B>" } },
      phone = { params = { Profile_Rule = URL } } }, "failed")[1]
    assert.same({ "Profile_Rule", "corrupt", 2 },
      { failed.rule, failed.word, failed.line })
  end)

  it("holds neither values nor secrets", function()
    local _, run = steps_of({ server = { ["*"] = xml(
      "<GPP_SA>sEcret1</GPP_SA><GPP_C>vAlue1</GPP_C>"
      .. "<Resync_Periodic>vAlue2</Resync_Periodic>") }, phone = { params = {
      Profile_Rule = '(GPP_SB = "sEcret2";)! [--key sEcret3 --pwd sEcret4] '
        .. URL } } }, "rule")
    for _, result in ipairs(run.results) do
      local text = result.trace:encode()
      assert.is_nil(text:find("sEcret", 1, true))
      assert.is_nil(text:find("vAlue", 1, true))
    end
  end)

  it("is cut in its midst where it is longer than 64 KiB", function()
    local t = trace.new { cycle = 1 }
    t:add("trigger", { pass = true })
    for i = 1, 500 do t:add("note", { text = ("x"):rep(400) .. i }) end
    t:add("failed", { text = "the end" })
    local text = t:encode()
    assert.is_true(#text <= 65536)
    local kept = json.decode(text)
    assert.equal("trigger", kept.steps[1].step)
    assert.equal("failed", kept.steps[#kept.steps].step)
    local cut
    for _, step in ipairs(kept.steps) do
      if step.step == "cut" then cut = step.left_out end
    end
    assert.equal(502, #kept.steps - 1 + cut)
  end)
end)

describe("a cycle that wrote nothing", function()
  local dir
  before_each(function() dir = process.temp_dir() end)
  after_each(function() process.remove(dir) end)

  local function lab_of(options)
    options.store = support.store({ Profile_Rule = URL,
      Resync_Random_Delay = "0", Resync_Periodic = "600",
      Resync_Error_Retry_Delay = "60",
      Resync_Trigger_1 = options.trigger or "" }, { path = dir })
    return support.new(options)
  end

  it("waits for the next commit with its trace, an hour at most", function()
    local lab = lab_of { server = function() return 503 end }
    lab:boot():advance(1800)
    local before = lab.store:revision()
    assert.is_nil(lab.store:state("trace", "failed"))
    lab:advance(4000)
    assert.equal(before + 1, lab.store:revision())
    assert.is_string(lab.store:state("trace", "failed"))
  end)

  it("is told after a restart, the one that failed beside a newer one",
    function()
      local answer = 503
      local lab = lab_of { server = function() return answer end }
      lab:boot():advance(10)
      answer = support.EMPTY
      lab:advance(700)
      lab:restart():advance(1)
      local newest = assert(explain.cycle(lab.store))
      assert.equal("success", newest.outcome)
      local failed = assert(explain.cycle(lab.store, 1))
      assert.equal("failure", failed.outcome)
      assert.matches("HTTP 503", explain.cycle_text(failed))
    end)

  it("writes nothing more often for it", function()
    local lab = lab_of { server = function() return 503 end }
    lab:boot():advance(24 * 3600)
    assert.is_true(lab.store:revision() <= 26)
  end)

  it("is not a resync that its trigger holds back: that wears no flash",
    function()
      local lab = lab_of { trigger = "1 = 2" }
      lab:boot():advance(100)
      local revision = lab.store:revision()
      lab:advance(24 * 3600)
      assert.is_true(lab.store:revision() <= revision + 1)
      assert.is_nil(lab.store:state("trace", "last"))
      local found = explain.not_now(lab.engine:status())
      assert.same({ "boot", false }, { found.held.asked_by,
        found.held.trigger.triggers[1].verdict })
      assert.is_true(found.held.since < lab.world.now().time - 3600)
    end)

  it("is forgotten as being held back once it runs", function()
    local lab = lab_of { trigger = "$PRVTMR ge 100" }
    lab:boot():advance(50)
    assert.is_table(lab.engine:status().held)
    lab:advance(200)
    assert.is_nil(lab.engine:status().held)
  end)
end)
