import VDSQFormat
import VDSQKernels

/// The vectors of distances of disentangled attention (He et al. 2021, arXiv 2006.03654).
struct DistanceRows {
  /// `[rows, hidden size]`.
  private let table: TensorView
  /// The norm of the vectors, if there is one.
  private let norm: Normalization?
  private let kind: Architecture.Norm
  private let columns: Int
  private let limit: Int
  /// The row of each distance from `-limit` to `limit`.
  private let places: [Int32]

  /// - Returns: nil if attention is not disentangled.
  /// - Throws: `badInput` if a tensor is missing, has another size, or a distance has no row.
  init?(_ container: Container, _ c: Architecture) throws(VDSQError) {
    guard case .disentangled(let rows, let limit) = c.distanceBias else { return nil }
    table = try container.table("attention.distance_rows", rows: rows, columns: c.hiddenSize)
    norm =
      container.find("attention.distance_norm.weight") == nil
      ? nil
      : try container.norm("attention.distance_norm", c.hiddenSize, Float(c.normEpsilon))
    let stored = try container.finite("attention.distance_places", shape: [2 * limit + 1])
    var places: [Int32] = []
    for i in 0...2 * limit {
      guard stored[i] >= 0, stored[i] < Float(rows) else {
        throw .badInput("\(container.path): attention.distance_places has no row of the table")
      }
      let place = Int32(stored[i])
      // A sequence of n tokens has at most 2n - 1 rows, for which memory is planned.
      guard i == 0 || (0...1).contains(place - places[i - 1]) else {
        throw .badInput(
          "\(container.path): attention.distance_places skips rows of the table, or goes back")
      }
      places.append(place)
    }
    self.places = places
    (kind, columns, self.limit) = (c.norm, c.hiddenSize, limit)
  }

  /// The row of a distance: the place of the query less that of the key.
  func row(of distance: Int) -> Int { Int(places[limit + max(-limit, min(limit, distance))]) }

  /// The rows of all distances within a sequence.
  func rows(length: Int) -> Range<Int> { row(of: 1 - length)..<row(of: length - 1) + 1 }

  /// Copies rows of the table as linear layers read them.
  func load(
    _ rows: Range<Int>, into x: UnsafeMutablePointer<Float>, _ kernels: KernelTable
  ) {
    let width = table.record.rowBytes
    for row in rows {
      table.load(
        table.data + row * width, row: row, kernels, into: x + (row - rows.lowerBound) * columns)
    }
    guard let norm else { return }
    kernels.normalize(x, norm, kind, rows: rows.count, columns: columns, into: x)
  }

  /// Floats of a worker's scratch memory for sequences of up to `longest` tokens.
  static func scratch(rows: Int, longest: Int, headSize: Int) -> Int {
    2 * rows * headSize + (longest + 1) * rows + blockRows * longest
  }

  /// Queries whose biases are in memory together.
  static let blockRows = 64

  /// Computes attention of a head over a sequence, with its biases.
  ///
  /// - Parameters:
  ///   - input: all rows of the sequence.
  ///   - vectors: `[rows, stride]` queries and, `keyOffset` floats behind them, keys of the rows of
  ///     the sequence's distances.
  ///   - scratch: as many floats as `scratch` says.
  ///   - attend: computes the outputs of some rows.
  func attend(
    _ input: AttentionInput, vectors: UnsafePointer<Float>, stride: Int, keyOffset: Int,
    scratch: UnsafeMutablePointer<Float>, _ kernels: KernelTable, _ attend: (AttentionInput) -> Void
  ) {
    let length = input.length, size = input.headSize
    let own = rows(length: length), count = own.count
    let queries = scratch, keys = queries + count * size
    let ofKeys = keys + count * size, ofQuery = ofKeys + length * count
    let biases = ofQuery + count
    for row in 0..<count {
      let from = vectors + row * stride
      for i in 0..<size {
        queries[row * size + i] = from[i]
        keys[row * size + i] = from[keyOffset + i]
      }
    }
    for j in 0..<length {
      kernels.dotRows(input.keys + j * input.stride, queries, count, size, ofKeys + j * count)
    }
    let factor = 1 / input.divisor
    var first = 0
    while first < length {
      let end = min(first + Self.blockRows, length)
      for i in first..<end {
        kernels.dotRows(input.queries + i * input.stride, keys, count, size, ofQuery)
        let bias = biases + (i - first) * length
        places.withUnsafeBufferPointer { places in
          for j in 0..<length {
            let row =
              Int(places[limit + max(-limit, min(limit, i - j))]) - own.lowerBound
            bias[j] = (ofQuery[row] + ofKeys[j * count + row]) * factor
          }
        }
      }
      attend(
        AttentionInput(
          queries: input.queries, keys: input.keys, values: input.values, stride: input.stride,
          length: length, headSize: size, rows: first..<end, divisor: input.divisor,
          bias: AttentionBias(origin: biases - first * length, rowStride: length)))
      first = end
    }
  }
}
