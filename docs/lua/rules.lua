---@meta
-- Made by docs/generate-stubs.lua; see there.

--- A time where the phone stands.
---@class peal.Time
---@field year integer
---@field month integer
---@field day integer
---@field hour integer
---@field min integer
---@field sec integer
---@field minute integer of the day
---@field wday integer 1: Sunday
---@field days integer since 1970-01-01

--- A message that is about to be sent.
---@class peal.Message
---@field method string
---@field uri string
---@field status integer? of a response
---@field in_dialog boolean
---@field headers { name: string, value: string }[] in order

--- Seconds until something, and how many more the dice may add.
---@class peal.Delay
---@field after integer
---@field spread? integer

--- What a profile rule asks for.
---@class peal.Plan
---@field action "run"|"skip"
---@field assigns? { name: string, value: string }[]
---@field fetch? table url, key, uid, pwd, post, put, alias, srv
---@field reason? string

--- The phone as every rule sees it; it cannot be changed.
---@class peal.Phone
---@field asked_by string "cli", "boot", "periodic", "at", "retry", "url", "notify" ...
---@field explicit boolean true: somebody asked; false: a timer did
---@field failures integer failed resyncs in a row
---@field identity table<string, string> PN, PSN, SN, MAC, SWVER, HWVER, IP, EXTIP, CCERT ...
---@field lines_active integer calls at the moment
---@field local_time peal.Time the same where the phone stands: { year, month, day, hour, min, sec, minute (of the day), wday (1: Sunday), days (since 1970) }
---@field now number seconds since 1970, UTC
---@field param peal.Parameters param.NAME: text of a parameter, nil for an unknown name
---@field since_resync number seconds
---@field since_upgrade number seconds
---@field state table<string, string|number> PRVST, PRVTMR, UPGTMR, REGTMR1 ... as macros show them

--- What trigger.lua sees: may a due resync start now?
---@class peal.Phone.trigger: peal.Phone

--- Answer: true, or false and a reason; as a third what classic.triggers() has looked at, for peal explain.
---@alias peal.Answer.trigger boolean

--- What trigger.lua returns.
---@class peal.Rule.trigger
---@field stage "trigger"
---@field decide fun(phone: peal.Phone.trigger): peal.Answer.trigger, ...

--- What profile.lua sees: which profile does rule A, B, C or D fetch, if any?
---@class peal.Phone.profile: peal.Phone
---@field rule { name: string, text: string } { name = "Profile_Rule_B", text = its text }

--- Answer: a plan { action = "run", assigns =, fetch = } or { action = "skip", reason = }, or nil, a sentence and a word.
---@alias peal.Answer.profile peal.Plan|nil

--- What profile.lua returns.
---@class peal.Rule.profile
---@field stage "profile"
---@field decide fun(phone: peal.Phone.profile): peal.Answer.profile, ...

--- What apply.lua sees: per parameter: accept, change or refuse a staged value
---@class peal.Phone.apply: peal.Phone
---@field changes peal.Change[] list of { name, type, old, new, secret, reboot, line }
---@field rule { name: string } { name = } of the profile rule
---@field url string where the profile came from, "" for assignments

--- Answer: nil (accept all) or { refuse = { NAME = reason }, change = { NAME = value } }.
---@alias peal.Answer.apply { refuse?: table<string, string>, change?: table<string, string> }|nil

--- What apply.lua returns.
---@class peal.Rule.apply
---@field stage "apply"
---@field decide fun(phone: peal.Phone.apply): peal.Answer.apply, ...

--- What upgrade.lua sees: which image, may it be installed, when?
---@class peal.Phone.upgrade: peal.Phone
---@field active string name of the load that runs
---@field done { rule: string, url: table }? what the last success of Upgrade_Rule was for: { rule = its text, url = scheme, server, port and path }; nil: none
---@field event "boot"|"resync"|"change"|"retry"|"idle"|"request" "boot", "resync" (a run has ended), "change" of Upgrade_Rule or Upgrade_Enable, "retry", "idle" (lines), "request"
---@field failures integer failed attempts in a row, of this Upgrade_Rule
---@field inactive string? name of the load in the other partition, or nil
---@field retry_due boolean has the time for the next attempt come? true too when none has failed, and when somebody asked
---@field url string? the rule that was asked for, once; nil: Upgrade_Rule

--- Answer: { action = "skip", reason = }, { action = "activate", load = NAME } (it lies in the other partition), or { action = "fetch", fetch = { url =, ... }, load = (nil: as the file is called), retry = { after =, spread = } should it fail (nil: Upgrade_Error_Retry_Delay) }; or nil, a sentence and a word.
---@alias peal.Answer.upgrade { action: "skip"|"activate"|"fetch", load?: string, fetch?: table, retry?: { after: integer, spread?: integer }, reason?: string }|nil

