import Foundation
import TestSupport
import Testing

/// `classify --explain`: for sentence encoders and language models, with and without examples.
@Suite struct ExplainCommandTests {
  private let vdsq = Program("vdsq")

  private func explanation(_ result: Program.Result) throws -> [String: Any] {
    #expect(result.status == 0, "\(result.errors)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  @Test(arguments: ["bert-mean", "language-models/llama"])
  func tellsWhatTextAndLabelLeanTo(_ name: String) throws {
    let folder = try TemporaryFolder()
    let model = folder.path("m.vdsq")
    #expect(try vdsq.run(["convert", Fixtures.path(name), "-o", model, "-q"]).status == 0)
    let examples = try folder.write(
      Data(
        "{\"text\": \"hello world\", \"label\": \"hello\"}\n{\"text\": \"stop now\", \"label\": \"world\"}\n"
          .utf8), to: "x.jsonl")
    let plain = ["classify", model, "--labels", "hello,world", "--explain"]
    let words = try explanation(vdsq.run(plain + ["--json"], input: "hello\n"))
    let leanings = try #require(words["leanings"] as? [String: [[String: Any]]])
    for part in ["text", "label", "shared"] {
      let cosines = try #require(leanings[part]).map { $0["cosine"] as? Double ?? 0 }
      #expect(cosines.count > 1 && cosines == cosines.sorted(by: >))
    }
    #expect(leanings["toward"]?.isEmpty == true && leanings["away"]?.isEmpty == true)
    let labels = try #require(words["labels"] as? [[String: Any]])
    #expect(labels.count == 2 && labels[0]["label"] as? String == words["label"] as? String)
    for label in labels {
      // The words' anchors are brought to length 1 once more.
      let byWords = try #require(label["by_words"] as? Double)
      #expect(abs(byWords - (label["probability"] as? Double ?? 0)) < 1e-5)
    }

    for method in ["joint", "knn", "calibration"] {
      let adapter = folder.path("\(method).vdsa")
      let adapted = try vdsq.run(
        ["adapt", model, examples, "-o", adapter, "--method", method, "-q"])
      #expect(adapted.status == 0, "\(adapted.errors)")
      let taught = try explanation(
        vdsq.run(
          [
            "classify", model, "--adapter", adapter, "--explain", "--json", "--cache",
            folder.path("c"),
          ],
          input: "hello\n"))
      let pulls = try #require(taught["leanings"] as? [String: [[String: Any]]])
      #expect(pulls["toward"]?.isEmpty == false && pulls["away"]?.isEmpty == false)
    }
    let lines = try vdsq.run(plain, input: "hello\n").output
    #expect(lines.contains("the text leans to") && lines.contains("both lean to"))
    #expect(try vdsq.run(plain + ["--abstain", "0.5"]).status == 64)
  }
}
