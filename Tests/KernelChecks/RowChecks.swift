import VDSQKernels

extension Checker {
  /// Cosines are bit-identical on every instruction set, including extremes and the last rows.
  func cosines() {
    forEachMatrix { m, queries, what in
      var reference: [Float] = []
      for query in queries {
        for row in 0..<m.rows { reference.append(ScalarReference.cosine(query, m, row)) }
      }
      for range in [0..<m.rows, m.rows / 3..<m.rows, 0..<(m.rows + 1) / 2] {
        for count in [1, queries.count - 1, queries.count] {
          let stride = range.count + 3
          var ours = [Float](repeating: .nan, count: count * stride)
          ours.withUnsafeMutableBufferPointer { ours in
            queries.withUnsafeBufferPointer {
              table.cosines($0.baseAddress!, count, m, range, ours.baseAddress!, stride)
            }
          }
          for i in 0..<count {
            let own = ours[i * stride..<i * stride + range.count]
            let expected = reference[i * m.rows + range.lowerBound..<i * m.rows + range.upperBound]
            expect(Array(own) == Array(expected), "cosines: \(what), \(count) queries")
            let behind = ours[i * stride + range.count..<(i + 1) * stride]
            expect(behind.allSatisfy(\.isNaN), "cosines: \(what), written behind the range")
          }
        }
      }
    }
  }

  func topK() {
    forEachMatrix { m, queries, what in
      for k in [1, 3, 10, 200] {
        var expected: [[Found]] = []
        for query in queries {
          var all: [Found] = []
          for row in 0..<m.rows {
            all.append(Found(score: ScalarReference.cosine(query, m, row), id: Int32(row)))
          }
          all.sort { $0.score > $1.score || ($0.score == $1.score && $0.id < $1.id) }
          expected.append(Array(all.prefix(k)))
        }
        for (i, query) in queries.enumerated() {
          let whole = best(k, 1) { table.cosineTopK(query, m, 0..<m.rows, &$0[0]) }
          expect(whole == [expected[i]], "cosineTopK: \(what), k \(k)")
          // In two parts and in the wrong order, as may happen with threads.
          let parts = best(k, 1) {
            table.cosineTopK(query, m, m.rows / 2..<m.rows, &$0[0])
            table.cosineTopK(query, m, 0..<m.rows / 2, &$0[0])
          }
          expect(parts == [expected[i]], "cosineTopK in parts: \(what), k \(k)")
          let ids = (0..<m.rows).map { Int32(m.rows - 1 - $0) }
          let named = best(k, 1) { table.cosineTopKOf(query, m, ids, ids.count, &$0[0]) }
          expect(named == [expected[i]], "cosineTopKOf: \(what), k \(k)")
        }
        let batch = best(k, queries.count) { heaps in
          queries.withUnsafeBufferPointer {
            table.cosineTopKBatch($0.baseAddress!, $0.count, m, 0..<m.rows, heaps)
          }
        }
        expect(batch == expected, "cosineTopKBatch: \(what), k \(k)")
      }
    }
  }

  func coarseScan() {
    var random = Random(12)
    for (rows, columns) in [(1, 1), (63, 4), (64, 6), (65, 7), (130, 48), (200, 384), (70, 2050)] {
      let blocks = (rows + 63) / 64
      let rowBytes = CoarseRows.rowBytes(columns)
      var codes = [UInt8](repeating: 0, count: blocks * 64 * rowBytes)
      for i in codes.indices { codes[i] = UInt8(random.integer(0, 255)) }
      let scales = random.floats(blocks * 64, 0.5, 1.5)
      let x = random.floats(columns)
      var tables = [UInt8](repeating: 0, count: rowBytes * 32)
      codes.withUnsafeBytes { codes in
        scales.withUnsafeBufferPointer { scales in
          tables.withUnsafeMutableBufferPointer { tables in
            let m = CoarseRows(
              codes: codes.baseAddress!, scales: scales.baseAddress!, rows: rows, columns: columns)
            let query = CoarseQuery(x, columns: columns, into: tables.baseAddress!)
            let plain = Array(tables)
            let again = table.coarseQuery(x, columns, tables.baseAddress!)
            expect(
              Array(tables) == plain && again.offset == query.offset,
              "coarseQuery: \(columns) columns")
            for wanted in [1, 10, rows] {
              let room = Candidates.capacity(wanted)
              var scores = [Float](repeating: 0, count: room)
              var ids = [Int32](repeating: -1, count: room)
              var kept = 0
              scores.withUnsafeMutableBufferPointer { s in
                ids.withUnsafeMutableBufferPointer { i in
                  var found = Candidates(
                    wanted: wanted, scores: s.baseAddress!, ids: i.baseAddress!)
                  table.coarseScan(query, m, 0..<m.blocks, &found)
                  found.prune()
                  kept = found.count
                }
              }
              var reference = (0..<rows).map { ScalarReference.coarseEstimate(query, m, $0) }
              var right = kept == min(wanted, rows)
              for i in 0..<kept { right = right && scores[i] == reference[Int(ids[i])] }
              reference.sort(by: >)
              let ours = scores[..<kept].sorted(by: >)
              expect(
                right && ours == Array(reference[..<kept]),
                "coarseScan: \(rows) x \(columns), \(wanted) wanted")
            }
          }
        }
      }
    }
  }

