import Foundation
import TestSupport
import Testing
import VDSQServer

/// Scores are those of transformers' pipelines and of sentence-transformers' CrossEncoder
/// (Tools/reference/make_heads.py).
@Suite struct HeadsTests {
  private static let file = HeadFixture.file

  private func server(_ head: String) throws -> ServerFixture {
    try ServerFixture(["m": "head:\(head)"]) { $0.run.maximumTokens = 48 }
  }

  private func scores(_ list: Any?, _ labels: [String]) -> [Float] {
    let rows = list as? [[String: Any]] ?? []
    return labels.map { label in
      (rows.first { $0["label"] as? String == label }?["score"] as? NSNumber)?.floatValue ?? .nan
    }
  }

  @Test func predictionsAreSorted() async throws {
    let head = HeadFixture.named("bert")
    let server = try server("bert")
    let answer = await server.post(
      "/predict", ["inputs": Self.file.texts.map { [$0] }, "truncate": true])
    let lists = try #require(answer.json as? [[[String: Any]]])
    for (list, reference) in zip(lists, try #require(head.texts)) {
      #expect(zip(scores(list, head.labels), reference).allSatisfy { ($0 - $1).magnitude < 5e-3 })
      let given = list.map { ($0["score"] as! NSNumber).floatValue }
      #expect(given == given.sorted(by: >))
    }
    let single = await server.post("/predict", ["inputs": Self.file.texts[1]])
    #expect((single.json as? [[String: Any]])?.count == head.labels.count)
    let classified = await server.post("/classify", ["inputs": Self.file.texts[1]])
    let result = try #require((classified.object["results"] as? [[String: Any]])?[0])
    #expect(result["label"] as? String == (single.json as? [[String: Any]])?[0]["label"] as? String)
    let embedded = await server.post("/embed", ["inputs": "a"])
    #expect(embedded.status == 424)
  }

  @Test func pairsAreRead() async throws {
    let head = HeadFixture.named("bert")
    let server = try server("bert")
    for (pair, reference) in zip(Self.file.pairs, try #require(head.pairs)) {
      let answer = await server.post("/predict", ["inputs": pair, "truncate": true])
      let ours = scores(answer.json, head.labels)
      #expect(zip(ours, reference).allSatisfy { ($0 - $1).magnitude < 5e-3 })
    }
  }

  @Test func ranksAreThoseOfACrossEncoder() async throws {
    let head = HeadFixture.named("ranking")
    let server = try server("ranking")
    let reference = try #require(head.ranking)
    for (query, wanted) in zip([1, 8], reference) {
      let answer = await server.post(
        "/rerank",
        [
          "query": Self.file.texts[query], "texts": Self.file.texts, "truncate": true,
          "return_text": true,
        ])
      let ranks = try #require(answer.json as? [[String: Any]])
      #expect(ranks.count == wanted.count)
      for rank in ranks {
        let index = rank["index"] as! Int
        #expect(((rank["score"] as! NSNumber).floatValue - wanted[index]).magnitude < 5e-3)
        #expect(rank["text"] as? String == Self.file.texts[index])
      }
      let scores = ranks.map { ($0["score"] as! NSNumber).floatValue }
      #expect(scores == scores.sorted(by: >))
      let other = await server.post(
        "/v1/rerank",
        [
          "query": Self.file.texts[query], "documents": Self.file.texts, "truncate": true,
          "top_n": 2,
        ])
      let results = try #require(other.object["results"] as? [[String: Any]])
      #expect(results.map { $0["index"] as? Int } == ranks.prefix(2).map { $0["index"] as? Int })
    }
    let none = await server.post("/rerank", ["query": "a", "texts": [String]()])
    #expect(none.status == 422)
    let both = await server.post("/rerank", ["query": "a", "texts": ["a"], "documents": ["a"]])
    #expect(both.status == 422)
  }

  @Test(arguments: [false, true])
  func hypothesesAreThoseOfTheZeroShotPipeline(_ isMultiLabel: Bool) async throws {
    let head = HeadFixture.named("nli")
    let server = try server("nli")
    let reference = try #require(isMultiLabel ? head.zeroShotMulti : head.zeroShot)
    let answer = await server.post(
      "/classify",
      [
        "inputs": Self.file.texts, "labels": Self.file.words, "nli": true, "top": 9,
        "multi_label": isMultiLabel,
      ])
    let results = try #require(answer.object["results"] as? [[String: Any]])
    #expect(results.count == reference.count)
    for (result, wanted) in zip(results, reference) where result["abstained"] as? Bool == false {
      let rows = result["candidates"] as? [[String: Any]] ?? []
      for (label, score) in zip(Self.file.words, wanted) {
        let own = rows.first { $0["label"] as? String == label }?["probability"] as? NSNumber
        #expect(((own?.floatValue ?? .nan) - score).magnitude < 1e-2)
      }
    }
  }
}