--- What upgrade.lua returns.
---@class peal.Rule.upgrade
---@field stage "upgrade"
---@field decide fun(phone: peal.Phone.upgrade): peal.Answer.upgrade, ...

--- What headset.lua sees: is there newer firmware for the headset, and is it offered?
---@class peal.Phone.headset: peal.Phone
---@field deferred string? version that the user has put off, until the next attach
---@field event "attach"|"boot"|"resync"|"change" "attach", "boot", "resync", "change" of the rule
---@field headset { model: string, version: string } { model =, version = } of what is attached
---@field offers table[]? nil, or list of { model, version, file, size, sha256 }

--- Answer: { action = "skip", reason = }, { action = "fetch", fetch = { url = } } or { action = "offer", index = }; or nil, a sentence and a word.
---@alias peal.Answer.headset { action: "skip"|"fetch"|"offer", fetch?: table, index?: integer, reason?: string }|nil

--- What headset.lua returns.
---@class peal.Rule.headset
---@field stage "headset"
---@field decide fun(phone: peal.Phone.headset): peal.Answer.headset, ...

--- What report.lua sees: is the configuration or the status told to a server now?
---@class peal.Phone.report: peal.Phone
---@field event "boot"|"request"|"change"|"mode"|"timer" "boot", "request", "change" (the first local change that no report has told), "mode" (parameters of reports have changed), "timer" (the time of `again` has come)
---@field timer_for string? timer: the event whose answer had `again`

--- Answer: { send = list of { fetch = { url =, key =, uid =, pwd = }, content = "full", "delta" or "status", method = "POST" or "PUT" }, again = { after =, spread = } until it is asked next, reason = }; or nil, a sentence and a word.
---@alias peal.Answer.report { send?: table[], again?: { after: integer, spread?: integer }, reason?: string }|nil

--- What report.lua returns.
---@class peal.Rule.report
---@field stage "report"
---@field decide fun(phone: peal.Phone.report): peal.Answer.report, ...

--- What certificate.lua sees: is a certificate of the phone's own made anew now?
---@class peal.Phone.certificate: peal.Phone
---@field clock boolean is the phone's clock set?
---@field due boolean has that time come? (Of a host certificate: or is there another reason to make one by itself?)
---@field enabled boolean do the parameters want it?
---@field event string "boot", "daily", "change" (of a parameter that has to do with it), "retry" (the time that was asked for has come), "request"; of a host certificate also "address", "clock", "terminal"
---@field failures integer failed attempts in a row
---@field forced boolean somebody insists, whatever the dates say
---@field next_run number? when the next attempt is to be, seconds since 1970: a day after one that failed, or as the service has asked; nil: at once. Of a host certificate: by Cert_Regen_Days and Cert_Regen_Time
---@field not_after number? of the certificate in use; nil: there is none
---@field not_before number? of the certificate in use, seconds since 1970; nil: there is none
---@field pending boolean has the service been asked, and wants to be asked again?
---@field stale boolean? host: is it for an address that the phone has no more?
---@field what "mic"|"host" "mic": the phone's own, which a service renews; "host": the one that it makes for the terminals it serves

--- Answer: { renew = true or false, after = seconds until it is asked next (nil: a day), spread = up to so many more, reason = }.
---@alias peal.Answer.certificate { renew: boolean, after?: integer, spread?: integer, reason?: string }

--- What certificate.lua returns.
---@class peal.Rule.certificate
---@field stage "certificate"
---@field decide fun(phone: peal.Phone.certificate): peal.Answer.certificate, ...

--- What health.lua sees: is the phone well after a change? keep or undo
---@class peal.Phone.health: peal.Phone
---@field change { revision: integer, names: string[], rule: string, url: string } { revision =, names = list of parameters, rule =, url = } of what was committed
---@field lost_for number? seconds since it is not registered any more; nil: it is
---@field registered boolean? is the phone registered? nil: the device does not say
---@field resynced boolean? has a resync worked since? true, false, nil: none was tried
---@field waited number seconds since the commit
---@field was_registered boolean? was it, before the commit?

--- Answer: { verdict = "keep" }, { verdict = "wait", after = seconds until it is asked again at the latest }, or { verdict = "undo", reason = }.
---@alias peal.Answer.health { verdict: "keep"|"wait"|"undo", after?: integer, resync?: boolean, reason?: string }

--- What health.lua returns.
---@class peal.Rule.health
---@field stage "health"
---@field decide fun(phone: peal.Phone.health): peal.Answer.health, ...

