--- What a session has (peal repl), and simulations. See peal.reference.
local PAGE <const> = "docs/repl.md"

return {
  { name = "Globals", kind = "globals", source = PAGE,
    doc = "What a line at the prompt can use, beside Lua's own libraries and "
      .. "the rule library. They give plain data, so that the next line can "
      .. "go on with it; the last answers are _, _1, _2 and so on.",
    { "param: peal.Parameters",
      "Parameters: param.NAME reads one, param.NAME = \"value\" writes it in "
        .. "this session, until :commit. A secret is a reference.",
      example = 'param.Resync_Periodic = "7200"' },
    { "params(...: string) -> list: table[]",
      "Lists parameters whose names fit patterns such as Resync*: { name, "
        .. "value, type, ua, source }.", example = 'params "Resync_*"' },
    { "phone: peal.Phone",
      "The phone as a rule file sees it: phone.PN, phone.state, phone.param.",
      example = "classic.profile(phone, param.Profile_Rule)" },
    { "store: peal.Store",
      "The session's store, to look at: secrets are references, and nothing "
        .. "can be written by it.", example = "store:revisions()" },
    { "rule(text: string) -> plan: table",
      "What a profile rule would do, without doing it.",
      example = 'rule "http://h/$MA.xml"' },
    { "expand(text: string) -> text: string", "Expands macros.",
      example = 'expand "$PN at $MAC"' },
    { "eval(text: string) -> verdict: boolean, comparisons: table[]",
      "Is a condition true?", example = 'eval "$PRVTMR ge 600"' },
    { "url(text: string, base?: table) -> parts: table",
      "Takes a URL apart.", example = 'url("tftp://h/x.xml").host' },
    { "why(name: string) -> found: table",
      "Why has a parameter its value? :why prints the same as a tree.",
      example = 'why "Resync_Periodic"' },
    { "diff(a?: integer, b?: integer) -> list: table[]",
      "What this session has written; or what differs between two "
        .. "revisions.", example = "diff(1)" },
    { "history(name?: string) -> list: table[]",
      "The revisions, or the values of a parameter.",
      example = 'history "Resync_Periodic"' },
    { "status() -> status: table",
      "What happens next, when, and why not now.",
      example = "status().why_not_now" },
    { "schedule(n?: integer) -> list: table[]", "The next resyncs.",
      example = "schedule(3)" },
    { "certs() -> list: table[]", "The certificates on the phone's lists." },
    { "plan(rule?: string) -> result: table",
      "What would the next resync do? Nothing of it is kept.",
      example = "plan().changes" },
    { "resync(rule?: string) -> result: table",
      "A resync. In a session of its own its changes wait for :commit; "
        .. "attached, the daemon does it.", example = "resync()" },
    { "simulate(options?: table) -> simulation: peal.Simulation",
      "A simulation of this phone on the virtual clock; options are those of "
        .. "peal.simulate.",
      example = "simulate():run(86400).timeline" },
    { "help(topic?: string|function)",
      "Prints what there is to know of a function, a name, a parameter, a "
        .. "command or a decision.", example = 'help "Resync_Periodic"' },
    { "print(...: any)", "Prints, with secrets hidden." },
    { "io: table", "Lua's io, whose write() hides secrets." },
  },
  { name = "Commands", kind = "commands", source = PAGE,
    doc = "What begins with a colon at the prompt.",
    { ":why [NAME]", "The tree of where a parameter's value comes from; "
      .. "without a name why no resync is running, and when the next will." },
    { ":diff", "What this session has written and not committed." },
    { ":commit", "Shows what was written, asks, and writes it into the store "
      .. "as one revision (author repl)." },
    { ":commit!", "The same without asking: for scripts." },
    { ":discard", "Forgets what was written, and takes the snapshot anew." },
    { ":plan [RULE]", "What the next resync, or this rule, would do: changes, "
      .. "side effects, schedule. Nothing of it is kept." },
    { ":step [RULE]", "A resync that stops between its phases, and can be "
      .. "left; nothing of it is kept." },
    { ":break [-][NAME]", "Stops a run when a parameter is written; with - no "
      .. "more; without a name lists the breaks." },
    { ":trace", "The steps of the last cycle." },
    { ":history [NAME]", "The revisions, or the values of a parameter." },
    { ":timers", "What is due, and when; the timers that macros show." },
    { ":rules", "The rule files in force, and what is wrong with them." },
    { ":reload", "Reads the rule files anew." },
    { ":certs", "The certificates on the phone's lists." },
    { ":log [LEVEL]", "Which live events of the daemon are shown: off, info "
      .. "or debug (each step)." },
    { ":timing [on|off]", "Tells how long each answer took." },
    { ":format [FORMAT]", "Prints answers as lua, json or table." },
    { ":load FILE", "Runs a Lua file in this session." },
    { ":help [COMMAND]", "All commands, or one." },
    { ":quit", "Leaves. What is not committed is said first." },
  },
  { name = "peal.simulate", kind = "script", source = "docs/simulate.md",
    doc = "Time travel: a phone on the virtual clock, whose days go by in no "
      .. "time.",
    { "new(options: table) -> simulation: peal.Simulation",
      "A simulation: { store =, phone =, device =, zone =, time =, boot =, "
        .. "server =, dns =, rules =, trust =, dice =, on_request = }. The "
        .. "store is copied, and not written.", fails = true },
  },
  { name = "Simulation", kind = "object", source = "docs/simulate.md",
    doc = "A phone's life so far. Going back is exact: the same dice fall "
      .. "again.",
    { "timeline: table[]",
      "What happened: { time, mono, kind, text, cycle, revision } each." },
    { "run(seconds: number) -> simulation: peal.Simulation", "Goes on.",
      fails = true, example = "sim:run(30 * 86400)" },
    { "step(limit?: number) -> entry: table|nil",
      "Goes on to the next thing that is worth a line, not behind limit "
        .. "(seconds since the start); nil: nothing will happen.",
      fails = true },
    { "back(n?: integer) -> simulation: peal.Simulation",
      "Back to where the last n steps began; 1 unless told.", fails = true },
    { "to(time: number|string) -> simulation: peal.Simulation",
      "To a time, forward or back: seconds since 1970 or a text such as "
        .. "2026-11-23 02:00.", fails = true },
    { "to_tick(ticks: integer) -> simulation: peal.Simulation",
      "To just after a tick; entries of the timeline tell theirs." },
    { "place() -> place: table", "Where it is now, for return_to()." },
    { "return_to(place: table) -> simulation: peal.Simulation",
      "To where it was, also when an error has ended a tick midway." },
    { "take() -> entries: table[]",
      "The timeline so far, which it forgets; going back begins at the start "
        .. "then." },
    { "record(schema: peal.Schema) -> cassette: table",
      "Goes on to the end of the next resync, and records it.", fails = true },
    { "mono() -> seconds: number", "Seconds since the start." },
    { "time() -> seconds: number", "By the phone's clock, since 1970." },
    { "true_time() -> seconds: number",
      "The time that it is; the phone's clock may have been set to another." },
    { "store() -> store: peal.Store",
      "The store as it is now. It is the phone's own: copy it to keep it." },
    { "diff() -> list: table[]",
      "What differs from the start: { name, old, new }." },
    { "param(name: string) -> text: string|nil", "A parameter." },
    { "set(name: string, value: string) -> ok: boolean",
      "Sets a parameter now, as a person would.", fails = true },
    { "say(kind: string, text: string, ...: any)",
      "Puts a line into the timeline; text and values as string.format() has "
        .. "them." },
    { "write(values: table<string, string>, cause: string) -> ok: boolean",
      "Writes parameters, for another cause.", fails = true },
    { "inject(what: table) -> ok: boolean",
      "Lets something happen, now or at a time: { at =, clock =, lines =, "
        .. "server_down = ... }.", fails = true },
    { "plan(what: table)", "Puts a happening into the order of things." },
    { "power_off(hardware: table, reason: string, seconds: number)",
      "The phone goes off; what it was about to do is never done." },
  },
}
