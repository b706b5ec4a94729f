"""Drives a gateway with the clients that people use, and compares what it
counted with what the mock behind it served.

    drive.py GATEWAY MOCK        both as http://host:port

Each step has a model of its own, so that it can be told apart in the counts.
Exits with 1 where a count differs.
"""

import asyncio
import json
import os
import sys
import time
import urllib.request

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LITELLM_TELEMETRY"] = "False"

import anthropic
import litellm
import openai

GATEWAY, MOCK = sys.argv[1:3]
KEY = "sesame"
HOUR = "3600000"
PATIENCE = 60
MESSAGES = [{"role": "user", "content": "Hello there"}]
TOKENS = {"x-mock-input": "812", "x-mock-output": "143", "x-mock-cache-read": "90", "x-mock-reasoning": "20"}
TOOL = {"name": "weather", "description": "Tells it.", "parameters": {"type": "object", "properties": {}}}

litellm.telemetry = False
litellm.suppress_debug_info = True

of_openai = openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=2)
of_anthropic = anthropic.Anthropic(base_url=GATEWAY, api_key=KEY, max_retries=2)

# By name: what to do, how many calls that is, and whose count of `/usage` says
# how those ended that weren't fine.
STEPS = {}


def step(calls=1, ends_as=None):
    def add(function):
        STEPS[function.__name__.replace("_", "-")] = (function, calls, ends_as)
        return function

    return add


def mock(**headers):
    return {f"x-mock-{name.replace('_', '-')}": str(value) for name, value in headers.items()}


def fails(kind, call):
    """The call, which must fail like this."""
    try:
        call()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


@step()
def openai_chat(model):
    answer = of_openai.chat.completions.create(model=model, messages=MESSAGES, extra_headers=TOKENS)
    assert answer.usage.prompt_tokens == 902, answer.usage
    assert answer.usage.completion_tokens_details.reasoning_tokens == 20


@step()
def openai_chat_stream(model):
    stream = of_openai.chat.completions.create(
        model=model, messages=MESSAGES, stream=True, stream_options={"include_usage": True}, extra_headers=TOKENS
    )
    chunks = list(stream)
    assert chunks[-1].usage.prompt_tokens == 902, chunks[-1]


@step()
def openai_chat_tools(model):
    tools = [{"type": "function", "function": TOOL}]
    of_openai.chat.completions.create(model=model, messages=MESSAGES, tools=tools, max_tokens=30)


@step()
def openai_responses(model):
    answer = of_openai.responses.create(model=model, input="Hello there", extra_headers=TOKENS)
    assert answer.usage.input_tokens == 902, answer.usage


@step()
def openai_responses_stream(model):
    events = list(of_openai.responses.create(model=model, input="Hello", stream=True, extra_headers=TOKENS))
    assert events[-1].type == "response.completed", events[-1]


@step()
def openai_embeddings(model):
    answer = of_openai.embeddings.create(model=model, input=["one", "two"], extra_headers=mock(input=31))
    assert len(answer.data) == 2 and answer.data[0].embedding[0] == 0.5
    assert answer.usage.prompt_tokens == 31


@step()
def openai_completions(model):
    answer = of_openai.completions.create(model=model, prompt="Once upon", max_tokens=9)
    assert answer.usage.completion_tokens == 9


@step(ends_as="cancelled")
def openai_cancel(model):
    stream = of_openai.chat.completions.create(
        model=model, messages=MESSAGES, stream=True, extra_headers=mock(gap_ms=HOUR)
    )
    next(iter(stream))
    stream.close()


