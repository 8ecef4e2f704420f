import TestSupport
import Testing
import VDSQFormat
import VDSQStreams
import VDSQTraining

/// Labels that are integers, as data sets have them.
@Suite struct LabelIndexTests {
  private func read(_ labels: [String]) throws -> [Examples.Example] {
    let text = labels.map { "{\"text\": \"t\", \"label\": \($0)}\n" }.joined()
    return try ExampleReader().examples(
      in: try TextFile(Array(text.utf8), path: "x"), format: .jsonLines)
  }

  private func message(_ body: () throws -> Void) -> String? {
    do { try body() } catch { return (error as? VDSQError)?.message }
    return nil
  }

  @Test func integersAreIndicesOfNames() throws {
    var told: [[String]] = []
    let named = try LabelIndex.named(try read(["2", "0", "\"1\""]), by: ["a", "b", "c"]) {
      if case .indexed(let names) = $0 { told.append(names) }
    }
    #expect(named.map(\.label) == ["c", "a", "b"])
    #expect(told == [["a", "b", "c"]])
  }

  /// Nothing is renamed that need not be an index.
  @Test func labelsThatStay() throws {
    for (labels, names) in [
      (["3", "4"], []), (["0", "1"], ["1", "0"]), (["0", "1"], ["0", "x"]),
      (["\"a\"", "\"b\""], ["b", "a"]), (["\"a\"", "\"0\""], ["a", "b"]),
      (["\"00\"", "\"01\""], ["a", "b"]), (["true", "false"], ["a", "b"]),
    ] {
      let examples = try read(labels)
      let named = try LabelIndex.named(examples, by: names) { _ in Issue.record("told") }
      #expect(named.map(\.label) == examples.map(\.label))
    }
  }

  @Test func indicesOutOfRange() throws {
    for label in ["3", "-1", "99999999999999999999"] {
      let examples = try read(["0", label])
      let error = message { _ = try LabelIndex.named(examples, by: ["a", "b", "c"]) }
      // A number that no integer holds is a name like others.
      #expect(
        label.utf8.count > 2
          ? error == nil
          : error == "x: line 2: the label \(label) is no index of 3 labels, which are 0 to 2")
    }
  }

  /// The integer 3 and the text "3" are the same label; other mixtures are refused.
  @Test func kindsAreNotMixed() throws {
    #expect(try read(["3", "\"3\"", "4"]).map(\.label) == ["3", "3", "4"])
    #expect(try read(["true", "\"false\""]).map(\.label) == ["true", "false"])
    for (labels, line, other) in [
      (["1", "\"one\""], 2, 1), (["\"one\"", "\"1\"", "1"], 3, 1), (["true", "1"], 2, 1),
      (["\"a\"", "\"b\"", "false"], 3, 1),
    ] {
      let error = message { _ = try read(labels) }
      #expect(
        error?.hasPrefix("x: line \(line): the label ") == true
          && error?.contains("but in line \(other) ") == true, "\(error ?? "none")")
    }
  }
}