--- What schedule.lua sees: when is the next resync?
---@class peal.Phone.schedule: peal.Phone
---@field boot_reason string? boot: "power_on", "user", "sip", "rc", "ip_changed", "crash", "local_change", "resync_applied", "upgrade"
---@field event "boot"|"success"|"failure"|"change" "boot"; "success" or "failure" of a run; "change" of parameters
---@field ever_synced boolean was any run of this store ever successful?
---@field failures integer failed runs in a row
---@field last "success"|"failure"|nil change: "success", "failure", or nil: there was no run yet
---@field periods integer successful periodic runs since boot or since Resync_Periodic changed
---@field success_seen boolean was any run since boot successful?

--- Answer: { start = { after =, spread = } (boot), periodic = {...}, retry = {...}, at = { minute = of the local day, spread = }, forced = longest wait for idle lines, poll = wait for the trigger, reason = }; what is left out is off.
---@alias peal.Answer.schedule { start?: peal.Delay, periodic?: peal.Delay, retry?: peal.Delay, at?: { minute: integer, spread?: integer }, forced?: integer, poll?: integer, reason?: string }|nil

--- What schedule.lua returns.
---@class peal.Rule.schedule
---@field stage "schedule"
---@field decide fun(phone: peal.Phone.schedule): peal.Answer.schedule, ...

--- What privacy.lua sees: how is a SIP message changed for the privacy that a line wants?
---@class peal.Phone.privacy: peal.Phone
---@field added string? the Privacy value that peal itself has put in earlier, or nil
---@field aor string address of record of the line: '"Name" <sip:user@host>'
---@field emergency string[] numbers of emergency calls
---@field line integer number of the line
---@field message peal.Message { method =, uri =, status = (of a response), in_dialog =, headers = list of { name =, value = } in order }
---@field self_mask boolean no service in the network hides what the phone does not
---@field values string[] list of what the line wants: "header", "session", "user", "id", "critical"; or "none" or "Disabled" alone

--- Answer: nil: as it is; or { remove = names of headers, set = { NAME = value of its first one }, add = list of { name =, value = }, behind Contact or else CSeq, reason = }.
---@alias peal.Answer.privacy { remove?: string[], set?: table<string, string>, add?: { name: string, value: string }[], reason?: string }|nil

--- What privacy.lua returns.
---@class peal.Rule.privacy
---@field stage "privacy"
---@field decide fun(phone: peal.Phone.privacy): peal.Answer.privacy, ...

--- What trust.lua sees: a server's certificate has failed a check: believe it?
---@class peal.Phone.trust: peal.Phone
---@field accept_all boolean is SystemSettings.Security_Certificates_AcceptAllCertificates 1?
---@field address string? of the server; nil behind a proxy
---@field anchor_private boolean did the chain end at a root of the site's own?
---@field certificate peal.Certificate the server's own: { subject, cn, issuer, serial, not_before, not_after, sha256, sha1, key_type, key_bits, is_ca, self_signed }
---@field chain peal.Certificate[] list of the same: all that the server has shown
---@field host string the name that the certificate was checked by
---@field port integer of the server
---@field sentence string the same for people
---@field url string what was asked for, without credentials
---@field word "c.expired"|"c.future"|"c.untrusted"|"c.name"|"c.dns"|"c.weak"|"clock" the check that failed: "c.expired", "c.future", "c.untrusted", "c.name", "c.dns", "c.weak", or "clock" (a date, and the clock is not set)

