import Foundation
import TestSupport
import Testing
import VDSQMeasurement
import VDSQStreams

@Suite struct BenchComparisonTests {
  private func model(_ p50: Double, faults: Int, texts: Int, threads: Int = 1) -> BenchRecord {
    .group([
      "model": .text("a \"model\".vdsq"), "threads": .integer(threads),
      "latency_ms": .group(["p50": .number(p50), "count": .integer(texts)]),
      "throughput": .group(["texts_per_s": .number(1e3 / p50)]),
      "memory_bytes": .group(["peak": .integer(1 << 20), "file": .missing]),
      "steady": .group(["minor_faults": .integer(faults), "joules": .missing]),
      "steady_texts": .integer(texts),
    ])
  }

  private func rows(_ milliseconds: [Double]) -> BenchRecord {
    .rows(
      milliseconds.enumerated().map {
        .group([
          "kernel": .text("gemm"), "rows": .integer($0.offset), "ms": .number($0.element),
          "share_of_limit": .number(0.5),
        ])
      })
  }

  /// One encoder and one decoder: what was written reads back as it was.
  @Test(arguments: [true, false]) func recordsReadBack(isRows: Bool) throws {
    let record = isRows ? rows([0.1, 2, 1e-9]) : model(1.25, faults: 7, texts: 3)
    let folder = try TemporaryFolder()
    let json = JSONWriter.string { $0.write(record) }
    let path = try folder.write(Data(json.utf8), to: "bench.json")
    #expect(normalised(try BenchRecord(path: path)) == normalised(record))
    // A comparison's file is a bench's too.
    let compared = try BenchComparison(record, with: record, path: path)
    let second = try folder.write(
      Data(JSONWriter.string { $0.write(compared) }.utf8), to: "second.json")
    let again = try BenchComparison(
      record, with: try BenchComparison.earlier(path: second), path: second)
    #expect(again.figures == compared.figures)
  }

  /// JSON does not tell 2 from 2.0.
  private func normalised(_ record: BenchRecord) -> BenchRecord {
    switch record {
    case .integer(let number): .number(Double(number))
    case .rows(let rows): .rows(rows.map(normalised))
    case .group(let members):
      .group(members.map { .init(name: $0.name, value: normalised($0.value)) })
    default: record
    }
  }

  @Test func figuresAreComparedByNameAndTexts() throws {
    let comparison = try BenchComparison(
      model(2, faults: 40, texts: 20, threads: 2), with: model(1, faults: 10, texts: 10),
      path: "old")
    #expect(comparison.changes.map { [$0.setting, $0.old, $0.new] } == [["threads", "1", "2"]])
    #expect(
      comparison.figures.map(\.name) == [
        "latency_ms.p50", "throughput.texts_per_s", "memory_bytes.peak", "a text: minor_faults",
      ])
    #expect(comparison.figures.map(\.old) == [1, 1000, 1_048_576, 1])
    #expect(comparison.figures.map(\.new) == [2, 500, 1_048_576, 2])
    #expect(comparison.figures.map(\.isWorse) == [true, true, false, true])
    #expect(comparison.figures.allSatisfy { !$0.isBetter })
  }

  @Test func rowsAreKnownByWhatTheyMeasure() throws {
    let comparison = try BenchComparison(rows([1, 3]), with: rows([2, 3, 4]), path: "old")
    #expect(
      comparison.figures.map(\.name) == [
        "gemm, rows 0: ms", "gemm, rows 0: share_of_limit", "gemm, rows 1: ms",
        "gemm, rows 1: share_of_limit",
      ])
    #expect(comparison.figures[0].isBetter)
    #expect(comparison.figures[0].ratio == 0.5)
  }

  @Test func whatIsNoBenchIsRefused() throws {
    let folder = try TemporaryFolder()
    for text in ["{}", "[]", "{\"model\": \"a\"}", "3", "nonsense"] {
      let path = try folder.write(Data(text.utf8), to: "bench.json")
      #expect(throws: (any Error).self) { try BenchComparison.earlier(path: path) }
    }
    #expect(throws: (any Error).self) {
      try BenchComparison(rows([1]), with: model(1, faults: 1, texts: 1), path: "old")
    }
  }
}
