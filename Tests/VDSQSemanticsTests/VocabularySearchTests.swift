import KernelChecks
import Testing
import VDSQInference
import VDSQKernels

import VDSQSemantics

@Suite struct VocabularySearchTests {
  /// A search over random int8 rows, with and without coarse rows.
  private func search<T>(
    rows: Int, columns: Int, threads: Int, capacity: Int, candidates: Int? = nil,
    _ body: (VocabularySearch) -> T
  ) -> T {
    var random = Random(3)
    var values = [Int8](repeating: 0, count: rows * columns)
    for i in values.indices { values[i] = Int8(random.integer(-127, 127)) }
    var norms = [Float](repeating: 0, count: rows)
    let blocks = (rows + 63) / 64
    let blockBytes = CoarseRows.rowBytes(columns) * 64
    var codes = [UInt8](repeating: 0, count: blocks * blockBytes)
    var scales = [Float](repeating: 0, count: blocks * 64)
    let rotation = CoarseRotation(columns: columns)
    var scratch = [Float](repeating: 0, count: columns)
    for row in 0..<rows {
      var x = values[row * columns..<(row + 1) * columns].map(Float.init)
      norms[row] = 1 / x.reduce(0) { $0 + $1 * $1 }.squareRoot()
      x.withUnsafeMutableBufferPointer { x in
        scratch.withUnsafeMutableBufferPointer { rotation.apply(x.baseAddress!, $0.baseAddress!) }
      }
      codes.withUnsafeMutableBufferPointer {
        scales[row] = CoarseRows.encode(
          x, columns: columns, row: row, into: $0.baseAddress! + row / 64 * blockBytes)
      }
    }
    return values.withUnsafeBufferPointer { values in
      norms.withUnsafeBufferPointer { norms in
        codes.withUnsafeBytes { codes in
          scales.withUnsafeBufferPointer { scales in
            body(
              VocabularySearch(
                rows: Int8Rows(
                  values: values.baseAddress!, rows: rows, columns: columns,
                  reciprocalNorms: norms.baseAddress!),
                coarse: CoarseRows(
                  codes: codes.baseAddress!, scales: scales.baseAddress!, rows: rows,
                  columns: columns),
                kernels: KernelTable.available()[0], threads: ThreadPool(count: threads),
                capacity: capacity, candidates: candidates))
          }
        }
      }
    }
  }

  private func found(
    _ search: VocabularySearch, _ state: [Float], approximate: Bool = false
  ) -> [VocabularySearch.Result] {
    var results: [VocabularySearch.Result] = []
    search.search(state, approximate: approximate) { results.append($0) }
    return results
  }

  /// A rotation preserves lengths and angles, for every divisibility of the columns.
  @Test func rotationsKeepProducts() {
    var random = Random(4)
    for columns in [1, 2, 3, 6, 8, 48, 100, 384] {
      let rotation = CoarseRotation(columns: columns)
      var a = random.floats(columns), b = random.floats(columns)
      var scratch = [Float](repeating: 0, count: columns)
      let before = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
      rotation.apply(&a, &scratch)
      rotation.apply(&b, &scratch)
      let after = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
      #expect((before - after).magnitude < 1e-4 * Float(columns))
    }
  }

  @Test(arguments: [1, 2, 3])
  func exactSearchesFindTheBest(threads: Int) {
    // Large enough that every thread gets a share.
    search(rows: 70_001, columns: 96, threads: threads, capacity: 10) { search in
      var random = Random(5)
      let state = random.floats(96)
      let results = found(search, state)
      var bytes = [Int8](repeating: 0, count: Int8Query.paddedColumns(96))
      let query = bytes.withUnsafeMutableBufferPointer {
        Int8Query(quantizing: state, columns: 96, into: $0.baseAddress!)
      }
      bytes.withUnsafeBufferPointer { _ in
        let all = (0..<search.rows.rows).map { ScalarReference.cosine(query, search.rows, $0) }
        let best = all.indices.sorted { all[$0] > all[$1] || (all[$0] == all[$1] && $0 < $1) }
        #expect(results.map { Int($0.id) } == Array(best.prefix(10)))
        #expect(results.map(\.cosine) == best.prefix(10).map { all[$0] })
      }
      #expect(found(search, state) == results, "a second search starts anew")
    }
  }

  @Test(arguments: [1, 2])
  func approximateSearchesFindNearlyAll(threads: Int) {
    search(rows: 30_000, columns: 128, threads: threads, capacity: 10) { search in
      var random = Random(6)
      var right = 0
      for _ in 0..<20 {
        let state = random.floats(128)
        let exact = Set(found(search, state).map(\.id))
        let approximate = found(search, state, approximate: true)
        #expect(approximate.count == 10)
        #expect(zip(approximate, approximate.dropFirst()).allSatisfy { $0.cosine >= $1.cosine })
        right += approximate.filter { exact.contains($0.id) }.count
      }
      #expect(right >= 190, "recall@10 \(Double(right) / 200)")
    }
  }

  /// With all rows as candidates the search is exact.
  @Test func allCandidatesAreExact() {
    for (rows, columns) in [(1, 1), (63, 5), (64, 7), (65, 8), (1000, 33)] {
      search(rows: rows, columns: columns, threads: 1, capacity: 5, candidates: rows) { search in
        var random = Random(7)
        let state = random.floats(columns)
        #expect(search.capacity == min(5, rows))
        #expect(found(search, state, approximate: true) == found(search, state))
      }
    }
  }

  @Test func statesThatAreNoDirection() {
    search(rows: 200, columns: 16, threads: 1, capacity: 3) { search in
      for state in [[Float](repeating: 0, count: 16), [.nan] + [Float](repeating: 1, count: 15)] {
        for approximate in [false, true] {
          let results = found(search, state, approximate: approximate)
          #expect(results.allSatisfy { $0.cosine == 0 })
        }
      }
    }
  }
}
