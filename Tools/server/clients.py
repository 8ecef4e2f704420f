"""The openai package, and requests in the form of Text Embeddings Inference."""
import base64
import math
import struct

import openai
from service import SCRATCH, Service


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


with Service("--state-directory", str(SCRATCH / "clients"), "--api-key", "secret") as service:
    client = openai.OpenAI(base_url=service.address + "/v1", api_key="secret")
    texts = ["I was charged twice.", "The server is down.", "You won a prize!"]
    assert [model.id for model in client.models.list()] == ["minilm"]
    assert client.models.retrieve("minilm").owned_by == "vdsq"
    # The package asks for base64 by itself, and decodes it.
    coded = client.embeddings.create(model="minilm", input=texts)
    plain = client.embeddings.create(model="minilm", input=texts, encoding_format="float")
    assert [item.index for item in coded.data] == [0, 1, 2]
    for a, b in zip(coded.data, plain.data):
        assert len(a.embedding) == 384 and cosine(a.embedding, b.embedding) > 0.999999
        assert abs(sum(x * x for x in a.embedding) - 1) < 1e-4
    assert coded.usage.prompt_tokens == coded.usage.total_tokens == plain.usage.total_tokens > 10
    short = client.embeddings.create(model="minilm", input=texts[0], dimensions=64).data[0].embedding
    assert len(short) == 64 and cosine(short, plain.data[0].embedding[:64]) > 0.999999
    raw = client.embeddings.with_raw_response.create(model="minilm", input="a", encoding_format="base64")
    text = raw.http_response.json()["data"][0]["embedding"]
    assert len(struct.unpack("<384f", base64.b64decode(text))) == 384
    headers = {"authorization": "Bearer secret"}
    status, lists = service.ask("/tokenize", {"inputs": texts}, headers=headers)
    ids = [[token["id"] for token in tokens] for tokens in lists]
    by_ids = client.embeddings.create(model="minilm", input=ids)
    for a, b in zip(by_ids.data, plain.data):
        assert cosine(a.embedding, b.embedding) > 0.99999
    for expected, arguments in [
            (openai.NotFoundError, {"model": "text-embedding-3-small", "input": "a"}),
            (openai.BadRequestError, {"model": "minilm", "input": []}),
            (openai.BadRequestError, {"model": "minilm", "input": "a", "encoding_format": "xyz"}),
            (openai.APIStatusError, {"model": "minilm", "input": ["a"] * 257})]:
        try:
            client.embeddings.create(**arguments)
            raise SystemExit(f"FAILED: {arguments} was answered")
        except expected as error:
            assert error.body["message"], error
    try:
        openai.OpenAI(base_url=service.address + "/v1", api_key="x", max_retries=0).models.list()
        raise SystemExit("FAILED: a wrong key was accepted")
    except openai.AuthenticationError:
        pass

    def tei(path, body, expected=200):
        status, answer = service.ask(path, body, headers=headers)
        assert status == expected, (path, body, status, answer)
        return answer

    assert len(tei("/embed", {"inputs": "What is Deep Learning?"})[0]) == 384
    assert len(tei("/embed", {"inputs": texts, "truncate": True})) == 3
    close, far = tei("/similarity", {"inputs": {"source_sentence": "What is Deep Learning?", "sentences": [
        "What is Machine Learning?", "The weather is fine."]}})
    assert 1 > close > 0.5 > far
    assert tei("/tokenize", {"inputs": "hello"})[0][1]["text"] == "hello"
    assert tei("/predict", {"inputs": "I like you."}, 424)["error_type"] == "Backend"
    assert tei("/embed", {"inputs": "word " * 3000}, 413)["error_type"] == "Validation"
    info = service.ask("/info", headers=headers)[1]
    assert info["max_input_length"] == 256 and info["model_type"]["embedding"]["pooling"] == "mean"
print("ok: the openai package and requests of Text Embeddings Inference")
