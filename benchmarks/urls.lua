-- Addresses for wrk, each sent once where the template has a place for something that changes.
--
-- wrk -s urls.lua URL -- TEMPLATE FIRST [FILE]
--   {date}  the next of 2,677,584 dates, all later than any in the corpus: the work stays the same
--   {line}  the next line of FILE, and the first one again after the last
--   {word}  the same, and in the next of its spellings in large and small letters on every turn

local template, position, lines = "", 0, {}

local function date(number)
  local year, rest = 2031 + math.floor(number / 336), number % 336
  return string.format("%04d-%02d-%02d", year, math.floor(rest / 28) + 1, rest % 28 + 1)
end

local function line(number)
  return lines[number % #lines + 1]
end

local function word(number)
  local spelling = math.floor(number / #lines)
  return (line(number):gsub("%l", function(letter)
    local large = spelling % 2 == 1
    spelling = math.floor(spelling / 2)
    return large and letter:upper() or letter
  end))
end

local places = { date = date, line = line, word = word }

function init(args)
  template, position = args[1], tonumber(args[2])
  for text in (args[3] and io.lines(args[3]) or function() end) do
    lines[#lines + 1] = text
  end
  local name = template:match("{(%a+)}")
  if name == nil then
    wrk.path = template
    return
  end
  local before, after = template:match("^(.*){%a+}(.*)$")
  local place = places[name]
  request = function()
    local path = before .. place(position) .. after
    position = position + 1
    return wrk.format(nil, path)
  end
end

function done(summary, latency)
  local wrong = summary.errors
  local failed = wrong.connect + wrong.read + wrong.write + wrong.status + wrong.timeout
  local p50, p99 = latency:percentile(50), latency:percentile(99)
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration, p50, p99, failed))
end
