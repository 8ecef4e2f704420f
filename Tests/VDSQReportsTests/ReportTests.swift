import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat
import VDSQReports
import VDSQStreams
import VDSQTraining

@Suite struct ReportTests {
  private func parsed(_ report: some Report) throws -> JSON {
    try JSON(parsing: Array(report.json.utf8), context: "test")
  }

  private func convert(
    _ folder: TemporaryFolder, _ name: String, _ weights: Converter.Weights
  ) throws -> (summary: Converter.Summary, path: String) {
    let path = folder.path(name)
    let converter = try Converter(folder: Fixtures.path("bert-mean"), weights: weights)
    let summary = try converter.write(
      to: path, replace: false, progress: Progress(total: converter.totalBytes) { _ in })
    return (summary, path)
  }

  @Test func conversionReportHasTheSummary() throws {
    let folder = try TemporaryFolder()
    let (summary, path) = try convert(folder, "model.vdsq", .int8)
    let report = ConversionReport(summary: summary, output: path, seconds: 1.25, peakBytes: 1 << 20)
    let json = try parsed(report)
    #expect(json["output"]?.text == path)
    #expect(json["bytes"]?.integer == summary.fileBytes)
    #expect(json["seconds"]?.double == 1.25)
    #expect(json["peak_bytes"]?.integer == 1 << 20)
    #expect(json["sections"]?.elements?.map { $0["name"]?.text } == summary.sections.map(\.name))
    let changed = summary.tensors.count { $0.error.maxAbs > 0 }
    let tensors = try #require(json["tensors"]?.elements)
    #expect(tensors.count == changed)
    let cosines = tensors.compactMap { $0["cosine"]?.double }
    #expect(cosines == cosines.sorted())
    let lines = report.text.split(separator: "\n")
    #expect(lines.last == "1.25 s, peak RSS 1.0 MiB")
    #expect(changed >= 10)
    #expect(
      lines.contains("and \(changed - 10) more; vdsq inspect lists them") == (changed > 10))
  }

  @Test func containerReportHasWhatTheFileHolds() throws {
    let folder = try TemporaryFolder()
    let (conversion, path) = try convert(folder, "model.vdsq", .int8)
    let container = try Container(path: path, decoding: .noWeights)
    let summary = try ContainerSummary(container)
    #expect(summary.checkpointBytes == conversion.checkpointBytes)
    #expect(summary.sources.contains { $0.name == "config.json" && $0.sha256.utf8.count == 64 })
    let json = try parsed(ContainerReport(summary, isVerified: false))
    #expect(json["bytes"]?.integer == conversion.fileBytes)
    #expect(json["verified"]?.boolean == false)
    #expect(json["metadata"]?.members?.map(\.key) == container.metadata.entries.map(\.key))
    #expect(json["provenance"]?["tool"]?.text == "vdsq")
    let tensors = try #require(json["tensors"]?.elements)
    #expect(tensors.map { $0["name"]?.text } == conversion.tensors.map(\.name))
    // Scales and row sums are counted, so no section is smaller than its tensors.
    for section in container.sections where section.kind == .weights {
      let bytes = tensors.filter { $0["section"]?.text == section.name }
        .reduce(0) { $0 + ($1["bytes"]?.integer ?? 0) }
      #expect(bytes > 0 && bytes <= section.rawLength)
      #expect(Double(bytes) > 0.8 * Double(section.rawLength))
    }
    let text = ContainerReport(summary, isVerified: true).text
    #expect(text.hasSuffix("all \(container.sections.count) checksums match"))
    for tensor in container.tensors { #expect(text.contains("\n\(padded(tensor.name, 36)) ")) }
  }

  @Test func differenceReportNamesWhatDiffers() throws {
    let folder = try TemporaryFolder()
    let first = try Container(path: try convert(folder, "a.vdsq", .fp32).path)
    let second = try Container(path: try convert(folder, "b.vdsq", .int8).path)
    let same = DifferenceReport(try ContainerDifference(first, first), first: "a", second: "a")
    #expect(same.text == "the same contents: \(first.tensors.count) tensors")
    #expect(try parsed(same)["same"]?.boolean == true)
    let difference = try ContainerDifference(first, second)
    let report = DifferenceReport(difference, first: "a", second: "b")
    let json = try parsed(report)
    #expect(json["same"]?.boolean == false)
    let changed = difference.tensors.filter { !$0.isSame }
    #expect(!changed.isEmpty)
    #expect(json["tensors"]?.elements?.map { $0["name"]?.text } == changed.map(\.name))
    #expect(
      json["tensors"]?.elements?.first?["stored"]?.elements?.map(\.text) == ["f32", "i8"])
    #expect(
      report.text.contains("\(difference.tensors.count - changed.count) tensors the same"))
  }

  @Test func evaluationReportHasARowForEachNumberOfExamples() throws {
    let rows = [2, 8].map { shots in
      EvaluationRow(
        shots: shots, method: "knn", names: ["a", "b"],
        evaluations: [
          Evaluation([shots, 0, 1, 1], labels: 2, probability: 0.75),
          Evaluation([0, shots, 1, 1], labels: 2, probability: 0.75),
        ])
    }
    let json = try parsed(EvaluationReport(rows))
    #expect(json["labels"]?.elements?.map(\.text) == ["a", "b"])
    for (row, written) in zip(rows, json["rows"]?.elements ?? []) {
      #expect(written["shots"]?.integer == row.shots)
      #expect(written["seeds"]?.integer == 2)
      #expect(written["texts"]?.integer == row.shots! + 2)
      #expect(written["accuracy_mean"]?.double == row.accuracy.mean)
      #expect(
        written["accuracy_interval_95"]?.elements?.map(\.double) == [
          row.accuracyInterval.lowerBound, row.accuracyInterval.upperBound,
        ])
      #expect(written["ece"]?.double == row.calibrationError)
      let confusion = written["confusion"]?.elements?.map { $0.elements?.map(\.integer) }
      #expect(confusion == row.confusion.map { $0 })
      let labels = try #require(written["per_label"]?.elements)
      #expect(labels.map { $0["label"]?.text } == ["a", "b"])
      #expect(labels.map { $0["support"]?.integer } == [row.shots!, 2])
      #expect(labels.map { $0["f1"]?.double } == row.report.labels.map { $0?.f1 })
      #expect(written["macro_mean"]?["precision"]?.double == row.report.macro.precision)
      #expect(written["weighted_mean"]?["recall"]?.double == row.report.weighted.recall)
      let bins = try #require(written["reliability"]?.elements)
      #expect(bins.map { $0["count"]?.integer } == row.reliability.map(\.count))
    }
    // A row for each number of examples, and for each label and their two means.
    let lines = EvaluationReport(rows).text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 3 + 2 + 4)
    #expect(lines[3].isEmpty && lines[4].hasPrefix("label ") && lines[8].hasPrefix("weighted mean"))
  }

  @Test func comparisonsSayWhichIsBetter() throws {
    func row(_ confusion: [Int]) -> EvaluationRow {
      EvaluationRow(
        shots: nil, method: "adapter", names: ["a", "b"],
        evaluations: [Evaluation(confusion, labels: 2, probability: 0.75)])
    }
    let (good, bad) = (row([40, 0, 0, 40]), row([28, 12, 0, 40]))
    for (first, second, word, better) in [
      (good, bad, "better: the interval excludes 0", "this"),
      (bad, good, "worse: the interval excludes 0", "other"),
      (good, good, "no difference shown: the interval includes 0", nil),
    ] {
      let report = EvaluationReport(
        [first], comparedWith: try EvaluationComparison(with: "b", [first], [second]))
      #expect(report.text.contains("compared with b:"))
      #expect(report.text.contains("  \(word), McNemar p"), "\(report.text)")
      let json = try parsed(report)
      #expect(json["compared_with"]?.text == "b")
      let written = try #require(json["rows"]?.elements?.first?["comparison"])
      #expect(written["better"]?.text == better)
      #expect(written["excludes_zero"]?.boolean == (better != nil))
      #expect(written["interval_95"]?.elements?.count == 2)
      let difference = try #require(written["difference"]?.double)
      #expect((difference - (first.accuracy.mean - second.accuracy.mean)).magnitude < 1e-12)
    }
  }

  @Test(arguments: ["csv", "jsonl"])
  func predictionsAreReadAsExamples(_ form: String) throws {
    let folder = try TemporaryFolder()
    let texts = ["say \"hi\", now", "two\r\nlines\ttab", " plain "].map {
      Examples.Example(
        text: $0, label: "a", origin: Examples.Origin(file: "t", line: $0.count), isReplaced: false)
    }
    let row = EvaluationRow(
      shots: 4, method: "joint", names: ["a", "b,c"],
      evaluations: [Evaluation([2, 1, 0, 0], labels: 2, probability: 0.75)])
    let path = folder.path("p.\(form)")
    try PredictionsFile(path: path).write([row], texts: texts, replace: false)
    let reader = ExampleReader(fields: ExampleFields(text: "text", label: "predicted"))
    let read = try reader.read(path)
    #expect(read.map(\.text) == texts.map(\.text))
    #expect(read.map(\.label) == ["a", "a", "b,c"])
    let written = try String(contentsOfFile: path, encoding: .utf8)
    if form == "csv" {
      #expect(written.contains(" plain ,a,\"b,c\",0.750000,0.250000,false,7,4,0\r\n"))
    } else {
      #expect(
        written.contains(
          "\"predicted\": \"b,c\", \"probability\": 0.750000, \"label_probability\": 0.250000, "
            + "\"correct\": false, \"line\": 7, \"shots\": 4, \"seed\": 0}\n"))
    }
    #expect(throws: VDSQError.self) { try PredictionsFile(path: folder.path("p.tsv")) }
    #expect(throws: VDSQError.self) {
      try PredictionsFile(path: path).write([row], texts: texts, replace: false)
    }
  }

  @Test func numbersForPeople() {
    #expect(fixed(1.005, 1) == "1.0")
    #expect(fixed(-0.04, 1) == "0.0")
    #expect(fixed(2.5, 0) == "3")
    #expect(fixed(.nan, 2) == "nan")
    #expect(significant(0) == "0")
    #expect(significant(1234.5) == "1235")
    #expect(significant(0.012345) == "0.0123")
    #expect(mebibytes(3 << 19) == "1.5 MiB")
    #expect(padded("ab", 4) == "ab  ")
    #expect(rightAligned("abc", 2) == "abc")
    #expect(LineText.escaped("a\tb\\\r\n") == "a\\tb\\\\\\r\\n")
  }
}
