"""Generated texts as the openai package asks for them."""
import json
import threading
import time

import openai
from service import LANGUAGE_MODEL, Service

FRANCE = [{"role": "user", "content": "What is the capital of France?"}]

with Service(f"smollm2={LANGUAGE_MODEL}", "--api-key", "secret", "--threads", "1") as service:
    client = openai.OpenAI(base_url=service.address + "/v1", api_key="secret", max_retries=0)
    chat = client.chat.completions.create(model="smollm2", messages=FRANCE, temperature=0)
    answer = chat.choices[0].message.content
    assert "Paris" in answer and chat.choices[0].finish_reason == "stop", chat
    assert chat.usage.completion_tokens > 3 and chat.object == "chat.completion"
    stream = client.chat.completions.create(
        model="smollm2", messages=FRANCE, temperature=0, stream=True, stream_options={"include_usage": True})
    parts = list(stream)
    assert parts[-1].usage == chat.usage and not parts[-1].choices
    assert "".join(part.choices[0].delta.content or "" for part in parts[:-1]) == answer
    assert parts[0].choices[0].delta.role == "assistant"
    assert parts[-2].choices[0].finish_reason == "stop"
    # What it reads between messages is no part of an answer.
    assert "<|im_" not in answer

    text = client.completions.create(model="smollm2", prompt=["Once upon a time", "One, two, three,"],
                                     temperature=0, max_tokens=8)
    assert [choice.index for choice in text.choices] == [0, 1] and "four" in text.choices[1].text
    assert text.choices[0].finish_reason == "length" and text.usage.completion_tokens == 16
    stopped = client.completions.create(model="smollm2", prompt="One, two, three,", temperature=0, stop=["five"])
    assert "four" in stopped.choices[0].text and "five" not in stopped.choices[0].text
    parts = list(client.completions.create(model="smollm2", prompt="One, two, three,", temperature=0,
                                           max_tokens=8, stream=True))
    assert "".join(part.choices[0].text for part in parts) == text.choices[1].text and len(parts) > 4
    schema = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20},
                                               "large": {"type": "boolean"}}, "required": ["city", "large"]}
    formed = client.chat.completions.create(
        model="smollm2", messages=FRANCE, temperature=0, max_completion_tokens=60,
        response_format={"type": "json_schema", "json_schema": {"name": "city", "schema": schema}})
    assert set(json.loads(formed.choices[0].message.content)) == {"city", "large"}
    chosen = client.completions.create(model="smollm2", prompt="Paris is in", extra_body={
        "guided_choice": [" France", " Peru"], "top_k": 1})
    assert chosen.choices[0].text == " France", chosen
    for expected, function, arguments in [
            (openai.NotFoundError, client.completions, {"model": "gpt-4o", "prompt": "a"}),
            (openai.BadRequestError, client.completions, {"model": "smollm2", "prompt": "a", "n": 3}),
            (openai.BadRequestError, client.chat.completions, {"model": "smollm2", "messages": []}),
            (openai.APIStatusError, client.completions, {"model": "minilm", "prompt": "a"})]:
        try:
            function.create(**arguments)
            raise SystemExit(f"FAILED: {arguments} was answered")
        except expected as error:
            assert error.body["message"], error

    # Embeddings do not wait for texts, and a client that goes ends its text.
    long = client.completions.create(model="smollm2", prompt="Once upon a time", temperature=0, max_tokens=1900,
                                     stream=True)
    next(iter(long))
    start = time.perf_counter()
    client.embeddings.create(model="minilm", input="hello")
    assert time.perf_counter() - start < 2
    long.close()
    start = time.perf_counter()
    client.completions.create(model="smollm2", prompt="a", max_tokens=1)
    assert time.perf_counter() - start < 5, "the text of a client that has gone went on"
    # Several clients at once: each gets its own text.
    texts = {}

    def ask(index):
        texts[index] = client.completions.create(model="smollm2", prompt=f"{index} and {index} make",
                                                 temperature=0, max_tokens=6).choices[0].text

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = client.completions.create(model="smollm2", prompt=[f"{i} and {i} make" for i in range(6)],
                                      temperature=0, max_tokens=6)
    assert [texts[i] for i in range(6)] == [choice.text for choice in again.choices], (texts, again)
    assert service.stop() == 0
print("ok: the openai package and generated texts")
