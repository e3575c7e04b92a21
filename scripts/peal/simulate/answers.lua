--- The server of a simulation: what its script answers, in the fetcher's form.
--
-- A script is a function(request, about) -> answer, or a table URL -> answer,
-- function, or list of answers, the last of which repeats; "*" answers the
-- rest. An answer is
--   a text       status 200 with this body
--   a number     that status
--   a table      status (200), body or file, headers = { name = value },
--                delay (s), tls, auth_exhausted; or error (a word of the
--                fetcher) and text
--   nil          the server is not there ("connect")
-- request has method, url, scheme, host, port, path, headers, body. about has
--   time      s UTC, as the phone's clock has it not: the true one
--   day       1 on the first; hour, min, wday (1 = Sunday), text: local
--   n         how often this URL was asked for, with this time
--   random    function(lo, hi): dice of the simulation
--   state     a table of plain data to remember things in: it goes back when
--             the simulation does
local answers = {}

--- URL of a request, as scripts name it.
function answers.url(request)
  if request.url then return request.url end
  local host = request.host:find(":", 1, true) and "[" .. request.host .. "]"
    or request.host
  local port = request.port ~= 69 and ":" .. request.port or ""
  return ("tftp://%s%s%s"):format(host, port, request.path)
end

-- A day: no answer takes longer.
local DELAY_MAX <const> = 86400

local function is_text(value) return type(value) == "string" end

local function is_headers(value)
  if type(value) ~= "table" then return false end
  for name, item in pairs(value) do
    local pair = type(name) == "string" and { name, item } or item
    if type(pair) ~= "table" or not is_text(pair[1])
      or not is_text(pair[2]) and type(pair[2]) ~= "number"
    then
      return false
    end
  end
  return true
end

-- Field of an answer -> check, what it checks for.
local FIELDS <const> = {
  status = { function(n)
    return math.type(n) == "integer" and n >= 100 and n <= 599
  end, "a whole number from 100 to 599" },
  delay = { function(n)
    return type(n) == "number" and n >= 0 and n <= DELAY_MAX
  end, "seconds, a day at most" },
  headers = { is_headers, "a table of names and texts" },
  tls = { function(value) return type(value) == "table" end, "a table" },
  auth_exhausted = { function(value) return type(value) == "boolean" end,
    "true or false" },
  body = { is_text, "a text" }, file = { is_text, "a text" },
  error = { is_text, "a word" }, text = { is_text, "a text" },
}

local function check(answer, url)
  for name, value in pairs(answer) do
    local field = FIELDS[name]
    if not field then
      error(("%s: no such field: %s"):format(url, tostring(name)), 0)
    elseif not field[1](value) then
      error(("%s: %s is %s"):format(url, name, field[2]), 0)
    end
  end
end

local function headers_of(given)
  local list = {}
  for name, value in pairs(given or {}) do
    list[#list + 1] = type(name) == "string" and { name, tostring(value) }
      or value
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

local function of_table(script, url, about)
  local answer = script[url]
  if answer == nil then answer = script["*"] end
  if type(answer) == "table" and answer[1] ~= nil then
    answer = answer[math.min(about.n, #answer)]
  end
  return answer
end

local function body_of(answer, read)
  if not answer.file then return answer.body or "" end
  if not read then
    return nil, "files are not read here: " .. answer.file
  end
  return read(answer.file)
end

-- What a script said, in the fetcher's form.
local function finish(answer, request, url, read)
  if answer == nil then
    return nil, "the script has no answer for " .. url, "connect"
  elseif type(answer) == "string" then
    answer = { body = answer }
  elseif type(answer) == "number" then
    answer = { status = answer }
  elseif type(answer) ~= "table" then
    error(("%s: the script answers with a %s"):format(url, type(answer)), 0)
  end
  check(answer, url)
  if answer.error then
    return nil, answer.text or answer.error, answer.error,
      { delay = answer.delay, status = answer.status, tls = answer.tls }
  end
  local body, why = body_of(answer, read)
  if not body then error(why, 0) end
  return { status = request.scheme ~= "tftp" and (answer.status or 200)
    or nil, body = body, headers = headers_of(answer.headers),
    delay = answer.delay, tls = answer.tls, sent = 1,
    auth_exhausted = answer.auth_exhausted, peer = request.address }
end

-- What a function of the script says. It may not wait: that is the phone's
-- matter.
local function call(fn, request, url, about)
  local asked = setmetatable({ url = url }, { __index = request })
  local thread = coroutine.create(fn)
  local ok, answer, sentence, word = coroutine.resume(thread, asked, about)
  if not ok then
    error(type(answer) == "string" and answer or "an error that is no text", 0)
  elseif coroutine.status(thread) ~= "dead" then
    error(("%s: the script waits: answer with { delay = seconds }"):format(
      url), 0)
  elseif answer == nil and word ~= nil
    and not (is_text(sentence) and is_text(word)) then
    error(("%s: a failure is nil, sentence, word"):format(url), 0)
  end
  return answer, sentence, word
end

--- Is this a script?
function answers.is_script(given)
  return type(given) == "function" or type(given) == "table"
end

--- A server of a script: function(request, about) -> response | nil, sentence,
-- word, facts.
--   read   function(path) -> bytes | nil, why, for answers with a file
function answers.server(script, read)
  return function(request, about)
    local url = answers.url(request)
    local answer = script
    if type(script) == "table" then answer = of_table(script, url, about) end
    if type(answer) == "function" then
      local sentence, word
      answer, sentence, word = call(answer, request, url, about)
      if answer == nil and word then return nil, sentence, word end
    end
    return finish(answer, request, url, read)
  end
end

return answers
