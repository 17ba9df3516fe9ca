// The tokens that all replicas share, in Redis: one key for each rule and subject, one call for some tokens of it.
#include "millrace/core/rate.hpp"

namespace millrace::rate {

// GCRA (ITU-T I.371, virtual scheduling): the key holds the theoretical arrival time in µs. It is behind by at most burst ×
// interval, so it says nothing any more when it has passed, and the key ends then. A quota's key holds its window's number and
// what was used in it. Numbers below 2^53 are exact in Lua.
std::string_view script() {
    return R"lua(
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local wanted, least = tonumber(ARGV[1]), tonumber(ARGV[2])
local interval, burst, window = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
if window == '' then
  local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or '0') or 0, now)
  local fit = math.floor((now + burst * interval - arrival) / interval)
  if fit < least then
    return {0, math.max(fit, 0), math.ceil(least * interval - (now + burst * interval - arrival))}
  end
  local taken = math.min(wanted, fit)
  arrival = arrival + taken * interval
  redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000) + 1000)
  return {taken, fit - taken, 0}
end
local day = math.floor(now / 86400000000)
local id, ends = day, (day + 1) * 86400000000
if window == 'month' then
  -- Days since 1970 to months (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  local z = day + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local date = doy - math.floor((153 * mp + 2) / 5) + 1
  local month = mp < 10 and mp + 3 or mp - 9
  local year = yoe + era * 400 + (month <= 2 and 1 or 0)
  local leap = (year % 4 == 0 and year % 100 ~= 0) or year % 400 == 0
  local lengths = {31, leap and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
  id, ends = year * 12 + month, (day - date + 1 + lengths[month]) * 86400000000
end
local known, used = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%d+)$')
used = tonumber(known) == id and tonumber(used) or 0
local left = math.max(burst - used, 0)
if left < least then return {0, left, ends - now} end
local taken = math.min(wanted, left)
redis.call('SET', KEYS[1], string.format('%.0f %.0f', id, used + taken), 'PX', math.ceil((ends - now) / 1000) + 1000)
return {taken, left - taken, ends - now}
)lua";
}

std::vector<std::string> script_arguments(const Rule& rule, std::uint64_t wanted, std::uint64_t least) {
    const char* window = rule.unit == Unit::day ? "day" : rule.unit == Unit::month ? "month" : "";
    return {std::to_string(wanted), std::to_string(least), std::to_string(rule.interval_us()), std::to_string(rule.burst),
            window};
}

}  // namespace millrace::rate