@step(calls=3, ends_as="cancelled")
def openai_async_cancels(model):
    async def run():
        client = openai.AsyncOpenAI(base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=0)

        async def call(begun):
            stream = await client.responses.create(
                model=model, input="Hello", stream=True, extra_headers=mock(gap_ms=HOUR)
            )
            async for _ in stream:
                begun.set()

        begun = [asyncio.Event() for _ in range(3)]
        tasks = [asyncio.create_task(call(it)) for it in begun]
        await asyncio.wait_for(asyncio.gather(*(it.wait() for it in begun)), PATIENCE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.close()

    asyncio.run(run())


@step(calls=2, ends_as="cancelled")
def openai_gives_up(model):
    client = of_openai.with_options(timeout=0.5, max_retries=1)
    headers = mock(first_ms=HOUR)
    call = lambda: client.chat.completions.create(model=model, messages=MESSAGES, extra_headers=headers)
    fails(openai.APITimeoutError, call)


@step(calls=3, ends_as="rate_limited")
def openai_429(model):
    headers = mock(fault="status=429")
    call = lambda: of_openai.chat.completions.create(model=model, messages=MESSAGES, extra_headers=headers)
    fails(openai.RateLimitError, call)


@step(calls=3, ends_as="upstream_error")
def openai_500(model):
    headers = mock(fault="status=500")
    call = lambda: of_openai.responses.create(model=model, input="Hello", extra_headers=headers)
    fails(openai.InternalServerError, call)


@step(calls=3, ends_as="upstream_error")
def openai_reset(model):
    headers = mock(fault="reset")
    call = lambda: of_openai.chat.completions.create(model=model, messages=MESSAGES, extra_headers=headers)
    fails(openai.InternalServerError, call)


@step(ends_as="client_error")
def openai_400(model):
    headers = mock(fault="status=400")
    call = lambda: of_openai.embeddings.create(model=model, input="one", extra_headers=headers)
    fails(openai.BadRequestError, call)


@step()
def anthropic_messages(model):
    headers = TOKENS | mock(cache_write=11, cache_write_1h=4)
    answer = of_anthropic.messages.create(model=model, max_tokens=50, messages=MESSAGES, extra_headers=headers)
    assert answer.usage.input_tokens == 812, answer.usage
    assert answer.usage.cache_creation_input_tokens == 15


@step()
def anthropic_messages_stream(model):
    with of_anthropic.messages.stream(
        model=model, max_tokens=50, messages=MESSAGES, extra_headers=TOKENS
    ) as stream:
        text = "".join(stream.text_stream)
        usage = stream.get_final_message().usage
    assert text and usage.cache_read_input_tokens == 90, usage


@step()
def anthropic_tools(model):
    tools = [{"name": "weather", "input_schema": TOOL["parameters"]}]
    of_anthropic.messages.create(model=model, max_tokens=30, messages=MESSAGES, tools=tools)


@step(ends_as="cancelled")
def anthropic_cancel(model):
    stream = of_anthropic.messages.create(
        model=model, max_tokens=50, messages=MESSAGES, stream=True, extra_headers=TOKENS | mock(gap_ms=HOUR)
    )
    for event in stream:
        # What came until then is counted.
        if event.type == "content_block_delta":
            break
    stream.close()


@step(calls=3, ends_as="rate_limited")
def anthropic_429(model):
    headers = mock(fault="status=429")
    call = lambda: of_anthropic.messages.create(
        model=model, max_tokens=50, messages=MESSAGES, extra_headers=headers
    )
    fails(anthropic.RateLimitError, call)


@step(calls=3, ends_as="upstream_error")
def anthropic_529(model):
    headers = mock(fault="status=529")
    call = lambda: of_anthropic.messages.create(
        model=model, max_tokens=50, messages=MESSAGES, extra_headers=headers
    )
    fails(anthropic.APIStatusError, call)


@step(ends_as="upstream_error")
def anthropic_error_in_stream(model):
    def call():
        headers = mock(fault="error-after=4")
        list(
            of_anthropic.messages.create(
                model=model, max_tokens=50, messages=MESSAGES, stream=True, extra_headers=headers
            )
        )

    fails(anthropic.APIError, call)


@step(calls=0)
def anthropic_counts_tokens(model):
    answer = of_anthropic.messages.count_tokens(model=model, messages=MESSAGES)
    assert answer.input_tokens == 3, answer


def lite(model, provider="openai", **more):
    base = f"{GATEWAY}/v1" if provider == "openai" else GATEWAY
    return litellm.completion(
        model=f"{provider}/{model}", api_base=base, api_key=KEY, messages=MESSAGES, **more
    )


@step()
def litellm_openai(model):
    answer = lite(model, extra_headers=TOKENS)
    assert answer.usage.prompt_tokens == 902, answer.usage


@step()
def litellm_openai_stream(model):
    chunks = list(lite(model, stream=True, stream_options={"include_usage": True}, extra_headers=TOKENS))
    assert chunks


@step()
def litellm_anthropic(model):
    answer = lite(model, "anthropic", max_tokens=50, extra_headers=TOKENS)
    assert answer.usage.completion_tokens == 163, answer.usage


@step()
def litellm_anthropic_stream(model):
    assert list(lite(model, "anthropic", stream=True, max_tokens=50, extra_headers=TOKENS))


@step()
def litellm_embedding(model):
    litellm.embedding(
        model=f"openai/{model}", api_base=f"{GATEWAY}/v1", api_key=KEY, input=["one"], encoding_format="float"
    )


@step(calls=3, ends_as="rate_limited")
def litellm_429(model):
    headers = mock(fault="status=429")
    call = lambda: lite(model, max_retries=2, extra_headers=headers)
    fails(litellm.exceptions.RateLimitError, call)


@step(ends_as="cancelled")
def litellm_cancel(model):
    async def run():
        stream = await litellm.acompletion(
            model=f"openai/{model}",
            api_base=f"{GATEWAY}/v1",
            api_key=KEY,
            messages=MESSAGES,
            stream=True,
            extra_headers=mock(gap_ms=HOUR),
        )
        try:
            # Longer than the first chunks take; the next comes in an hour.
            async with asyncio.timeout(1):
                async for _ in stream:
                    pass
        except TimeoutError:
            pass

    asyncio.run(run())


KINDS = ["input", "cache_read", "cache_write", "output", "reasoning", "audio"]


def get(url):
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return json.load(answer)


def served_at_rest():
    """The mock's counts, once nothing runs any more."""
    deadline = time.monotonic() + PATIENCE
    while True:
        served = get(f"{MOCK}/served")
        if served["running"] == 0 or time.monotonic() > deadline:
            return served
        time.sleep(0.05)


def calls_of(counts):
    requests = dict(counts["requests"])
    errors = requests.pop("errors")
    requests.pop("without_usage")
    return sum(requests.values()) + sum(errors.values())


def compare(model, calls, ends_as, counts, row):
    """What is wrong with one step's counts; empty where nothing is."""
    wrong = []

    def same(what, expected, found):
        if expected != found:
            wrong.append(f"{what}: {expected} expected, {found} counted")

    same("calls served", calls, calls_of(counts))
    same("calls", calls, row["requests"])
    same("fine", 0 if ends_as else calls, row["requests"] - row["errors"])
    if ends_as:
        same(ends_as, calls, row[f"errors_{ends_as}"])
    tokens = counts["tokens"]
    for kind in KINDS:
        same(kind, tokens["served"][kind] + tokens["cut"][kind], row[kind] or 0)
    return wrong


def main():
    failures = 0
    broken = {}
    for name, (function, _, _) in STEPS.items():
        try:
            function(name)
        except Exception as error:
            broken[name] = f"{type(error).__name__}: {error}"
    # A client may be gone before its connection is.
    expected = sum(calls for _, calls, _ in STEPS.values())
    deadline = time.monotonic() + PATIENCE
    while True:
        served = served_at_rest()
        usage = get(f"{GATEWAY}/usage?by=model")
        if usage["total"]["requests"] >= expected or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    rows = {row["model"]: row for row in usage["rows"]}
    print(f"{'step':<28}{'calls':>6}{'input':>8}{'cached':>8}{'output':>8}  ended")
    for name, (_, calls, ends_as) in STEPS.items():
        row = rows.pop(name, None)
        wrong = [broken[name]] if name in broken else []
        if row:
            wrong += compare(name, calls, ends_as, served["models"][name], row)
            sums = [row["requests"], row["input"] or 0, row["cache_read"] or 0]
            sums.append((row["output"] or 0) + (row["reasoning"] or 0))
        else:
            sums = [0, 0, 0, 0]
            if calls:
                wrong.append("not counted")
        ended = "; ".join(wrong) if wrong else ends_as or "ok"
        mark = "!!" if wrong else "  "
        print(f"{name:<28}{sums[0]:>6}{sums[1]:>8}{sums[2]:>8}{sums[3]:>8}  {mark}{ended}")
        failures += bool(wrong)
    if rows:
        failures += 1
        print(f"!! models that nobody asked for: {sorted(rows)}")
    total = usage["total"]
    stated = {kind: served["tokens"]["served"][kind] + served["tokens"]["cut"][kind] for kind in KINDS}
    counted = {kind: total[kind] or 0 for kind in KINDS}
    # The calls that only count tokens are no model calls.
    uncounted = sum(calls_of(served["models"][name]) for name, (_, calls, _) in STEPS.items() if not calls)
    if (total["requests"], counted) != (calls_of(served) - uncounted, stated):
        failures += 1
        print(f"!! the gateway counted {total['requests']} calls, {counted}")
        print(f"!! the mock served {calls_of(served)} calls, {stated}")
    print(f"{total['requests']} calls, {sum(counted.values())} tokens; {failures} differences")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
