-- SPDX-License-Identifier: MIT
-- What wrk sends to a server of lists: wrk -s serving.lua URL -- changing|kept USERS
--
--   changing   every request has another history, so that no list can have been kept
--   kept       users in turn, of whom nothing is new

local requests, at = {}, 0

local function body(what, n, users)
  if what == "kept" then return string.format('{"user_id":"u%04d"}', n % users) end
  local labels, history = {"VIEW", "CLICK", "PURCHASE"}, {}
  for i = 0, 4 do
    history[#history + 1] = string.format('{"item_id":"i%03d","label":"%s"}', (n * 7 + i * 131) % 1000, labels[1 + (n + i) % 3])
  end
  return string.format('{"user_id":"u%04d","history":[%s]}', n % users, table.concat(history, ","))
end

function init(arguments)
  local headers = {["Content-Type"] = "application/json"}
  for n = 0, 9999 do
    requests[n] = wrk.format("POST", "/api/recommend", headers, body(arguments[1], n, tonumber(arguments[2])))
  end
end

function request()
  at = (at + 1) % 10000
  return requests[at]
end

-- One JSON object behind wrk's own words.
function done(summary, latency, counts)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%.6f,"p50_s":%.6f,"p99_s":%.6f,"errors":%d}\n', summary.requests,
                         summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
                         e.connect + e.read + e.write + e.status + e.timeout))
end