  struct Found: Equatable {
    let score: Float
    let id: Int32
  }

  /// The results of `body` in `count` heaps, best first.
  private func best(
    _ k: Int, _ count: Int, _ body: (UnsafeMutablePointer<TopK>) -> Void
  ) -> [[Found]] {
    var scores = [Float](repeating: 0, count: k * count)
    var ids = [Int32](repeating: -1, count: k * count)
    var results: [[Found]] = []
    scores.withUnsafeMutableBufferPointer { scores in
      ids.withUnsafeMutableBufferPointer { ids in
        var heaps: [TopK] = []
        for i in 0..<count {
          heaps.append(
            TopK(
              capacity: k, scores: scores.baseAddress! + i * k, ids: ids.baseAddress! + i * k))
        }
        heaps.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
        for i in 0..<count {
          var found: [Found] = []
          heaps[i].drain { found.append(Found(score: $0, id: $1)) }
          results.append(found)
        }
      }
    }
    return results
  }

  private func forEachMatrix(_ body: (Int8Rows, [Int8Query], String) -> Void) {
    var random = Random(11)
    let shapes = [
      (1, 1), (2, 3), (5, 16), (17, 31), (33, 32), (16, 63), (40, 64), (64, 65), (100, 100),
      (37, 384), (130, 130), (3, 896),
    ]
    for (rows, columns) in shapes {
      for extreme in [false, true] {
        var values = [Int8](repeating: 0, count: rows * columns)
        for i in values.indices {
          values[i] =
            extreme
            ? (random.integer(0, 1) == 0 ? -128 : 127) : Int8(random.integer(-127, 127))
        }
        // A duplicated row: ties go to the lower id.
        if rows > 4 { for k in 0..<columns { values[3 * columns + k] = values[columns + k] } }
        var norms = [Float](repeating: 0, count: rows)
        for row in 0..<rows {
          var square: Float = 0
          for k in 0..<columns {
            square += Float(values[row * columns + k]) * Float(values[row * columns + k])
          }
          norms[row] = square > 0 ? 1 / square.squareRoot() : 0
        }
        let count = random.integer(1, 7)
        let padded = Int8Query.paddedColumns(columns)
        var storage = [Int8](repeating: 99, count: count * padded)
        values.withUnsafeBufferPointer { values in
          norms.withUnsafeBufferPointer { norms in
            storage.withUnsafeMutableBufferPointer { storage in
              let m = Int8Rows(
                values: values.baseAddress!, rows: rows, columns: columns,
                reciprocalNorms: norms.baseAddress!)
              var queries: [Int8Query] = []
              for i in 0..<count {
                let x =
                  extreme
                  ? (0..<columns).map { _ in random.integer(0, 1) == 0 ? Float(-1) : 1 }
                  : random.floats(columns)
                let own = storage.baseAddress! + i * padded
                queries.append(Int8Query(quantizing: x, columns: columns, into: own))
                let plain = Array(UnsafeBufferPointer(start: own, count: padded))
                let again = table.int8Query(x, columns, own)
                expect(
                  Array(UnsafeBufferPointer(start: own, count: padded)) == plain
                    && again.sum == queries[i].sum
                    && again.reciprocalNorm == queries[i].reciprocalNorm,
                  "int8Query: \(columns) columns")
              }
              body(m, queries, "\(rows) x \(columns)")
            }
          }
        }
      }
    }
  }
}
