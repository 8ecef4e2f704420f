import VDSQCheckpoints
import VDSQFormat

/// The rows of a container's tensor, taken from rows or columns of the checkpoint's tensors, one
/// tensor after another.
struct RowSource {
  struct Part {
    let tensor: SourceTensor
    let rows: Range<Int>
    /// Whether the columns of the source are the rows of the result.
    var transposed = false

    func read(_ range: Range<Int>) throws(VDSQError) -> [Float] {
      let own = rows.lowerBound + range.lowerBound..<rows.lowerBound + range.upperBound
      return transposed ? try tensor.read(columns: own) : try tensor.read(rows: own)
    }
  }

  let name: String
  let columns: Int
  let parts: [Part]
  /// What is added to each element.
  var offset: Float = 0
  /// The factors of rows and columns; nil for ones.
  private var rowFactors: [Float]?
  private var columnFactors: [Float]?

  init(name: String, columns: Int, parts: [Part], offset: Float = 0) {
    self.name = name
    self.columns = columns
    self.parts = parts
    self.offset = offset
  }

  /// All rows of one tensor.
  init(name: String, _ tensor: SourceTensor) {
    self.init(
      name: name, columns: tensor.columns, parts: [Part(tensor: tensor, rows: 0..<tensor.rows)])
  }

  var rows: Int { parts.reduce(0) { $0 + $1.rows.count } }

  /// The size in the checkpoint in bytes.
  var byteCount: Int {
    parts.reduce(0) {
      $0 + $1.rows.count * columns * $1.tensor.type.blockSize / $1.tensor.type.blockLength
    }
  }

  /// Calls `body` with blocks of rows of bounded size.
  func forEachBlock(
    bytes: Int = 1 << 20, _ body: (_ values: [Float], _ rows: Int) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    let block = max(16, bytes / (columns * 4) / 16 * 16)
    for part in parts.indices {
      var row = 0
      while row < parts[part].rows.count {
        let end = min(row + block, parts[part].rows.count)
        try body(try read(row..<end, ofPart: part), end - row)
        row = end
      }
    }
  }

  /// Reads some rows of a part.
  func read(_ range: Range<Int>, ofPart index: Int) throws(VDSQError) -> [Float] {
    var values = try parts[index].read(range)
    if offset != 0 { for i in values.indices { values[i] += offset } }
    if let columnFactors {
      for row in 0..<range.count {
        for j in 0..<columns { values[row * columns + j] *= columnFactors[j] }
      }
    }
    if let rowFactors {
      let first = parts[..<index].reduce(range.lowerBound) { $0 + $1.rows.count }
      for row in 0..<range.count {
        let factor = rowFactors[first + row]
        for j in 0..<columns { values[row * columns + j] *= factor }
      }
    }
    return values
  }

  /// Multiplies rows by factors, those from `first` on.
  mutating func scaleRows(from first: Int, by factors: [Float]) {
    var all = rowFactors ?? [Float](repeating: 1, count: rows)
    for (i, factor) in factors.enumerated() { all[first + i] *= factor }
    rowFactors = all
  }

  /// Multiplies columns by factors.
  mutating func scaleColumns(by factors: [Float]) {
    columnFactors = columnFactors.map { zip($0, factors).map { $0 * $1 } } ?? factors
  }

  /// At most so many rows, in blocks of sixteen that are evenly spread over each part.
  func sample(atMost limit: Int) throws(VDSQError) -> [Float] {
    let every = max(1, (rows + limit - 1) / limit)
    var values: [Float] = []
    for part in parts.indices {
      for first in stride(from: 0, to: parts[part].rows.count, by: 16 * every) {
        values += try read(first..<min(first + 16, parts[part].rows.count), ofPart: part)
      }
    }
    return values
  }
}
