import Foundation
import TestSupport
import Testing
import VDSQ
import VDSQServer

@Suite struct ClassifyTests {
  private let server: ServerFixture

  init() throws { server = try ServerFixture() }

  private func results(_ answer: ServerFixture.Answer) -> [[String: Any]] {
    answer.object["results"] as? [[String: Any]] ?? []
  }

  /// Texts of many requests share passes, and each gets the answer that it gets alone.
  @Test func answersDoNotDependOnOthers() async throws {
    let texts = (0..<60).map { "hello world stop \($0)" }
    let model = try Model(path: server.folder.path("base.vdsq"))
    let sets = ["hello,stop", "world,test,stop"]
    try await withThrowingTaskGroup(of: Void.self) { group in
      for set in sets {
        let names = set.split(separator: ",").map(String.init)
        let classifier = try TextClassifier(model: model, labels: Label.parse(list: set))
        for text in texts {
          let wanted = try classifier.classify(text)
          group.addTask { [server] in
            let answer = await server.post("/classify", ["inputs": text, "labels": names])
            let result = (answer.object["results"] as? [[String: Any]])?[0]
            #expect(result?["label"] as? String == wanted.label)
            let probability = (result?["probability"] as? NSNumber)?.floatValue ?? .nan
            #expect((probability - wanted.probability).magnitude < 1e-5)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func labelsWithWordsTopAndAbstention() async throws {
    let answer = await server.post(
      "/classify",
      ["inputs": ["hello", ""], "labels": ["a": ["hello"], "b": ["stop", "end"]], "top": 5])
    #expect(results(answer).map { $0["label"] as? String } == ["a", nil])
    #expect(results(answer)[1]["abstained"] as? Bool == true)
    #expect((results(answer)[0]["candidates"] as? [Any])?.count == 2)
    let withheld = await server.post(
      "/classify",
      ["inputs": "hello", "labels": ["a", "b"], "abstain": 1, "out_of_scope": "other"])
    #expect(results(withheld)[0]["label"] as? String == "other")
  }

  @Test(arguments: [
    (#"{"inputs": "a", "labels": ["x"]}"#, 422, "two"),
    (#"{"inputs": "a", "labels": ["x", "x"]}"#, 422, "twice"),
    (#"{"inputs": "a", "labels": ["x", ""]}"#, 422, "empty"),
    (#"{"inputs": "a", "labels": ["x", "y"], "adapter": "z"}"#, 422, "labels"),
    (#"{"inputs": "a", "adapter": "z"}"#, 404, "adapter"),
    (#"{"inputs": "a", "adapter": "../../etc/passwd"}"#, 404, "adapter"),
    (#"{"inputs": "a", "labels": ["x", "y"], "top": 0}"#, 422, "top"),
    (#"{"inputs": "a", "labels": ["x", "y"], "temperature": 0}"#, 422, "temperature"),
    (#"{"inputs": "a", "labels": ["x", "y"], "template": "{}{}{text}"}"#, 422, "template"),
    (#"{"inputs": "a", "labels": ["x", "y"], "labels_file": "/etc/passwd"}"#, 422, "labels_file"),
    (#"{"inputs": "a"}"#, 424, "model"),
    (#"{"inputs": "a", "labels": ["x", "y"], "nli": true}"#, 424, "model"),
  ])
  func wrongRequests(_ body: String, _ status: Int, _ message: String) async {
    let answer = await server.ask(.POST, "/classify", body)
    #expect(answer.status == status && answer.error.contains(message))
  }

  @Test func explanations() async throws {
    let answer = await server.post(
      "/classify", ["inputs": ["hello world", ""], "labels": ["hello", "stop"], "explain": true])
    #expect(answer.status == 200)
    let first = try #require(results(answer)[0]["explanation"] as? [String: Any])
    #expect((first["text"] as? [Any])?.isEmpty == false)
    #expect(results(answer)[1]["explanation"] == nil)
  }

  @Test func limits() async throws {
    let server = try ServerFixture { options in
      options.limits.texts = 3
      options.limits.textBytes = 50
      options.limits.queuedTexts = 3
    }
    let many = await server.post("/embed", ["inputs": ["a", "b", "c", "d"]])
    #expect(many.status == 413)
    let long = await server.post("/embed", ["inputs": String(repeating: "a", count: 51)])
    #expect(long.status == 413)
    // One text and a batch are refused alike while the queue is full.
    let statuses = await withTaskGroup(of: (Int, String?).self) { group in
      for index in 0..<200 {
        group.addTask {
          let answer = await server.post("/embed", ["inputs": index % 2 == 0 ? ["a"] : ["a", "b"]])
          return (answer.status, answer.headers["retry-after"])
        }
      }
      var all: [(Int, String?)] = []
      for await one in group { all.append(one) }
      return all
    }
    #expect(statuses.allSatisfy { $0.0 == 200 || ($0.0 == 429 && Int($0.1 ?? "") ?? 0 >= 1) })
    #expect(statuses.contains { $0.0 == 200 })
  }
}
