package import VDSQFiles
package import VDSQFormat

/// Writes bases to a separate file.
package enum BasesFile {
  /// - Parameters:
  ///   - identity: the identity of the model that the bases belong to, if any.
  ///   - tokenizer: a tokenizer section that names the tokens, if they are known.
  ///   - array: receives the bases before they are scaled to length 1, one row per token; nil for
  ///     none.
  /// - Throws: `usage` if the file cannot be written, and the errors of the solver.
  package static func write(
    _ solver: BasesSolver, weights: Converter.Weights, identity: UInt32?, tokenizer: [UInt8]?,
    to path: String, array: NPYWriter? = nil, replace: Bool, progress: (Int) -> Void
  ) throws(VDSQError) -> (report: BasesReport, bytes: Int) {
    let weights = weights.ofTables
    let writer = try ContainerWriter(
      path: path, kind: .bases,
      sectionCount: ContainerWriter.basesSections(weights) + (tokenizer == nil ? 2 : 3),
      replace: replace)
    let report = try writer.writeBases(solver, weights: weights, array: array, progress: progress) {
      (report) throws(VDSQError) in
      var metadata = Metadata()
      metadata.set("architecture", .text("bases"))
      metadata.set("vocabulary_size", .integer(report.rows))
      metadata.set("dimensions", .integer(report.columns))
      if let identity { metadata.set("model_identity", .integer(Int(identity))) }
      metadata.set(bases: report, options: solver.options)
      try writer.add(.metadata, "metadata", metadata.encoded())
      if let tokenizer { try writer.add(.tokenizer, "tokenizer", tokenizer) }
    }
    let bytes = try writer.finish()
    try array?.finish()
    return (report, bytes)
  }
}
