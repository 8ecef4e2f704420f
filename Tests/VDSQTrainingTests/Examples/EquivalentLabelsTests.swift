import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQCheckpoints
import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTraining

/// Labels that are canonically equivalent are different labels, wherever they are named.
@Suite struct EquivalentLabelsTests {
  private static let one = "caf\u{E9}"
  private static let two = "cafe\u{301}"

  @Test func namesOfLabels() throws {
    let labels = try Label.checked(try Label.parse(list: "\(Self.one),\(Self.two)"))
    #expect(labels.count == 2 && labels[0] != labels[1])
    let file = #"{"\#(Self.one)": "tea", "\#(Self.two)": "milk"}"#
    #expect(try LabelFile.labels(in: Array(file.utf8), path: "").count == 2)
  }

  @Test func labelsOfExamples() throws {
    let lines = [Self.one, Self.two, Self.one].map { #"{"text": "x", "label": "\#($0)"}"# }
    let examples = try lines.map {
      try ExampleReader().example(inLine: Array($0.utf8), context: "")
    }
    let labels = Examples.labels(of: examples, outOfScope: Self.two)
    #expect(labels.count == 2 && labels[0].words == [Self.one] && labels[1].words.isEmpty)
    #expect(
      Examples.labels(of: examples, named: [labels[0]], outOfScope: Self.two).count == 2)
  }

  @Test func columnsOfTables() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      Data("\(Self.two),\(Self.one),text\na,b,hello\n".utf8), to: "t.csv")
    for (name, label) in [(Self.one, "b"), (Self.two, "a")] {
      let reader = ExampleReader(fields: ExampleFields(text: "text", label: name))
      #expect(try reader.read(path)[0].label == label)
    }
    #expect(throws: VDSQError.self) {
      try ExampleReader(fields: ExampleFields(text: "text", label: "caf\u{65}\u{300}")).read(path)
    }
  }

  @Test func fieldsOfRecords() throws {
    let line = #"{"\#(Self.two)": "a", "\#(Self.one)": "b", "text": "x"}"#
    for (name, label) in [(Self.one, "b"), (Self.two, "a")] {
      let reader = ExampleReader(fields: ExampleFields(text: "text", label: name))
      #expect(try reader.example(inLine: Array(line.utf8), context: "").label == label)
    }
  }

  @Test func learnedLabels() throws {
    let folder = try TemporaryFolder()
    let model = folder.path("m.vdsq")
    let vdsq = Program("vdsq")
    #expect(try vdsq.run(["convert", Fixtures.path("bert-mean"), "-o", model, "-q"]).status == 0)
    let adapter = folder.path("a.vdsa")
    let labels = "\(Self.one),\(Self.two)"
    func learn(_ label: String) throws -> Program.Result {
      try vdsq.run(
        ["learn", model, adapter, "--labels", labels, "--label", label, "--json"],
        input: "tea\n")
    }
    for label in [Self.one, Self.two] {
      let result = try learn(label)
      #expect(result.status == 0, "\(result.errors)")
      #expect(
        result.output.utf8.count { $0 == 0xCC } >= (label.utf8.elementsEqual(Self.two.utf8) ? 1 : 0)
      )
    }
    let other = try vdsq.run(
      ["learn", model, adapter, "--labels", Self.one, "--label", Self.one], input: "tea\n")
    #expect(other.status == 64, "\(other.errors)")
  }
}
