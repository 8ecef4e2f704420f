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
    for part in parts {
      var row = 0
      while row < part.rows.count {
        let end = min(row + block, part.rows.count)
        var values = try part.read(row..<end)
        if offset != 0 { for i in values.indices { values[i] += offset } }
        try body(values, end - row)
        row = end
      }
    }
  }
}
