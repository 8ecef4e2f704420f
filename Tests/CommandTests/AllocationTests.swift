import Foundation
import TestSupport
import Testing

/// Nothing is allocated after the warm-up, for texts of all lengths. A separate process counts the
/// calls to the allocator.
@Suite struct AllocationTests {
  private let vdsq = Program("vdsq")
  private let check = Program("allocation-check")

  /// Texts of all lengths, up to one that is truncated, twice. The second pass is counted.
  private let texts: String = {
    let words = ["hello", "naïve", "world", "café", "stop", "\u{4e2d}\u{6587}", "x1y2", "", "?!"]
    let lines = (0..<200).map { i in
      (0..<(i * 7 % 90)).map { words[(i * 5 + $0 * 3) % words.count] }.joined(separator: " ")
    }
    return (lines + lines).map { $0 + "\n" }.joined()
  }()

  private func count(_ arguments: [String]) throws -> [Int] {
    let result = try check.run(arguments, input: texts)
    #expect(result.status == 0, "\(result.output)\(result.errors)")
    return result.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
  }

  @Test(arguments: [
    ("bert-mean", []), ("bert-mean", ["--compress"]), ("bert-mean", ["--weights", "fp16"]),
    ("language-models/llama", []), ("language-models/gpt2", ["--weights", "fp16"]),
    ("language-models/bert", []), ("bert-mean", ["--weights", "int4"]),
  ])
  func nothingAfterTheWarmUp(fixture: String, options: [String]) throws {
    let folder = try TemporaryFolder()
    let model = folder.path("m.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path(fixture), "-o", model, "-q"] + options)
    for policy in ["resident", "stream", "release"] {
      for threads in ["1", "2"] {
        #expect(try count([model, policy, threads, "200"]) == [200, 0], "\(policy) \(threads)")
      }
    }
    // Verifies the counter: during the warm-up, buffers grow.
    let cold = try count([model, "resident", "1", "0"])
    #expect(cold.count == 2 && cold[0] == 400 && cold[1] > 0)
  }

  @Test(arguments: ["joint", "calibration", "knn"])
  func nothingWithAnAdapter(method: String) throws {
    let folder = try TemporaryFolder()
    let model = folder.path("m.vdsq")
    _ = try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", model, "-q"])
    let examples = try folder.write(
      Data(
        (0..<40).map {
          "{\"text\": \"\($0 % 2 == 0 ? "hello" : "stop") \($0)\", \"label\": \"\($0 % 2 == 0 ? "a" : "b")\"}\n"
        }
        .joined().utf8), to: "e.jsonl")
    let adapter = folder.path("a.vdsa")
    let adapted = try vdsq.run(["adapt", model, examples, "-o", adapter, "--method", method, "-q"])
    #expect(adapted.status == 0, "\(adapted.errors)")
    #expect(try count([model, "stream", "2", "200", adapter]) == [200, 0])
  }
}
