-- One chat completion after the other: a stream, or one that takes its time,
-- where the argument says so.
function init(arguments)
    local stream = arguments[1] == "stream"
    if arguments[1] == "waiting" then
        wrk.headers["x-mock-first-ms"] = "20"
    end
    local body = '{"model":"gpt-4o","max_tokens":64,"messages":[{"role":"user","content":"Hello"}]'
    wrk.method = "POST"
    wrk.headers["content-type"] = "application/json"
    wrk.headers["authorization"] = "Bearer sk-0123456789abcdef0123456789abcdef"
    wrk.headers["x-tenant"] = "acme"
    if stream then
        body = body .. ',"stream":true,"stream_options":{"include_usage":true}'
        wrk.headers["x-mock-chunks"] = "200"
    end
    wrk.body = body .. "}"
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("quipu %d %d %.1f %.1f %d\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
