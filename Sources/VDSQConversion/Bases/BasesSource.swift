package import VDSQCheckpoints
package import VDSQFormat
import VDSQInference
import VDSQStreams

/// What bases alone are computed from: a converted model, a checkpoint's folder, or an LM head in a
/// file of its own.
package struct BasesSource {
  private let matrix: HeadMatrix
  /// The converted model; nil for other sources.
  package let model: Container?
  /// A tokenizer section that names the tokens; nil if they are not known or not wanted.
  package let tokenizer: [UInt8]?

  /// An LM head in a NumPy file.
  ///
  /// - Parameter vocabulary: a file with the texts of the tokens, one per line; nil for none.
  /// - Throws: `missingInput` or `badInput` for the files.
  package init(head path: String, vocabulary: String?) throws(VDSQError) {
    matrix = try HeadMatrix(try NPYFile(path: path).tensor)
    model = nil
    let rows = matrix.rows
    tokenizer = try vocabulary.map { (path) throws(VDSQError) in
      var lines: [[UInt8]] = []
      try TextFile(path: path).forEachLine { line, _ in lines.append(Array(line)) }
      guard lines.count == rows else {
        throw .badInput("\(path): \(counted(lines.count, "line")), but the head has \(rows) rows")
      }
      return TokenizerConversion.section(tokens: lines)
    }
  }

  /// A converted model, whose name ends in `.vdsq`, or a checkpoint.
  ///
  /// - Parameter method: the definition of the bases; nil for the default.
  /// - Throws: `missingInput` or `badInput` for the files.
  package init(_ path: String, method: BasesMethod?, withTokens: Bool) throws(VDSQError) {
    let isEmbedding = method == .embedding
    if path.lowercased().hasSuffix(".vdsq") {
      let model = try Container(path: path, kind: .model)
      self.model = model
      matrix = try HeadMatrix(model: model, embedding: isEmbedding)
      tokenizer = withTokens ? Array(try model.bytes(of: .tokenizer)) : nil
    } else {
      let folder = try Checkpoint(path: path)
      model = nil
      matrix = try HeadMatrix(folder: folder, embedding: isEmbedding)
      tokenizer = withTokens ? try HeadMatrix.tokenizer(of: folder) : nil
    }
  }

  /// The default definition: `balanced` if there is a language model to run.
  package var method: BasesMethod {
    let architecture = model.flatMap { try? Architecture($0.metadata) }
    return architecture?.hasLanguageModelHead ?? false ? .balanced : .ridge
  }

  /// The solver of the bases. For `balanced`, the model reads the calibration text first.
  ///
  /// - Throws: as `BasesSolver`; what running the model throws.
  package func solver(_ options: BasesOptions) throws(VDSQError) -> BasesSolver {
    var options = options
    if options.method == .balanced, let model, method == .balanced {
      let plan = try BasesPlan(
        rows: matrix.rows, columns: matrix.columns, matrices: 2, options: options)
      options.balanced = try BalancedBases(
        matrix,
        observation: try ModelObservation(
          of: model.path, threads: options.threads, streams: options.budget != nil),
        algebra: try LinearAlgebra(threads: options.threads, portable: options.portable),
        tileRows: plan.tileRows, progress: { _ in })
    }
    return try BasesSolver(matrix, options: options)
  }
}
