--- What the program prints: results on stdout, everything else on stderr.
local json = require "peal.json"
local visible = require "peal.visible"

local output = {}

local WIDTH <const> = 48

--- A result.
function output.print(text)
  io.stdout:write(text, "\n")
end

--- A result for programs.
function output.json(value)
  io.stdout:write(json.encode(value, true), "\n")
end

--- A message for the person at the terminal.
function output.say(fmt, ...)
  io.stdout:flush() -- in the order of saying, should both be one file
  io.stderr:write("peal: ", select("#", ...) > 0 and fmt:format(...) or fmt,
    "\n")
end

--- A failure: sentence, place, next step, and its stable word.
--   what   { sentence=, word=, place={line=, byte=}, next= }
function output.failure(what, as_json)
  if as_json then
    output.json { error = { sentence = what.sentence, word = what.word,
      place = what.place, next = what.next } }
  end
  local place = what.place or {}
  local text = what.sentence
  if place.line then text = ("%s (line %d)"):format(text, place.line) end
  if place.byte and not place.line then
    text = ("%s (byte %d)"):format(text, place.byte)
  end
  if what.word then text = ("%s [%s]"):format(text, what.word) end
  output.say("%s", text)
  if what.next then io.stderr:write("      ", what.next, "\n") end
end

--- Text on one line, its control characters visible, cut to `width`.
function output.clip(text, width)
  text = tostring(text)
  text = visible.line(text, #text)
  width = width or WIDTH
  local len = utf8.len(text) or #text
  if len <= width then return text end
  local at = utf8.len(text) and utf8.offset(text, width) or width
  return text:sub(1, at - 1) .. "…"
end

local function width_of(text)
  return utf8.len(text) or #text
end

--- Rows of texts as columns; the first row is the head.
function output.columns(rows, indent)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, width_of(text))
    end
  end
  local out = {}
  for _, row in ipairs(rows) do
    local line = {}
    for i, text in ipairs(row) do
      line[i] = i == #row and text
        or text .. (" "):rep(widths[i] - width_of(text))
    end
    -- from the end: gsub("%s+$") would try at every blank of the padding
    out[#out + 1] = (indent or "")
      .. (table.concat(line, "  "):match("^.*%S") or "")
  end
  return table.concat(out, "\n")
end

--- How a parameter's value is shown: a secret as its fingerprint, a rule
-- without its keys and passwords.
function output.value(store, about)
  return require("peal.shown").value(store, about)
end

--- A note of a transaction or a cycle, with its name where the text does not
-- tell it; the line is left to the caller.
function output.note(note)
  local text = note.text
  if note.name and not text:find(note.name, 1, true) then
    text = ("%s: %s"):format(note.name, text)
  end
  if note.suggest then
    text = ("%s; did you mean %s?"):format(text, note.suggest)
  end
  return text
end

return output