--- Answer: { accept = true or false, list = false (nil: true; note it in the Invalid list), reason =, word = (nil: the check's) }.
---@alias peal.Answer.trust { accept: boolean, list?: boolean, reason?: string, word?: string }

--- What trust.lua returns.
---@class peal.Rule.trust
---@field stage "trust"
---@field decide fun(phone: peal.Phone.trust): peal.Answer.trust, ...

--- What the phones do by themselves, so that a rule has to say only what is different. Each takes the view that decide() was given.
---@class peal.library.classic
classic = {}

--- The plan of a rule text: what to fetch, what to assign, or why not. text: the rule being decided, unless told.
---@param phone peal.Phone
---@param text? string
---@return peal.Plan|nil plan
---@return string? sentence
---@return string? word
function classic.profile(phone, text) end

--- Is a condition true? Each comparison that was looked at is { left, op, right, verdict }.
---@param phone peal.Phone
---@param text string
---@return boolean|nil verdict
---@return table[]|string comparisons
---@return string? word
function classic.condition(phone, text) end

--- The text with its macros replaced. Names that nobody knows, and those of secrets, stay as they are written.
---@param phone peal.Phone
---@param text string
---@return string|nil text
---@return string? sentence
---@return string? word
function classic.expand(phone, text) end

--- Do Resync_Trigger_1 and Resync_Trigger_2 let a timed resync pass? Blank ones do not count, one that is true is enough.
---@param phone peal.Phone
---@return boolean pass
---@return string|nil reason
function classic.triggers(phone) end

--- The answer of the factory's schedule.lua: start, periodic, retry, at.
---@param phone peal.Phone
---@return peal.Answer.schedule answer
function classic.schedule(phone) end

--- What an upgrade rule asks for: { action = "fetch", fetch =, load = } or { action = "skip", reason = }. text: the rule that was asked for, else Upgrade_Rule.
---@param phone peal.Phone
---@param text? string
---@return table|nil plan
---@return string? sentence
---@return string? word
function classic.upgrade(phone, text) end

--- Has Upgrade_Rule, as it is, led to this URL before, and was that a success? Never, where somebody asked for the upgrade.
---@param phone peal.Phone
---@param plan table
---@return boolean done
function classic.upgrade_done(phone, plan) end

--- Is a load older than Downgrade_Rev_Limit? With a limit, a name that is no version counts as older.
---@param phone peal.Phone
---@param load string
---@return boolean below
function classic.below_limit(phone, load) end

--- Where the list of headset firmware is, by Cisco_Headset_Upgrade_Rule: { action = "fetch", fetch = } or { action = "skip" }.
---@param phone peal.Phone
---@return table|nil answer
---@return string? sentence
---@return string? word
function classic.headset_manifest(phone) end

--- The place in phone.offers of the latest firmware for the headset, if it is later than what the headset has; else nil and why there is none.
---@param phone peal.Phone
---@return integer|nil index
---@return string|nil reason
function classic.headset_offer(phone) end

--- Is one headset version, such as 1-5-1-10, later than another?
---@param offer string
---@param have string
---@return boolean newer
function classic.headset_newer(offer, have) end

--- The reports that Report_Rule names: { send =, assigns =, reason = }.
---@param phone peal.Phone
---@return table|nil answer
---@return string? sentence
---@return string? word
function classic.reports(phone) end

--- The changes of a message by a policy { hides = value -> names of headers, identity = names, answers = values }.
---@param phone peal.Phone
---@param policy table
---@return table edits
function classic.privacy(phone, policy) end

--- Macro expansion: $NAME and $(NAME:offset:count).
---@class peal.library.macro
macro = {}

--- Expands macros; vars(name) gives a text, or nil for a name that nobody knows. The mask is the text with what came from outside replaced by \1: parsers search the mask and cut from the text.
---@param text string
---@param vars function
---@return string|nil text
---@return string|string mask
---@return string? word
function macro.expand(text, vars) end

--- Expands the names of secrets and nothing else: for --key, --uid and --pwd.
---@param text string
---@param vars function
---@param mask? string
---@return string|nil secret
---@return string? sentence
---@return string? word
function macro.expand_secrets(text, vars, mask) end

--- The variables of a phone: ctx = { identity =, state =, param = function, request =, ERR =, user_agent = }.
---@param ctx table
---@return function vars
function macro.variables(ctx) end

--- The names of all variables, sorted.
---@return string[] names
function macro.names() end

--- The longest text that is taken and made, bytes.
---@type integer
macro.limit = 0

--- Names that only --key, --uid and --pwd expand.
---@type string[]
macro.secret_names = {}

--- Conditional expressions, behind macro expansion.
---@class peal.library.condition
condition = {}

--- Evaluates an expression whose macros are expanded.
---@param text string
---@param mask? string
---@return boolean|nil verdict
---@return table[]|string comparisons
---@return string? word
function condition.evaluate(text, mask) end

--- Firmware versions, and which of two is older.
---@class peal.library.version
version = {}

--- Reads sip88xx.11-3-2MPP0001-609 or 2.0.6(b).
---@param text string
---@return table|nil version
---@return string? sentence
---@return string? word
function version.parse(text) end

--- -1, 0 or 1. The two forms of versions do not compare with each other.
---@param a string|table
---@param b string|table
---@return integer|nil order
---@return string? sentence
---@return string? word
function version.compare(a, b) end

--- Major, minor and micro number, such as 11.3.1; nil: no version.
---@param text string
---@return string|nil text
function version.short(text) end

--- Dates from seconds, without a clock or a zone.
---@class peal.library.time
time = {}

--- Fields of a time in seconds since 1970: year, month, day, hour, min, sec, wday (1: Sunday). phone.local_time has them in local time.
---@param time number
---@return table fields
function time.from_time(time) end

--- Days since 1970-01-01 of a date.
---@param year integer
---@param month integer
---@param day integer
---@return integer days
function time.days(year, month, day) end

--- A time as text: 2026-11-22T10:15:30Z.
---@param time number
---@return string text
function time.iso(time) end

--- What Lua's string library lacks.
---@class peal.library.str
str = {}

--- The text without blanks at its ends.
---@param text string
---@return string text
function str.trim(text) end

--- The pieces between separators, which are plain text.
---@param text string
---@param separator string
---@return string[] pieces
function str.split(text, separator) end

--- Does a text begin with another?
---@param text string
---@param start string
---@return boolean yes
function str.starts_with(text, start) end
