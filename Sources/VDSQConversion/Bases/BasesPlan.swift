import VDSQFormat

/// The memory of a bases solver, known before the work.
package struct BasesPlan: Sendable {
  /// An item of the memory plan.
  package struct Part: Sendable {
    /// What the memory holds, for messages.
    package let name: String
    /// The size in bytes.
    package let bytes: Int
  }

  /// The items: the program, square matrices, scales and norms, and tiles of rows.
  package let parts: [Part]
  /// The number of rows of the head in memory at a time.
  package let tileRows: Int
  /// The smallest sufficient budget.
  package let smallest: Int

  /// The sum of all parts in bytes.
  package var total: Int { parts.reduce(0) { $0 + $1.bytes } }

  /// The measured memory of the program with OpenBLAS, and of its workspace per thread.
  static let program = 26 << 20
  static let perThread = 3 << 20
  private static let fewestRows = 64
  private static let mostRows = 4096

  /// - Parameter matrices: the number of square matrices of doubles in memory at a time.
  /// - Throws: `budgetTooSmall`, naming the smallest sufficient budget.
  init(
    rows: Int, columns: Int, matrices: Int, options: BasesOptions
  ) throws(VDSQError) {
    let squares = matrices * columns * columns * 8
    // Scales and reciprocal norms until they are written.
    let vectors = rows * 12
    let fixed = Self.program + Self.perThread * options.threads + squares + vectors
    // A row as bytes, floats, doubles, and its basis before and after quantization.
    let perRow = columns * 32
    smallest = fixed + Self.fewestRows * perRow
    guard smallest <= options.budget ?? .max else {
      throw VDSQError(
        .budgetTooSmall,
        "bases of \(rows) x \(columns) need at least \((smallest + 1 << 20 - 1) >> 20)M",
        .memoryBudget)
    }
    let room = (options.budget ?? fixed + 64 << 20) - fixed
    tileRows = min(max(Self.fewestRows, min(Self.mostRows, room / perRow)), rows)
    parts = [
      Part(name: "program and OpenBLAS", bytes: Self.program + Self.perThread * options.threads),
      Part(name: "\(matrices) matrices of \(columns) x \(columns) doubles", bytes: squares),
      Part(name: "scales and norms", bytes: vectors),
      Part(name: "tiles of \(tileRows) rows", bytes: tileRows * perRow),
    ]
  }
}
