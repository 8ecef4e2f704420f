import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQConversion
import VDSQFiles
import VDSQFormat

/// Bases compared with numpy's pseudo-inverse in float64.
@Suite struct BasesTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func rows(_ path: String) throws -> [[Float]] {
    let tensor = try NPYFile(path: path).tensor
    return try (0..<tensor.rows).map { try tensor.read(rows: $0..<$0 + 1) }
  }

  private func solve(
    _ head: HeadMatrix, _ change: (inout BasesOptions) -> Void = { _ in }
  ) throws -> (rows: [[Float]], report: BasesReport) {
    var options = BasesOptions()
    options.method = .pinv
    change(&options)
    let solver = try BasesSolver(head, options: options)
    let path = folder.path("bases.vdsq")
    let (report, bytes) = try BasesFile.write(
      solver, weights: .fp32, identity: nil, tokenizer: nil, to: path, replace: true,
      progress: { _ in })
    let file = try Container(path: path, kind: .bases)
    try file.verify()
    #expect(file.header.fileLength == bytes)
    let stored = try file.floats("bases.rows", shape: [head.rows, head.columns])
    return (
      (0..<head.rows).map {
        Array(UnsafeBufferPointer(start: stored + $0 * head.columns, count: head.columns))
      }, report
    )
  }

  private func head(_ name: String) throws -> HeadMatrix {
    try HeadMatrix(try NPYFile(path: Fixtures.path("bases/\(name).npy")).tensor)
  }

  @Test(arguments: [("full", 3.0, 24), ("ill", 1e6, 24), ("deficient", 3.0 / 1.608_695_6, 17)])
  func basesAreNumPys(_ name: String, _ condition: Double, _ rank: Int) throws {
    let golden = try rows(Fixtures.path("bases/\(name).golden.npy"))
    let (ours, report) = try solve(try head(name))
    for (a, b) in zip(ours, golden) { #expect(relativeError(a, b) < 1e-4) }
    #expect(ours.count == golden.count)
    #expect(report.rank == rank)
    #expect((report.condition / condition - 1).magnitude < 1e-3, "\(report.condition)")
    #expect(report.refined == (name != "full"))
    #expect(report.sampled > 0 && report.largestError <= 1.000001)
  }

  /// The trace of a projection is its rank, and |W s - e|^2 is one minus the diagonal element.
  @Test func reconstructionErrorsAreThoseOfAProjection() throws {
    let (_, report) = try solve(try head("full"))
    let expected = (1 - 24.0 / 300).squareRoot()
    #expect((report.meanError - expected).magnitude < 0.02)
  }

  @Test func aSmallPenaltyChangesLittleAndALargeOneTurnsToTheHead() throws {
    let head = try head("full")
    let exact = try solve(head).rows
    let slight = try solve(head) {
      $0.method = .ridge
      $0.lambda = 1e-7
    }.rows
    let strong = try solve(head) {
      $0.method = .ridge
      $0.lambda = 1e7
    }.rows
    let plain = try solve(head) { $0.method = .head }.rows
    for i in exact.indices {
      #expect(cosine(slight[i], exact[i]) > 0.99999)
      #expect(cosine(strong[i], plain[i]) > 0.99999)
    }
  }

  @Test func threadsAndTilesChangeNothing() throws {
    let head = try head("ill")
    let alone = try solve(head).rows
    let tiled = try solve(head) {
      $0.threads = 2
      $0.budget = 34 << 20
    }.rows
    for (a, b) in zip(alone, tiled) { #expect(relativeError(a, b) < 1e-5) }
  }

  @Test func aBudgetThatCannotBeMetNamesTheSmallestThatCan() throws {
    var options = BasesOptions()
    options.method = .pinv
    options.budget = 1 << 20
    #expect {
      _ = try BasesSolver(try head("full"), options: options)
    } throws: {
      let error = $0 as? VDSQError
      return error?.category == .budgetTooSmall && error!.message.contains("at least 3")
    }
    #expect(folder.contents.isEmpty)
  }

  private func write(_ values: [Float], columns: Int, _ name: String) throws -> HeadMatrix {
    let path = folder.path(name)
    let writer = try NPYWriter(path: path, columns: columns, replace: true)
    for row in stride(from: 0, to: values.count, by: columns) {
      try values[row..<row + columns].withUnsafeBufferPointer { try writer.append($0) }
    }
    try writer.finish()
    return try HeadMatrix(try NPYFile(path: path).tensor)
  }

  @Test func hopelessHeadsAreRefused() throws {
    let zeros = try write([Float](repeating: 0, count: 40), columns: 4, "zeros.npy")
    var broken = [Float](repeating: 1, count: 40)
    broken[17] = .nan
    let nan = try write(broken, columns: 4, "nan.npy")
    for head in [zeros, nan] {
      #expect {
        _ = try solve(head)
      } throws: {
        ($0 as? VDSQError)?.category == .badInput
      }
    }
    #expect(!folder.contents.contains("bases.vdsq"), "no half-written file")
  }

  /// A token whose row is zero has a basis of zeros, and no cosine to anything.
  @Test func zeroRowsStayZero() throws {
    var random = Random(2)
    var values = random.floats(40 * 4, in: -1...1)
    for i in 8..<12 { values[i] = 0 }
    let (rows, _) = try solve(try write(values, columns: 4, "some.npy"))
    #expect(rows[2] == [0, 0, 0, 0])
    #expect((cosine(rows[3], rows[3]) - 1).magnitude < 1e-6)
  }

  @Test(arguments: [
    ("empty", ""), ("text", "hello, this is not numpy"),
    ("short", "\u{93}NUMPY"),
  ])
  func foreignArraysAreRefused(_ name: String, _ contents: String) throws {
    let path = try folder.write(Data(contents.unicodeScalars.map { UInt8($0.value) }), to: name)
    #expect { _ = try NPYFile(path: path) } throws: { ($0 as? VDSQError)?.category == .badInput }
  }

  /// Headers with false claims about the array.
  @Test func arraysThatDoNotMatchTheirHeadersAreRefused() throws {
    let good = try Fixtures.data("bases/full.npy")
    let text = String(decoding: good.prefix(128), as: UTF8.self)
    let edits = [
      ("(300, 24)", "(301, 24)"), ("(300, 24)", "(-30, 24)"),
      ("(300, 24)", "(9999999999999, 99999999)"),
      ("<f4", "<i8"), ("<f4", "|O8"), ("False", "True "), ("(300, 24)", "(2, 2, 9)"),
    ]
    for (old, new) in edits {
      #expect(text.contains(old))
      var header = [UInt8](good.prefix(128))
      let place = header.indices.first { header[$0...].starts(with: old.utf8) }!
      header.replaceSubrange(place..<place + old.utf8.count, with: new.utf8)
      let grown = header.count - 128
      header[8] = UInt8(Int(header[8]) + grown)
      let path = try folder.write(Data(header) + good.dropFirst(128), to: "edited.npy")
      #expect {
        _ = try NPYFile(path: path)
      } throws: {
        ($0 as? VDSQError)?.category == .badInput
      }
    }
  }
}
