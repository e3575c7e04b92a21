---@meta
-- Made by docs/generate-stubs.lua; see there.

--- A phone's life so far. Going back is exact: the same dice fall again.
---@class peal.Simulation
local Simulation = {}

--- What happened: { time, mono, kind, text, cycle, revision } each.
---@type table[]
Simulation.timeline = {}

--- Goes on.
---@param seconds number
---@return peal.Simulation|nil simulation
---@return string? sentence
---@return string? word
function Simulation:run(seconds) end

--- Goes on to the next thing that is worth a line, not behind limit (seconds since the start); nil: nothing will happen.
---@param limit? number
---@return table|nil entry
---@return string? sentence
---@return string? word
function Simulation:step(limit) end

--- Back to where the last n steps began; 1 unless told.
---@param n? integer
---@return peal.Simulation|nil simulation
---@return string? sentence
---@return string? word
function Simulation:back(n) end

--- To a time, forward or back: seconds since 1970 or a text such as 2026-11-23 02:00.
---@param time number|string
---@return peal.Simulation|nil simulation
---@return string? sentence
---@return string? word
function Simulation:to(time) end

--- To just after a tick; entries of the timeline tell theirs.
---@param ticks integer
---@return peal.Simulation simulation
function Simulation:to_tick(ticks) end

--- Where it is now, for return_to().
---@return table place
function Simulation:place() end

--- To where it was, also when an error has ended a tick midway.
---@param place table
---@return peal.Simulation simulation
function Simulation:return_to(place) end

--- The timeline so far, which it forgets; going back begins at the start then.
---@return table[] entries
function Simulation:take() end

--- Goes on to the end of the next resync, and records it.
---@param schema peal.Schema
---@return table|nil cassette
---@return string? sentence
---@return string? word
function Simulation:record(schema) end

--- Seconds since the start.
---@return number seconds
function Simulation:mono() end

--- By the phone's clock, since 1970.
---@return number seconds
function Simulation:time() end

--- The time that it is; the phone's clock may have been set to another.
---@return number seconds
function Simulation:true_time() end

--- The store as it is now. It is the phone's own: copy it to keep it.
---@return peal.Store store
function Simulation:store() end

--- What differs from the start: { name, old, new }.
---@return table[] list
function Simulation:diff() end

--- A parameter.
---@param name string
---@return string|nil text
function Simulation:param(name) end

--- Sets a parameter now, as a person would.
---@param name string
---@param value string
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function Simulation:set(name, value) end

--- Puts a line into the timeline; text and values as string.format() has them.
---@param kind string
---@param text string
---@param ... any
function Simulation:say(kind, text, ...) end

--- Writes parameters, for another cause.
---@param values table<string, string>
---@param cause string
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function Simulation:write(values, cause) end

--- Lets something happen, now or at a time: { at =, clock =, lines =, server_down = ... }.
---@param what table
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function Simulation:inject(what) end

--- Puts a happening into the order of things.
---@param what table
function Simulation:plan(what) end

--- The phone goes off; what it was about to do is never done.
---@param hardware table
---@param reason string
---@param seconds number
function Simulation:power_off(hardware, reason, seconds) end

--- A schema; #schema is the number of its parameters. It can be used once it is sealed.
---@class peal.Schema
local Schema = {}

--- Adds a parameter or a family, in the form of registry.lua; the same name again replaces.
---@param definition table
---@return peal.Schema|nil schema
---@return string? sentence
---@return string? word
function Schema:add(definition) end

--- Adds several; stops at the first failure.
---@param list table[]
---@return peal.Schema|nil schema
---@return string? sentence
---@return string? word
function Schema:add_all(list) end

--- Has a parameter read under another spelling, too.
---@param alias string
---@param name string
---@return peal.Schema|nil schema
---@return string? sentence
---@return string? word
function Schema:alias(alias, name) end

--- Ends the additions.
---@return peal.Schema|nil schema
---@return string? sentence
---@return string? word
function Schema:seal() end

--- The canonical name of a parameter; nil: there is none.
---@param name string
---@return string|nil name
function Schema:find(name) end

--- What the schema knows of a parameter.
---@param name string
---@return peal.Definition|nil about
---@return string? sentence
---@return string? word
function Schema:param(name) end

--- All names, in registry order.
---@return string[] names
function Schema:names() end

