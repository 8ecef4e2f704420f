import Foundation
import TestSupport
import Testing
import VDSQServer

/// Vectors are those of sentence-transformers (Tests/Fixtures/bert-mean/golden.json), scaled to
/// length 1 as OpenAI and Text Embeddings Inference do.
@Suite struct EmbeddingsTests {
  private let server: ServerFixture
  private let golden: [Golden]

  init() throws {
    server = try ServerFixture()
    golden = try Fixtures.json("bert-mean/golden.json", as: [Golden].self).filter {
      $0.ids.count < 40
    }
  }

  @Test func manyTextsTextAndIDs() async throws {
    let answer = await server.post("/v1/embeddings", ["input": golden.map(\.text)])
    #expect(answer.status == 200)
    let data = try #require(answer.object["data"] as? [[String: Any]])
    #expect(data.count == golden.count)
    for (index, (one, reference)) in zip(data, golden).enumerated() {
      #expect(one["index"] as? Int == index)
      #expect(cosine(floats(one["embedding"]), reference.vector!) > 0.9999)
    }
    let usage = try #require(answer.object["usage"] as? [String: Int])
    #expect(usage["prompt_tokens"] == golden.reduce(0) { $0 + $1.ids.count })
    // With and without special tokens, ids are the same text.
    for ids in [golden[1].ids, Array(golden[1].ids.dropFirst().dropLast())] {
      for input in [ids, [ids]] as [Any] {
        let answer = await server.post("/v1/embeddings", ["input": input])
        let data = try #require(answer.object["data"] as? [[String: Any]])
        #expect(cosine(floats(data[0]["embedding"]), golden[1].vector!) > 0.9999)
      }
    }
  }

  @Test func base64AndDimensions() async throws {
    let plain = await server.post("/v1/embeddings", ["input": "hello world", "dimensions": 8])
    let coded = await server.post(
      "/v1/embeddings", ["input": "hello world", "dimensions": 8, "encoding_format": "base64"])
    func embedding(_ answer: ServerFixture.Answer) -> Any? {
      (answer.object["data"] as? [[String: Any]])?[0]["embedding"]
    }
    let vector = floats(embedding(plain))
    #expect(vector.count == 8)
    #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
    let bytes = try #require(Data(base64Encoded: embedding(coded) as? String ?? ""))
    let decoded = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    #expect(decoded == vector)
    #expect(cosine(vector, Array(golden[1].vector!.prefix(8))) > 0.9999)
  }

  @Test func embedAndSimilarity() async throws {
    let texts = golden.prefix(3).map(\.text)
    let answer = await server.post("/embed", ["inputs": texts])
    let vectors = try #require(answer.json as? [Any]).map(floats)
    for (vector, reference) in zip(vectors, golden) {
      #expect(cosine(vector, reference.vector!) > 0.9999)
    }
    // The model normalizes by itself.
    let raw = await server.post("/embed", ["inputs": texts[1], "normalize": false])
    #expect(raw.status == 422 && raw.error.contains("normalize"))
    let similar = await server.post(
      "/similarity", ["inputs": ["source_sentence": texts[1], "sentences": [texts[1], texts[2]]]])
    let wanted = cosine(golden[1].vector!, golden[2].vector!)
    #expect(abs(floats(similar.json)[0] - 1) < 1e-5 && abs(floats(similar.json)[1] - wanted) < 1e-3)
  }

  @Test func vectorsOfAnyLength() async throws {
    let server = try ServerFixture(["m": "bert-max-bf16"])
    let golden = try Fixtures.json("bert-max-bf16/golden.json", as: [Golden].self)[1]
    let raw = await server.post("/embed", ["inputs": golden.text, "normalize": false])
    #expect(relativeError(floats((raw.json as? [Any])?[0]), golden.vector!) < 1e-3)
    let scaled = floats((await server.post("/embed", ["inputs": golden.text]).json as? [Any])?[0])
    #expect(abs(scaled.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
  }

  @Test func longTextsAreRefusedOrCutByName() async throws {
    let long = String(repeating: "hello ", count: 2000)
    let refused = await server.post("/embed", ["inputs": ["stop", long]])
    #expect(refused.status == 413 && refused.error.contains("text 1 has more than"))
    let cut = await server.post("/embed", ["inputs": ["stop", long], "truncate": true])
    #expect(cut.status == 200 && cut.headers["vdsq-truncated"] == "1")
    let openAI = await server.post("/v1/embeddings", ["input": [long, "stop"], "truncate": true])
    let data = try #require(openAI.object["data"] as? [[String: Any]])
    #expect(data[0]["truncated"] as? Bool == true && data[1]["truncated"] == nil)
  }

  @Test func tokens() async throws {
    let answer = await server.post("/tokenize", ["inputs": golden[1].text])
    let tokens = try #require((answer.json as? [[[String: Any]]])?[0])
    #expect(tokens.map { $0["id"] as? Int } == golden[1].ids.map(Int.init))
    #expect(tokens.first?["special"] as? Bool == true && tokens.first?["start"] is NSNull)
    let plain = await server.post(
      "/tokenize", ["inputs": [golden[1].text], "add_special_tokens": false])
    #expect((plain.json as? [[[String: Any]]])?[0].count == golden[1].ids.count - 2)
  }

  @Test(arguments: [
    (#"{"input": "a", "encoding_format": "xyz"}"#, "encoding_format: xyz"),
    (#"{"input": "a", "dimensions": 0}"#, "dimensions"),
    (#"{"input": "a", "dimensions": 100000}"#, "dimensions"),
    (#"{"input": "a", "truncation_direction": "left"}"#, "truncation_direction"),
    (#"{"input": "a", "temperature": 1}"#, "temperature is not known"),
    (#"{"input": []}"#, "input: is empty"),
    (#"{"input": [1, "a"]}"#, "token id"),
    (#"{"input": [-1]}"#, "token id"),
    (#"{"input": [[]]}"#, "no token ids"),
    (#"{"input": [99999999]}"#, "99999999 is no token"),
    (#"{"input": {"a": 1}}"#, "input"),
    (#"{"input": "a", "prompt_name": "nobody"}"#, "nobody"),
    (#"{}"#, "input: is missing"),
    (#"[]"#, "no JSON object"),
    (#"{"input": "a", "input": "b"}"#, "input"),
    (#"{"input": "a""#, "body"),
  ])
  func wrongBodies(_ body: String, _ message: String) async {
    let answer = await server.ask(.POST, "/v1/embeddings", body)
    #expect(answer.status == 400 && answer.error.contains(message))
    #expect(!answer.error.contains("\n"))
  }

  @Test func unknownModels() async {
    let answer = await server.post("/v1/embeddings", ["input": "a", "model": "gpt"])
    #expect(answer.status == 404 && answer.error.contains("served are base"))
    let models = await server.ask(.GET, "/v1/models")
    #expect(((models.object["data"] as? [[String: Any]])?[0]["id"] as? String) == "base")
    let model = await server.ask(.GET, "/v1/models/base")
    #expect(model.object["object"] as? String == "model")
    let missing = await server.ask(.GET, "/v1/models/other")
    #expect(missing.status == 404)
  }
}
