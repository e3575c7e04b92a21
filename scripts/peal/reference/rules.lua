--- The rule library: what a rule file may call. See peal.reference for the
-- form of these tables, peal.environment for who hands them out.
local GUIDE <const> = "MPP provisioning guide"

return {
  { name = "classic", kind = "library", source = GUIDE,
    doc = "What the phones do by themselves, so that a rule has to say only "
      .. "what is different. Each takes the view that decide() was given.",
    { "profile(phone: peal.Phone, text?: string) -> plan: peal.Plan",
      "The plan of a rule text: what to fetch, what to assign, or why not. "
        .. "text: the rule being decided, unless told.",
      fails = "bad-rule", source = GUIDE .. ", Profile_Rule",
      example = "classic.profile(phone, "
        .. '"($PRVTMR ge 600)? http://h/$MA.xml")' },
    { "condition(phone: peal.Phone, text: string) -> verdict: boolean, "
        .. "comparisons: table[]",
      "Is a condition true? Each comparison that was looked at is { left, op, "
        .. "right, verdict }.", fails = "bad-condition",
      source = GUIDE .. ", Conditional expressions",
      example = 'classic.condition(phone, "$PRVTMR ge 600")' },
    { "expand(phone: peal.Phone, text: string) -> text: string",
      "The text with its macros replaced. Names that nobody knows, and those "
        .. "of secrets, stay as they are written.", fails = "too-long",
      source = GUIDE .. ", Macro expansion",
      example = 'classic.expand(phone, "$PN at $MAC")' },
    { "triggers(phone: peal.Phone) -> pass: boolean, reason: string|nil",
      "Do Resync_Trigger_1 and Resync_Trigger_2 let a timed resync pass? Blank "
        .. "ones do not count, one that is true is enough.",
      source = GUIDE .. ", Resync_Trigger_1" },
    { "schedule(phone: peal.Phone) -> answer: peal.Answer.schedule",
      "The answer of the factory's schedule.lua: start, periodic, retry, at.",
      source = GUIDE .. ", Resync_Periodic, Resync_At__HHmm_" },
    { "upgrade(phone: peal.Phone, text?: string) -> plan: table",
      "What an upgrade rule asks for: { action = \"fetch\", fetch =, load = } "
        .. "or { action = \"skip\", reason = }. text: the rule that was asked "
        .. "for, else Upgrade_Rule.",
      fails = "bad-rule", source = GUIDE .. ", Upgrade_Rule" },
    { "upgrade_done(phone: peal.Phone, plan: table) -> done: boolean",
      "Has Upgrade_Rule, as it is, led to this URL before, and was that a "
        .. "success? Never, where somebody asked for the upgrade.",
      source = GUIDE .. ", Upgrade_Rule" },
    { "below_limit(phone: peal.Phone, load: string) -> below: boolean",
      "Is a load older than Downgrade_Rev_Limit? With a limit, a name that is "
        .. "no version counts as older.",
      source = GUIDE .. ", Downgrade_Rev_Limit" },
    { "headset_manifest(phone: peal.Phone) -> answer: table",
      "Where the list of headset firmware is, by Cisco_Headset_Upgrade_Rule: "
        .. "{ action = \"fetch\", fetch = } or { action = \"skip\" }.",
      fails = "bad-rule", source = GUIDE .. ", Cisco_Headset_Upgrade_Rule" },
    { "headset_offer(phone: peal.Phone) -> index: integer|nil, "
        .. "reason: string|nil",
      "The place in phone.offers of the latest firmware for the headset, if "
        .. "it is later than what the headset has; else nil and why there is "
        .. "none.", source = GUIDE .. ", Cisco_Headset_Upgrade_Rule" },
    { "headset_newer(offer: string, have: string) -> newer: boolean",
      "Is one headset version, such as 1-5-1-10, later than another?",
      source = "our choice" },
    { "reports(phone: peal.Phone) -> answer: table",
      "The reports that Report_Rule names: { send =, assigns =, reason = }.",
      fails = "bad-rule", source = GUIDE .. ", Report_Rule" },
    { "privacy(phone: peal.Phone, policy: table) -> edits: table",
      "The changes of a message by a policy { hides = value -> names of "
        .. "headers, identity = names, answers = values }.",
      source = "RFC 3323; MPP administration guide, Privacy_Header" },
  },
  { name = "macro", kind = "library", source = GUIDE .. ", Macro expansion",
    doc = "Macro expansion: $NAME and $(NAME:offset:count).",
    { "expand(text: string, vars: function) -> text: string, mask: string",
      "Expands macros; vars(name) gives a text, or nil for a name that nobody "
        .. "knows. The mask is the text with what came from outside replaced "
        .. "by \\1: parsers search the mask and cut from the text.",
      fails = "too-long" },
    { "expand_secrets(text: string, vars: function, mask?: string) -> "
        .. "secret: string",
      "Expands the names of secrets and nothing else: for --key, --uid and "
        .. "--pwd.", fails = "too-long" },
    { "variables(ctx: table) -> vars: function",
      "The variables of a phone: ctx = { identity =, state =, param = "
        .. "function, request =, ERR =, user_agent = }." },
    { "names() -> names: string[]", "The names of all variables, sorted." },
    { "limit: integer", "The longest text that is taken and made, bytes." },
    { "secret_names: string[]",
      "Names that only --key, --uid and --pwd expand." },
  },
  { name = "condition", kind = "library",
    source = GUIDE .. ", Conditional expressions",
    doc = "Conditional expressions, behind macro expansion.",
    { "evaluate(text: string, mask?: string) -> verdict: boolean, "
        .. "comparisons: table[]",
      "Evaluates an expression whose macros are expanded.",
      fails = "bad-condition",
      example = "condition.evaluate('\"a\" eq \"a\" and 3 ge 2')" },
  },
  { name = "version", kind = "library",
    source = GUIDE .. ", version syntax of conditional expressions",
    doc = "Firmware versions, and which of two is older.",
    { "parse(text: string) -> version: table",
      "Reads sip88xx.11-3-2MPP0001-609 or 2.0.6(b).", fails = "invalid" },
    { "compare(a: string|table, b: string|table) -> order: integer",
      "-1, 0 or 1. The two forms of versions do not compare with each other.",
      fails = "invalid",
      example = 'version.compare("sip88xx.11-3-1MPP-234", '
        .. '"sip88xx.12-0-1MPP-1")' },
    { "short(text: string) -> text: string|nil",
      "Major, minor and micro number, such as 11.3.1; nil: no version." },
  },
  { name = "time", kind = "library", source = "our choice",
    doc = "Dates from seconds, without a clock or a zone.",
    { "from_time(time: number) -> fields: table",
      "Fields of a time in seconds since 1970: year, month, day, hour, min, "
        .. "sec, wday (1: Sunday). phone.local_time has them in local time.",
      example = "time.from_time(phone.now).hour" },
    { "days(year: integer, month: integer, day: integer) -> days: integer",
      "Days since 1970-01-01 of a date.",
      example = "time.days(2026, 11, 22)" },
    { "iso(time: number) -> text: string",
      "A time as text: 2026-11-22T10:15:30Z.",
      example = "time.iso(1792000000)" },
  },
  { name = "str", kind = "library", source = "our choice",
    doc = "What Lua's string library lacks.",
    { "trim(text: string) -> text: string",
      "The text without blanks at its ends.", example = 'str.trim("  a ")' },
    { "split(text: string, separator: string) -> pieces: string[]",
      "The pieces between separators, which are plain text.",
      example = 'str.split("a,b,c", ",")' },
    { "starts_with(text: string, start: string) -> yes: boolean",
      "Does a text begin with another?",
      example = 'str.starts_with("000e08abcdef", "000e08")' },
  },
}
