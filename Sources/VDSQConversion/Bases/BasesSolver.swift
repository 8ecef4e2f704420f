import Glibc
package import VDSQFormat

/// Computes the vocabulary bases of an LM head within a memory budget: rows of S = W (W^T W)^+.
/// Only d x d matrices and tiles of rows are in memory.
///
/// G = W^T W is accumulated in float64. If G is well-conditioned, a Cholesky factorisation inverts
/// it. If it is ill-conditioned or singular, squaring has lost the small singular values. Then W is
/// rotated by the eigenvectors of G and scaled so that its columns have lengths near one, and the
/// product of that matrix recovers them (a second pass, as in CholeskyQR2).
package final class BasesSolver {
  /// The matrix W, `[vocabulary, dimensions]`.
  package let head: HeadMatrix
  /// The method, its parameters and the memory limit.
  package let options: BasesOptions
  /// The memory that the solver needs.
  package let plan: BasesPlan
  private let algebra: LinearAlgebra?
  private let tiles: HeadTiles
  private let out: Matrix

  /// A block of doubles.
  final class Matrix {
    let start: UnsafeMutablePointer<Double>
    let count: Int

    init(_ count: Int) {
      self.count = count
      start = .allocate(capacity: count)
      start.initialize(repeating: 0, count: count)
    }

    convenience init(copying other: Matrix) {
      self.init(other.count)
      start.update(from: other.start, count: count)
    }

    deinit { start.deallocate() }
  }

  /// - Throws: `budgetTooSmall`, naming the smallest budget that suffices; `missingInput` if
  ///   OpenBLAS is not installed.
  package init(_ head: HeadMatrix, options: BasesOptions) throws(VDSQError) {
    guard options.method != .balanced || options.balanced != nil else {
      throw .usage(
        "balanced bases need a model to run; a head alone can have ridge or pinv", .method)
    }
    self.head = head
    self.options = options
    let isSolved = options.method.isSolved
    plan = try BasesPlan(
      rows: head.rows, columns: head.columns, matrices: isSolved ? 2 : 0, options: options)
    algebra =
      isSolved ? try LinearAlgebra(threads: options.threads, portable: options.portable) : nil
    tiles = HeadTiles(head, rows: plan.tileRows)
    out = Matrix(isSolved ? plan.tileRows * head.columns : 0)
  }

  /// The number of passes over the rows, for progress: two, or three if the head is
  /// ill-conditioned.
  package var passes: Int { options.method.isSolved ? 2 : 1 }

  /// The map from tiles of the head to tiles of bases.
  private enum Map {
    case identity
    /// `K`, symmetric.
    case product(Matrix)
    /// `K2` for rows that were rotated by `vectors` and divided by `scales`.
    case refined(vectors: Matrix, scales: [Double], Matrix)
  }

  /// Calls `body` with the bases of consecutive tiles of rows, in order, and returns the properties
  /// of the head.
  ///
  /// - Parameters:
  ///   - progress: called with the number of rows that a step has read.
  ///   - begin: called before the first bases with the report, which lacks the errors.
  /// - Throws: `badInput` if a value is not finite or all are zero; `budgetTooSmall` if the head is
  ///   so ill-conditioned that the solver needs more memory than the budget.
  package func solve(
    progress: (Int) -> Void, begin: (BasesReport) throws(VDSQError) -> Void = { _ in },
    _ body: (_ first: Int, _ bases: UnsafeBufferPointer<Double>) throws(VDSQError) -> Void
  ) throws(VDSQError) -> BasesReport {
    let d = head.columns
    var report = BasesReport()
    report.method = options.method
    report.temperature = options.balanced?.temperature
    (report.rows, report.columns) = (head.rows, d)
    var map = Map.identity
    var gram: Matrix?
    if let algebra {
      let g = try product(algebra, progress)
      map = try solve(g, algebra, &report, progress)
      gram = g
    }
    try begin(report)
    let samples = Samples(rows: head.rows)
    var errors: [Double] = []
    try tiles.forEach(progress) { (first, rows, tile) throws(VDSQError) in
      let bases = apply(map, rows: rows)
      if let gram {
        for row in samples.within(first..<first + rows) {
          errors.append(
            Self.error(gram, tile + (row - first) * d, bases + (row - first) * d, d))
        }
      }
      try body(first, UnsafeBufferPointer(start: bases, count: rows * d))
    }
    report.sampled = errors.count
    report.meanError = errors.isEmpty ? 0 : errors.reduce(0, +) / Double(errors.count)
    report.largestError = errors.max() ?? 0
    return report
  }

  /// A sample of tokens spread over the vocabulary.
  private struct Samples {
    let step: Int

    init(rows: Int) { step = max(1, rows / 64) }

    func within(_ range: Range<Int>) -> StrideTo<Int> {
      stride(
        from: (range.lowerBound + step - 1) / step * step, to: range.upperBound, by: step)
    }
  }

  /// `|W s - e|`, whose square is `s^T G s - 2 w s + 1`.
  private static func error(
    _ gram: Matrix, _ w: UnsafePointer<Double>, _ s: UnsafePointer<Double>, _ d: Int
  ) -> Double {
    var square = 1.0
    for column in 0..<d {
      var sum = 0.0
      // The lower triangle, mirrored.
      for row in 0..<d {
        sum += gram.start[row < column ? row * d + column : column * d + row] * s[row]
      }
      square += s[column] * (sum - 2 * w[column])
    }
    return max(0, square).squareRoot()
  }

  /// `W^T W`, the lower triangle.
  private func product(
    _ algebra: LinearAlgebra, _ progress: (Int) -> Void
  ) throws(VDSQError) -> Matrix {
    let d = head.columns
    let g = Matrix(d * d)
    try tiles.forEach(progress) { _, rows, tile in
      algebra.addProduct(tile, n: d, k: rows, to: g.start)
    }
    guard (0..<d).contains(where: { g.start[$0 * d + $0] > 0 }) else {
      throw .badInput("\(head.name): the vocabulary's rows are all zero")
    }
    return g
  }

  private func apply(_ map: Map, rows: Int) -> UnsafeMutablePointer<Double> {
    let d = head.columns
    switch map {
    case .identity:
      if let balanced = options.balanced {
        for i in 0..<rows * d { tiles.tile.start[i] += balanced.common[i % d] }
      }
      return tiles.tile.start
    case .product(let k):
      algebra!.multiply(k.start, tiles.tile.start, m: d, n: rows, k: d, into: out.start)
      return out.start
    case .refined(let vectors, let scales, let k):
      turn(vectors, scales, rows, algebra!)
      let turned = Matrix(rows * d)
      turned.start.update(from: out.start, count: rows * d)
      algebra!.multiply(
        k.start, turned.start, m: d, n: rows, k: d, transposedLeft: true, into: out.start)
      return out.start
    }
  }

  /// Rotates the rows of the tile by a matrix's columns and divides them by scales, into `out`.
  private func turn(
    _ vectors: Matrix, _ scales: [Double], _ rows: Int, _ algebra: LinearAlgebra
  ) {
    let d = head.columns
    algebra.multiply(
      vectors.start, tiles.tile.start, m: d, n: rows, k: d, transposedLeft: true, into: out.start)
    for row in 0..<rows {
      for i in 0..<d { out.start[row * d + i] /= scales[i] }
    }
  }

  /// Heads of a higher condition number are solved in two steps.
  private static let highestCondition = 1e5

  private func solve(
    _ gram: Matrix, _ algebra: LinearAlgebra, _ report: inout BasesReport,
    _ progress: (Int) -> Void
  ) throws(VDSQError) -> Map {
    let d = head.columns
    let k = Matrix(copying: gram)
    let squares = try algebra.eigenvalues(k.start, n: d, vectors: false)
    let values = squares.map { max(0, $0).squareRoot() }
    let largest = values[d - 1]
    let cut = options.rcond ?? Double(max(head.rows, d)) * Double.ulpOfOne
    let smallest = values[0]
    k.start.update(from: gram.start, count: d * d)
    if options.method == .ridge {
      let mean = squares.reduce(0, +) / Double(d)
      for i in 0..<d { k.start[i * d + i] += options.lambda * mean }
    }
    let isSound =
      options.method == .ridge
      || (smallest > cut * largest && largest < Self.highestCondition * smallest)
    if isSound, algebra.invert(k.start, n: d) {
      Self.describe(values, cut: cut * largest, &report)
      return .product(k)
    }
    return try refine(k, gram, cut, algebra, &report, progress)
  }

  private static func describe(_ values: [Double], cut: Double, _ report: inout BasesReport) {
    let kept = values.filter { $0 > cut }
    report.rank = kept.count
    report.condition = (kept.max() ?? 1) / (kept.min() ?? 1)
    let total = kept.reduce(0, +)
    let entropy = kept.reduce(0) { $0 - $1 / total * log($1 / total) }
    report.effectiveRank = exp(entropy)
  }

  /// With G = V1 D1^2 V1^T approximately, and D1 bounded away from zero, B = W V1 D1^-1 has a
  /// well-conditioned product B^T B = V2 S2^2 V2^T. W = U2 (S2 V2^T D1) V1^T with U2 = B V2 S2^-1.
  /// The matrix in brackets has the singular values of W, and bases are rows of B K2 with K2 = V2
  /// S2^-1 (S2 V2^T D1)^+T V1^T.
  private func refine(
    _ k: Matrix, _ gram: Matrix, _ cut: Double, _ algebra: LinearAlgebra,
    _ report: inout BasesReport, _ progress: (Int) -> Void
  ) throws(VDSQError) -> Map {
    let d = head.columns
    report.refined = true
    // At most ten matrices, including LAPACK's workspace.
    _ = try BasesPlan(rows: head.rows, columns: d, matrices: 11, options: options)
    let v1 = k
    v1.start.update(from: gram.start, count: d * d)
    let squares = try algebra.eigenvalues(v1.start, n: d, vectors: true)
    let largest = max(0, squares[d - 1]).squareRoot()
    let scales = squares.map { max(max(0, $0).squareRoot(), 1e-7 * largest) }
    let second = Matrix(d * d)
    try tiles.forEach(progress) { _, rows, _ in
      turn(v1, scales, rows, algebra)
      algebra.addProduct(out.start, n: d, k: rows, to: second.start)
    }
    let v2 = second
    let lengths = try algebra.eigenvalues(v2.start, n: d, vectors: true).map {
      max(0, $0).squareRoot()
    }
    let m = Matrix(d * d), u = Matrix(d * d), vt = Matrix(d * d)
    for column in 0..<d {
      for row in 0..<d {
        m.start[column * d + row] =
          lengths[row] * v2.start[row * d + column] * scales[column]
      }
    }
    let values = try algebra.singularValues(m.start, n: d, u: u.start, vt: vt.start)
    let threshold = cut * values[0]
    Self.describe(values, cut: threshold, &report)
    // V2 S2^-1, without the null directions of W.
    for column in 0..<d {
      let length = lengths[column]
      let inverse = length > 1e-15 * lengths[d - 1] ? 1 / length : 0
      for row in 0..<d { v2.start[column * d + row] *= inverse }
    }
    algebra.multiply(v2.start, u.start, m: d, n: d, k: d, into: m.start)
    for column in 0..<d {
      let inverse = values[column] > threshold ? 1 / values[column] : 0
      for row in 0..<d { m.start[column * d + row] *= inverse }
    }
    algebra.multiply(m.start, vt.start, m: d, n: d, k: d, into: u.start)
    algebra.multiply(u.start, v1.start, m: d, n: d, k: d, transposed: true, into: m.start)
    return .refined(vectors: v1, scales: scales, m)
  }
}