--- The known name that may have been meant.
---@param name string
---@return string|nil name
function Schema:suggest(name) end

--- The canonical form of a value.
---@param name string
---@param text string
---@return string|nil text
---@return string? sentence
---@return string? word
function Schema:check(name, text) end

--- What a schema knows of a parameter.
---@class peal.Definition
---@field name string The canonical name.
---@field type string Str, Bool, Uns ...
---@field default string The factory default.
---@field ua string Access of the user: na, ro or rw.
---@field secret boolean Is it never printed?
---@field reboot boolean Does a change take a reboot?
---@field empty boolean Is the empty text a value?
---@field chars? boolean Does max count characters?
---@field max? integer Bytes, characters or decimals at most.
---@field min? integer Bytes at least.
---@field bits? integer 8, 16, 32 or 64.
---@field lo? integer The least number.
---@field hi? integer The largest number.
---@field choices? string[] The canonical spellings.

--- A store. Readers see what is committed.
---@class peal.Store
local Store = {}

--- The value of a parameter.
---@param name string
---@return string|nil text
---@return string? sentence
---@return string? word
function Store:get(name) end

--- The value with its type, and where it comes from.
---@param name string
---@return peal.Value|nil value
---@return string? sentence
---@return string? word
function Store:value(name) end

--- All values: for value in store:each() do ... end.
---@return fun(): peal.Value next
function Store:each() end

--- Names of what is another than in a store of the same schema, such as a past of it: text, access, flags, or whether it is the default; nil: than before anything was written.
---@param before? peal.Store
---@return string[] names
function Store:changed(before) end

--- A piece of state: retry indices, traces, lists of certificates.
---@param namespace string
---@param key string
---@return string|nil text
function Store:state(namespace, key) end

--- All of a namespace.
---@param namespace string
---@return table<string, string> texts
function Store:states(namespace) end

--- The number of what is committed.
---@return integer number
function Store:revision() end

--- What is kept, oldest first: { number, time, cycle, size, cause }; one that cannot be read has damaged, the reason.
---@return table[] list
function Store:revisions() end

--- What was to be said about opening.
---@return string[] sentences
function Store:notes() end

--- How this store shows a secret, such as #3fa9c1d2.
---@param text string
---@return string text
function Store:fingerprint(text) end

--- The store as it was, read-only. One in memory has no past, a copy that of its original.
---@param revision integer
---@return peal.Store|nil store
---@return string? sentence
---@return string? word
function Store:past(revision) end

--- An independent store in memory, writable, with what is committed; nothing of it reaches a disk.
---@return peal.Store|nil store
---@return string? sentence
---@return string? word
function Store:copy() end

--- The revision in force as its file has it, and the key of the fingerprints. Both are secret.
---@return string|nil text
---@return string|string key
---@return string? word
function Store:bytes() end

--- Begins a transaction, one at a time.
---@return peal.Transaction|nil txn
---@return string? sentence
---@return string? word
function Store:begin() end

--- Closes it; an open transaction is forgotten.
function Store:close() end

--- Changes that become visible together. It is over after commit() or abort(), or when its store is closed.
---@class peal.Transaction
local Transaction = {}

--- Who writes from here on: { cycle =, author =, rule =, url = }.
---@param source table
function Transaction:source(source) end

--- Are elements that the schema does not know kept, without a type?
---@param keep boolean
function Transaction:keep_unknown(keep) end

--- Writes a value; options = { by_user = true } marks it as the user's.
---@param name string
---@param text string
---@param options? table
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function Transaction:set(name, text, options) end

--- Writes the default.
---@param name string
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function Transaction:reset(name) end

--- Takes back what this transaction has written.
---@param name string
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function Transaction:revoke(name) end

--- Writes all defaults and forgets the state, but for these namespaces.
---@param keep? string[]
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function Transaction:factory_reset(keep) end

--- Writes or (nil) removes a piece of state.
---@param namespace string
---@param key string
---@param text string|nil
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function Transaction:state(namespace, key, text) end

--- Of what a profile brought: elements, applied, unknown, kept, bad.
---@return table counts
function Transaction:counts() end

--- What was said of elements: { word, name, text, suggest, line }.
---@return table[] notes
function Transaction:notes() end

