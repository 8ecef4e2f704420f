package import VDSQCheckpoints
package import VDSQFormat
import VDSQInference
import VDSQKernels

/// The rows from which vocabulary bases are computed, `[vocabulary, dimensions]`, read one tile at
/// a time.
package struct HeadMatrix {
  /// The file that the rows are read from, for error messages.
  package let name: String
  /// The vocabulary size.
  package let rows: Int
  /// The dimensions of the hidden state.
  package let columns: Int
  package let read: (Range<Int>, UnsafeMutablePointer<Double>) throws(VDSQError) -> Void

  /// - Parameter read: reads a range of rows into a buffer.
  package init(
    name: String, rows: Int, columns: Int,
    read: @escaping (Range<Int>, UnsafeMutablePointer<Double>) throws(VDSQError) -> Void
  ) {
    self.name = name
    self.rows = rows
    self.columns = columns
    self.read = read
  }

  /// A tensor of a checkpoint or a NumPy file.
  package init(_ tensor: SourceTensor) throws(VDSQError) {
    name = tensor.file.path
    rows = tensor.rows
    columns = tensor.columns
    read = { (range, out) throws(VDSQError) in try tensor.read(rows: range, into: out) }
    try check()
  }

  /// The LM head of a checkpoint's folder, or its word embeddings.
  ///
  /// - Throws: `badInput` if an LM head is requested and the model has none.
  package init(folder: Checkpoint, embedding: Bool) throws(VDSQError) {
    try self.init(try ModelSource.read(folder, dropsHead: true), embedding: embedding)
  }

  /// The tokenizer section of a checkpoint's folder.
  package static func tokenizer(of folder: Checkpoint) throws(VDSQError) -> [UInt8] {
    try ModelSource.read(folder, dropsHead: true).tokenizerSection().section
  }

  init(_ source: ModelSource, embedding: Bool) throws(VDSQError) {
    guard let rows = embedding ? source.embeddings[0].rows : source.vocabulary else {
      throw .badInput(
        "\(source.folder.path): the model has no LM head; the method embedding needs none")
    }
    try self.init(rows.parts[0].tensor)
  }

  /// The stored LM head of a converted model, or its word embeddings.
  package init(model: Container, embedding: Bool) throws(VDSQError) {
    let view =
      embedding
      ? model.find("embeddings.word") : model.find("head.weight") ?? model.find("embeddings.word")
    guard let view, [.rowMajor, .rowGroups].contains(view.record.order),
      view.record.shape.count == 2
    else {
      throw .badInput("\(model.path): the model has no table of rows for its vocabulary")
    }
    name = model.path
    rows = view.record.rows
    columns = view.record.columns
    let columns = columns
    let kernels = try KernelTable.select()
    let width = view.record.rowBytes
    // Read, not mapped, because the budget is that of the whole process.
    read = { (range, out) throws(VDSQError) in
      var bytes = [UInt8](repeating: 0, count: width)
      var floats = [Float](repeating: 0, count: columns)
      for row in range {
        try bytes.withMutableBytes { (raw) throws(VDSQError) in
          try model.read(view, at: row * width, count: width, into: raw.baseAddress!)
        }
        bytes.withUnsafeBytes { raw in
          floats.withUnsafeMutableBufferPointer {
            view.load(raw.baseAddress!, row: row, kernels, into: $0.baseAddress!)
          }
        }
        for i in 0..<columns {
          guard floats[i].isFinite else {
            throw .badInput("\(model.path): row \(row) of the vocabulary is not finite")
          }
          out[(row - range.lowerBound) * columns + i] = Double(floats[i])
        }
      }
    }
    try check()
  }

  private func check() throws(VDSQError) {
    guard rows >= 1, columns >= 1, rows <= 1 << 24, columns <= 1 << 16 else {
      throw .badInput("\(name): a vocabulary of \(rows) x \(columns) is out of range")
    }
  }
}
