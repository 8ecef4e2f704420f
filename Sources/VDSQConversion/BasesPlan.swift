public import VDSQFormat

/// What memory solving for bases takes, known before the work.
public struct BasesPlan: Sendable {
  public struct Part: Sendable {
    public let name: String
    public let bytes: Int
  }

  public let parts: [Part]
  /// Rows of the head in memory at a time.
  public let tileRows: Int
  /// The smallest budget that would do.
  public let smallest: Int

  public var total: Int { parts.reduce(0) { $0 + $1.bytes } }

  /// The program itself with OpenBLAS and its work space, for each thread; measured.
  static let program = 26 << 20
  static let perThread = 3 << 20
  private static let fewestRows = 64
  private static let mostRows = 4096

  /// - Parameter matrices: how many square matrices of doubles are there at a time.
  /// - Throws: `budgetTooSmall`, naming the smallest that would do.
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