--- The value as it would be.
---@param name string
---@return peal.Value|nil value
---@return string? sentence
---@return string? word
function Transaction:value(name) end

--- What became of the last element of that name: written, user (the user's value stays), kept, bad; nil: there was none.
---@param name string
---@return string|nil how
---@return integer line
function Transaction:touched(name) end

--- Elements that lost against a value of the user's: { name, line }.
---@return table[] list
function Transaction:users() end

--- Against what is committed.
---@return peal.Change[] changes
function Transaction:changes() end

--- Makes it visible and durable, or nothing of it. Where nothing changes, nothing is written.
---@param cause string
---@param time integer
---@return integer|nil revision
---@return boolean|string changed
---@return string? word
function Transaction:commit(cause, time) end

--- Forgets it.
function Transaction:abort() end

--- A value, and where it comes from.
---@class peal.Value
---@field name string The parameter's canonical name.
---@field text string The value. Of a secret, too: do not print it.
---@field type string Str, Bool, Uns ...
---@field ua string Access of the user: na, ro or rw.
---@field secret boolean Is it never printed?
---@field reboot boolean Does a change take a reboot?
---@field untyped boolean Is it one that the schema does not know?
---@field is_default boolean Is it the factory default?
---@field user_modified boolean Did the user change it?
---@field user_pref boolean Does a profile leave the user's value alone?
---@field cycle integer The cycle that wrote it; 0: none.
---@field author string Who wrote it: rule, cli, web ...
---@field rule string The profile rule that wrote it.
---@field url string Where that profile came from.
---@field revision integer The revision that brought it.
---@field line integer The line of the profile; 0: unknown.

--- A parameter that a transaction changes. A rule file sees name, type, old, new, secret, reboot and line.
---@class peal.Change
---@field name string The parameter.
---@field old string Its value before.
---@field new string Its value after.
---@field type string Str, Bool, Uns ...
---@field secret boolean Is it never printed?
---@field reboot boolean Does the change take a reboot?
---@field ua_old string Access of the user before.
---@field ua_new string Access of the user after.
---@field was_default boolean Was it the factory default?
---@field pref_old boolean Was it the user's to keep?
---@field um_old boolean Had the user changed it?
---@field line integer The line of the profile; 0: unknown.

--- An event loop. What is under way on it keeps it.
---@class peal.Loop
local Loop = {}

--- Calls fn() once.
---@param seconds number
---@param fn function
---@return peal.Operation handle
function Loop:timer(seconds, fn) end

--- Calls fn(name) each time: TERM, INT, HUP, QUIT, USR1, USR2, CHLD or WINCH.
---@param names string[]
---@param fn fun(name: string)
---@return peal.Operation|nil handle
---@return string? sentence
---@return string? word
function Loop:signal(names, fn) end

--- Calls fn() each time the wall clock was set.
---@param fn function
---@return peal.Operation|nil handle
---@return string? sentence
---@return string? word
function Loop:clock_watch(fn) end

--- Calls fn() while there is something to be read.
---@param fd integer
---@param fn function
---@return peal.Operation|nil handle
---@return string? sentence
---@return string? word
function Loop:readable(fd, fn) end

--- Runs until nothing is left, until stop(), or, with once, until something happened. Raises what a callback raised.
---@param once? boolean
function Loop:run(once) end

--- Has run() return.
function Loop:stop() end

--- The loop's monotonic clock.
---@return number seconds
function Loop:now() end

--- Something under way: a timer, a transfer, a query.
---@class peal.Operation
local Operation = {}

--- Ends it; a transfer's function hears of it.
function Operation:cancel() end

--- Makes exchanges.
---@class peal.Fetcher
local Fetcher = {}

--- Starts an exchange. fn(response), or fn(nil, sentence, word, response), is called once, from loop:run().
---@param request peal.Request
---@param fn function
---@return peal.Operation|nil handle
---@return string? sentence
---@return string? word
function Fetcher:start(request, fn) end

--- Its TLS sessions, which are secret; empty: none.
---@return string|nil sessions
---@return string? sentence
---@return string? word
function Fetcher:export() end

--- Takes TLS sessions over; how many.
---@param sessions string
---@return integer taken
function Fetcher:import(sessions) end

--- Forgets sessions and idle connections.
function Fetcher:forget() end

--- Ends what is under way.
function Fetcher:close() end

--- A request of a fetcher.
---@class peal.Request
---@field url string What is asked for.
---@field address? string Of the server, or of the proxy's target.
---@field method? string GET unless told.
---@field headers? string[] Lines such as Accept: text/xml.
---@field body? string What is sent.
---@field user? string For a server that asks.
---@field password? string For a server that asks.
---@field auth? string[] Schemes that may be used: basic, digest.
---@field proxy? string URL of a proxy.
---@field proxy_address? string Its address.
---@field proxy_user? string For a proxy that asks.
---@field proxy_password? string For a proxy that asks.
---@field tls? table Whom to believe: anchors, identity, rejected, pinned, removed, ciphers, min_version, check_name, cn_fallback, min_rsa_bits, now, dns_failure, once.
---@field max? integer The most bytes of a body.
---@field connect? number Seconds for a connection.
---@field idle? number Seconds without a byte.
---@field total? number Seconds in all.
---@field sink? fun(bytes: string): boolean Takes the body of a 2xx answer piece by piece.

--- What a server answered.
---@class peal.Response
---@field status integer Of HTTP.
---@field headers string[][] A list of { name, value }.
---@field body string Empty where a sink took it.
---@field bytes integer Of the body.
---@field peer string Address of the server.
---@field port integer Port of the server.
---@field timing table Seconds: connect, tls, first_byte, total.
---@field tls? table Version, cipher, the server's chain and more.

--- Asks name servers.
---@class peal.Resolver
local Resolver = {}

--- Asks for A, AAAA, ADDR (both) or SRV. fn(list) with { address =, ttl = } or { target =, port =, priority =, weight =, ttl = }, or fn(nil, sentence, word).
---@param name string
---@param type string
---@param use_hosts boolean
---@param fn function
---@return peal.Operation|nil handle
---@return string? sentence
---@return string? word
function Resolver:resolve(name, type, use_hosts, fn) end

--- Ends what is under way.
function Resolver:close() end

--- Who listens.
---@class peal.Server
local Server = {}

--- Closes it and its peers.
function Server:close() end

--- The other side.
---@class peal.Peer
local Peer = {}

--- Keeps one that came.
---@param on_line fun(text: string)
---@param on_over? function
function Peer:accept(on_line, on_over) end

--- Sends a line, without its newline.
---@param text string
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function Peer:send(text) end

--- Closes it when all is sent; on_over is not called.
function Peer:close() end

--- Roots; #anchors is their number.
---@class peal.Anchors
local Anchors = {}

--- Adds those of a file. flags: private (nobody else gets a certificate under it), dateless.
---@param path string
---@param flags? string|string[]
---@return integer|nil count
---@return string? sentence
---@return string? word
function Anchors:load(path, flags) end

--- Adds those of PEM or DER.
---@param bytes string
---@param flags? string|string[]
---@return integer|nil count
---@return string? sentence
---@return string? word
function Anchors:add(bytes, flags) end

--- What is known of each, base included.
---@return peal.Certificate[]|nil certificates
---@return string? sentence
---@return string? word
function Anchors:facts() end

--- Alike for the same roots.
---@return string hex
function Anchors:digest() end

--- A certificate with its key, which stays inside.
---@class peal.Identity
local Identity = {}

--- What is known of the certificate.
---@return peal.Certificate|nil certificate
---@return string? sentence
---@return string? word
function Identity:facts() end

--- SHA-256 of the certificate.
---@return string hex
function Identity:digest() end

--- Fingerprints; #set is their number.
---@class peal.CertificateSet
local CertificateSet = {}

--- Is one of them in it?
---@param hex string
---@return boolean yes
function CertificateSet:has(hex) end

--- Alike for the same fingerprints.
---@return string hex
function CertificateSet:digest() end

--- Cipher suites.
---@class peal.Ciphers
local Ciphers = {}

--- By their IANA names.
---@return string[] names
function Ciphers:names() end

--- What is known of a certificate. A rule file sees less of it: see trust.lua.
---@class peal.Certificate
---@field subject string CN=..., O=...
---@field issuer string Of the CA.
---@field cn string The common name.
---@field serial string The serial number, in hex.
---@field not_before string As text.
---@field not_after string As text.
---@field from integer Seconds since 1970.
---@field to integer Seconds since 1970.
---@field sha256 string Fingerprint in hex.
---@field sha1 string Fingerprint in hex.
---@field key_type string EC or RSA.
---@field key_bits integer The length of the key.
---@field is_ca boolean May it sign others?
---@field self_signed boolean Has it signed itself?
---@field sans string[] Alternative names: DNS:..., IP:...
---@field purposes string[] serverAuth, clientAuth ...
---@field der string The certificate itself.

--- A private key.
---@class peal.Key
local Key = {}

--- Is it the key of this certificate?
---@param der string
---@return boolean yes
function Key:fits(der) end

--- P-256, P-384, RSA-2048 ...
---@return string kind
function Key:kind() end

--- The public key (SPKI).
---@return string|nil der
---@return string? sentence
---@return string? word
function Key:public() end

--- A keyring. Where the current generation is damaged the one before is read, and a sentence about it is the last result.
---@class peal.Keyring
local Keyring = {}

--- Puts in a generation, in one step.
---@param name string
---@param texts table<string, string>
---@param keys table<string, peal.Key>
---@return integer|nil generation
---@return string? sentence
---@return string? word
function Keyring:install(name, texts, keys) end

--- Could it be installed?
---@param name string
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function Keyring:ready(name) end

--- Takes all of it away.
---@param name string
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function Keyring:remove(name) end

--- The number of the current one.
---@param name string
---@return integer|nil number
---@return string? sentence
---@return string? word
function Keyring:generation(name) end

--- A file of certificates.
---@param name string
---@param file string
---@return string|nil text
---@return string? sentence
---@return string? word
function Keyring:read(name, file) end

--- A private key.
---@param name string
---@param file string
---@return peal.Key|nil key
---@return string? sentence
---@return string? word
function Keyring:key(name, file) end

--- Of cert.pem and key.pem.
---@param name string
---@return peal.Identity|nil identity
---@return string? sentence
---@return string? word
function Keyring:identity(name) end

--- Closes it.
function Keyring:close() end

--- A hash under way.
---@class peal.Digest
local Digest = {}

--- Goes on.
---@param bytes string
---@return peal.Digest digest
function Digest:add(bytes) end

--- 64 digits, of all so far.
---@return string digits
function Digest:hex() end

--- A box for rule files.
---@class peal.Box
local Box = {}

--- Asks a file: job = { stage =, path =, text =, view = }; without a view it is only checked. The answer is { n =, ... }, all that decide() returned. A fourth result of a failure is the line. With cover = true in the job, the answer has `lines`, those that ran (a bit each), and `last`; a failure has the lines as its fifth result.
---@param job table
---@param snapshot? peal.Snapshot
---@return table|nil answer
---@return string? sentence
---@return string? word
function Box:ask(job, snapshot) end

--- Closes it.
function Box:close() end

--- A process that answers. It is started when it is needed.
---@class peal.Worker
local Worker = {}

--- Asks a file, as a box does; before() is called right before it is sent, fn{ n =, ... } or fn(nil, sentence, word, line) at the end.
---@param job table
---@param seconds number
---@param before function|nil
---@param fn function
---@return peal.Operation|nil handle
---@return string? sentence
---@return string? word
function Worker:ask(job, seconds, before, fn) end

--- Of the process; nil: none runs.
---@return integer|nil pid
function Worker:pid() end

--- How often one was started.
---@return integer number
function Worker:starts() end

--- Ends it.
function Worker:close() end

--- Parameters, without secrets.
---@class peal.Snapshot
local Snapshot = {}

--- Takes the store's values.
---@param store peal.Store
---@param overrides? table<string, string>
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function Snapshot:write(store, overrides) end

--- A value.
---@param name string
---@return string|nil text
function Snapshot:get(name) end

--- A line editor.
---@class peal.Editor
local Editor = {}

--- A line; nil: the end; false: ^C. wait() returns when something has been typed, or at any time.
---@param prompt string
---@param wait? function
---@return string|false|nil line
function Editor:read(prompt, wait) end

--- Whole lines, above what is being typed.
---@param text string
function Editor:print(text) end

--- Puts a line into the history.
---@param line string
---@return boolean|nil ok
---@return string? sentence
---@return string? word
function Editor:add(line) end

--- To be told of SIGWINCH.
function Editor:resized() end

--- Leaves the terminal as it was.
function Editor:close() end
