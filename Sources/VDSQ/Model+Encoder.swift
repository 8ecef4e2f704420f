package import VDSQFormat
package import VDSQInference

extension Model {
  /// The options of an encoder for some work, with the requested memory policy or the fastest that
  /// the budget allows.
  ///
  /// - Parameters:
  ///   - run: how the model is run.
  ///   - intermediateFeatures: intermediate layers whose states are appended to a text's vector.
  ///   - continuations: the tokens of label words that may follow a text.
  ///   - rows: the rows of the vocabulary with which states are compared.
  ///   - more: bytes that the work needs beside the model.
  ///   - morePerToken: bytes that it needs for each token of a text.
  ///   - policies: the policies to choose from if none is requested. Without a budget the first is
  ///     chosen.
  /// - Throws: `budgetTooSmall`, naming the smallest sufficient budget; the errors of measuring the
  ///   model's footprint.
  package func encoderOptions(
    _ run: RunOptions, intermediateFeatures: [IntermediateFeature] = [],
    continuations: TokenTree.Size = TokenTree.Size(),
    comparing rows: TextEncoder.ComparedRows = .none, more: Int = 0, morePerToken: Int = 0,
    among policies: [MemoryPolicy] = MemoryPolicy.all
  ) throws(VDSQError) -> TextEncoder.Options {
    var options = run.encoderOptions()
    options.continuations = continuations
    options.comparedRows = rows
    options.intermediateFeatures = intermediateFeatures
    let allowed = MemoryPolicy.among(run.memoryPolicy, or: policies)
    options.policy = allowed[0]
    guard let budget = run.memoryBudget else { return options }
    let onCut = run.maximumTokens == nil ? run.onCutForBudget : nil
    let all = try Footprint.each(
      of: path, options: options, callers: run.concurrency,
      more: more + (run.repair?.updates.bytes ?? 0), morePerToken: morePerToken,
      cutFor: onCut == nil ? nil : budget, among: allowed)
    let chosen = try Footprint.fastest(of: all, within: budget, among: allowed)
    options.policy = chosen.policy
    if let warning = chosen.cutWarning, let onCut {
      options.maximumTokens = chosen.maximumTokens
      onCut(warning)
    }
    return options
  }

  /// An encoder for one caller, with its own arena.
  ///
  /// - Parameters: those of `encoderOptions`.
  /// - Throws: the errors of `encoderOptions`, of opening the model and of steering it.
  package func encoder(
    _ run: RunOptions, intermediateFeatures: [IntermediateFeature] = [],
    comparing rows: TextEncoder.ComparedRows = .none, more: Int = 0, morePerToken: Int = 0,
    among policies: [MemoryPolicy] = MemoryPolicy.all
  ) throws(VDSQError) -> TextEncoder {
    let encoder = try encoder(
      try encoderOptions(
        run, intermediateFeatures: intermediateFeatures, comparing: rows, more: more,
        morePerToken: morePerToken, among: policies))
    try encoder.steer(run.steering) { run.onNote?($0) }
    return encoder
  }

  /// An encoder over this model's map.
  ///
  /// - Throws: the errors of opening the model.
  package func encoder(_ options: TextEncoder.Options) throws(VDSQError) -> TextEncoder {
    let container = try container(for: options.policy)
    // Opening changes the addresses of a container's sections, which other threads may be opening.
    opening.lock()
    defer { opening.unlock() }
    return try TextEncoder(container, options: options)
  }
}
