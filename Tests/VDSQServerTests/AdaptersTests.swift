import Foundation
import TestSupport
import Testing
import VDSQ
import VDSQServer
import VDSQTraining

@Suite struct AdaptersTests {
  private let examples = [
    ["text": "hello world", "label": "a"], ["text": "hello there", "label": "a"],
    ["text": "stop now", "label": "b"], ["text": "stop it", "label": "b"],
  ]

  private func label(_ server: ServerFixture, _ text: String, _ adapter: String) async -> String? {
    let answer = await server.post("/classify", ["inputs": text, "adapter": adapter])
    return (answer.object["results"] as? [[String: Any]])?[0]["label"] as? String
  }

  @Test(arguments: ["online", "frozen", "prior", "knn"])
  func trainedAdaptersAnswerAtOnce(_ method: String) async throws {
    let server = try ServerFixture()
    let made = await server.put("/adapters/t", ["examples": examples, "method": method])
    #expect(made.status == 201 && made.object["labels"] as? [String] == ["a", "b"])
    for example in examples {
      #expect(await label(server, example["text"]!, "t") == example["label"])
    }
    let listed = await server.ask(.GET, "/adapters")
    #expect((listed.object["adapters"] as? [[String: Any]])?[0]["name"] as? String == "t")
    let deleted = await server.ask(.DELETE, "/adapters/t")
    #expect(deleted.status == 200)
    #expect(await server.ask(.GET, "/adapters/t").status == 404)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: server.folder.path("state/adapters"))
        == [])
  }

  @Test func teachingUndoingForgetting() async throws {
    let server = try ServerFixture()
    _ = await server.put("/adapters/t", ["labels": ["a", "b"]])
    let before = await label(server, "hello world", "t")
    let wanted = before == "a" ? "b" : "a"
    for count in 1...3 {
      let taught = await server.post("/adapters/t", ["text": "hello world", "label": wanted])
      #expect(taught.status == 200 && taught.object["examples"] as? Int == count)
    }
    #expect(await label(server, "hello world", "t") == wanted)
    for _ in 1...3 {
      #expect(await server.post("/adapters/t", ["undo": true]).status == 200)
    }
    #expect(await label(server, "hello world", "t") == before)
    #expect(await server.post("/adapters/t", ["undo": true]).status == 422)
    let unknown = await server.post("/adapters/t", ["text": "x", "label": "c"])
    #expect(unknown.status == 422)
    let added = await server.post("/adapters/t", ["text": "x", "label": "c", "add_label": true])
    #expect(added.object["labels"] as? [String] == ["a", "b", "c"])
    let forgotten = await server.post("/adapters/t", ["forget": "c"])
    #expect(forgotten.object["labels"] as? [String] == ["a", "b"])
  }

  /// A file that replaces another is used from the next text on; one that is damaged is not.
  @Test func filesAreFollowed() async throws {
    let folder = try TemporaryFolder()
    let first = try ServerFixture()
    _ = await first.put("/adapters/one", ["examples": examples, "method": "prior"])
    let other = examples.map { ["text": $0["text"]!, "label": $0["label"] == "a" ? "b" : "a"] }
    _ = await first.put("/adapters/two", ["examples": other, "method": "prior"])
    let path = folder.path("followed.vdsa")
    func replace(_ name: String) throws {
      let next = folder.path("next")
      try? FileManager.default.removeItem(atPath: next)
      try FileManager.default.copyItem(
        atPath: first.folder.path("state/adapters/\(name).vdsa"), toPath: next)
      rename(next, path)
    }
    try replace("one")
    let server = try ServerFixture { options in
      options.adapters = [ServerOptions.Source(name: "f", path: path)]
    }
    #expect(await label(server, "hello world", "f") == "a")
    try replace("two")
    #expect(await label(server, "hello world", "f") == "b")
    try Data("damaged".utf8).write(to: URL(fileURLWithPath: path))
    #expect(await label(server, "hello world", "f") == "b")
    try replace("one")
    #expect(await label(server, "hello world", "f") == "a")
    // It is not the requests' to change.
    #expect(await server.ask(.DELETE, "/adapters/f").status == 403)
  }

  @Test func adaptersAreThereAfterAStart() async throws {
    let server = try ServerFixture()
    _ = await server.put("/adapters/t", ["examples": examples, "method": "prior"])
    let again = try ServerFixture { options in
      options.stateDirectory = server.folder.path("state")
    }
    #expect(await label(again, "stop it", "t") == "b")
  }

  @Test(arguments: [
    ("/adapters/t", #"{}"#, 422, "examples"),
    ("/adapters/t", #"{"examples": [{"text": "a"}]}"#, 422, "examples[0].label"),
    ("/adapters/t", #"{"examples": [{"text": " ", "label": "a"}]}"#, 422, "nothing to read"),
    ("/adapters/t", #"{"examples": [{"text": "x", "label": "a"}]}"#, 422, "one label"),
    ("/adapters/t", #"{"labels": ["a", "b"], "method": "frozen"}"#, 422, "method"),
    ("/adapters/t", #"{"labels": ["a", "b"], "method": "finetune"}"#, 422, "method"),
    ("/adapters/..", #"{"labels": ["a", "b"]}"#, 404, "name"),
    ("/adapters/.x", #"{"labels": ["a", "b"]}"#, 404, "name"),
    ("/adapters/a%2Fb", #"{"labels": ["a", "b"]}"#, 404, "name"),
    ("/adapters/a/b", #"{"labels": ["a", "b"]}"#, 404, "name"),
  ])
  func wrongTrainings(_ path: String, _ body: String, _ status: Int, _ message: String) async throws
  {
    let server = try ServerFixture()
    let answer = await server.ask(.PUT, path, body)
    #expect(answer.status == status && answer.error.contains(message))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: server.folder.path("state/adapters"))
        == [])
  }

  @Test func withoutAStateDirectoryNothingIsKept() async throws {
    let server = try ServerFixture { $0.stateDirectory = nil }
    #expect(await server.put("/adapters/t", ["labels": ["a", "b"]]).status == 403)
  }
}
