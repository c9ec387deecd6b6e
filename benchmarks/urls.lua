-- URLs for wrk. With a placeholder in the template, every request has another URL.
--
-- wrk -s urls.lua URL -- TEMPLATE FIRST [FILE]
--   {date}  one of 2,677,584 dates, all later than any in the corpus, so the work stays the same
--   {line}  the next line of FILE, starting over after the last one
--   {word}  as {line}, in another upper- and lowercase spelling on every pass

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
    local uppercase = spelling % 2 == 1
    spelling = math.floor(spelling / 2)
    return uppercase and letter:upper() or letter
  end))
end

local placeholders = { date = date, line = line, word = word }

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
  local value = placeholders[name]
  request = function()
    local path = before .. value(position) .. after
    position = position + 1
    return wrk.format(nil, path)
  end
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local p50, p99 = latency:percentile(50), latency:percentile(99)
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration, p50, p99, failed))
end
