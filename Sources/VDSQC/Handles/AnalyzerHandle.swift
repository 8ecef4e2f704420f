public import CVDSQ
import VDSQ

/// A model whose hidden states are looked at. Callers take turns.
final class AnalyzerHandle: Handle, @unchecked Sendable {
  override class var kind: String { "an analyzer" }

  /// The number of tokens whose values are computed in floats, of each state: as many as `vdsq
  /// logits` writes, so that all values are its own.
  private static let refined = 10

  private let turn = Turn()
  private let encoder: TextEncoder
  /// Lookups by view; made when they are needed.
  private var lookups: [UInt32: VocabularyLogits] = [:]

  init(
    _ model: OpaquePointer?, _ options: UnsafePointer<vdsq_run_options>?
  ) throws(VDSQError) {
    let model = try ModelHandle.find(model).model
    encoder = try model.encoder(try RunOptions(options), comparing: .all)
  }

  /// The number of layers, with the embeddings.
  var rows: Int { encoder.layers + 1 }

  var shape: vdsq_analyzer_shape {
    vdsq_analyzer_shape(
      struct_size: 0, vocabulary: encoder.vocabularySize, layers: encoder.layers,
      hidden: encoder.hiddenSize, maximum_tokens: encoder.maximumTokens)
  }

  /// Writes the values of all tokens of the vocabulary.
  ///
  /// - Parameter values: `[texts, vocabulary]`.
  func score(
    _ texts: Texts, view: UInt32, into values: UnsafeMutablePointer<Float>?, _ capacity: Int
  ) throws(VDSQError) {
    try turn.take { () throws(VDSQError) in
      let lookup = try lookup(view)
      let columns = lookup.rows.count
      guard texts.count > 0 else { return }
      guard let values else { throw .usage("values is NULL") }
      try Arguments.check(capacity, holds: texts.count, of: columns, "values")
      var done = 0
      func flush() throws(VDSQError) {
        try encoder.encode { _, state in
          lookup.find(state, count: 1, temperature: 1, scores: values + done * columns) { _, _ in }
          done += 1
        }
      }
      for index in 0..<texts.count {
        if !encoder.hasRoom { try flush() }
        _ = encoder.add(texts[index])
      }
      try flush()
    }
  }

  private func lookup(_ view: UInt32) throws(VDSQError) -> VocabularyLogits {
    if let known = lookups[view] { return known }
    let rows =
      switch try Lens.View(number: view) {
      case .logit: try VocabularyRows(head: encoder)
      default: try VocabularyRows(.own, of: encoder.container, encoder.kernels)
      }
    guard rows.dimensions == encoder.dimensions else {
      throw .badInput("\(encoder.container.path): bases of another size than the model's states")
    }
    let made = VocabularyLogits(rows: rows, encoder: encoder, capacity: Self.refined)
    lookups[view] = made
    return made
  }

  /// Writes the hidden states of a text, `[layers + 1, tokens, hidden]`.
  func states(
    of text: UnsafeRawBufferPointer, ids: UnsafeMutablePointer<Int32>?,
    _ states: UnsafeMutablePointer<Float>?, _ capacity: Int, _ count: UnsafeMutablePointer<Int>?
  ) throws(VDSQError) {
    try turn.take { () throws(VDSQError) in
      try Arguments.give(encoder.readTokens(of: text), to: ids, capacity, count, "tokens")
      guard let states, let count else { return }
      try Arguments.check(capacity, holds: count.pointee, of: 1, "states")
      let found = try encoder.hiddenStates(of: text).states
      found.withUnsafeBufferPointer {
        states.update(from: $0.baseAddress!, count: $0.count)
      }
    }
  }

  /// Writes what layers say of a text.
  func see(
    _ text: UnsafeRawBufferPointer, view: UInt32, _ lens: vdsq_lens,
    _ count: UnsafeMutablePointer<Int>?
  ) throws(VDSQError) {
    try turn.take { () throws(VDSQError) in
      try Arguments.give(
        encoder.readTokens(of: text), to: lens.text_ids, lens.capacity, count, "tokens")
      try Arguments.check(lens.capacity, holds: count!.pointee, of: 1, "vdsq_lens")
      var options = Lens.Options()
      options.views = [try Lens.View(number: view)]
      options.top = lens.top
      if lens.temperature != 0 { options.temperature = lens.temperature }
      let found = try Lens(text, encoder: encoder, options: options)
      lens.set(found.maps[0].cells)
    }
  }
}

extension Lens.View {
  /// - Throws: `usage` if it is no VDSQ_VIEW.
  fileprivate init(number: UInt32) throws(VDSQError) {
    switch Int(number) {
    case VDSQ_VIEW_BASES: self = .basis
    case VDSQ_VIEW_HEAD: self = .logit
    default: throw .usage("view is \(number); VDSQ_VIEW_... are possible")
    }
  }
}

extension vdsq_lens {
  /// The lens of a caller.
  ///
  /// - Throws: `usage` if it is NULL, or has a number out of range.
  fileprivate init(_ pointer: UnsafePointer<vdsq_lens>?) throws(VDSQError) {
    guard let lens = try Sized.read(pointer, "vdsq_lens") else {
      throw .usage("vdsq_lens is NULL")
    }
    guard lens.top >= 1, lens.top <= 100 else {
      throw .usage("top is \(UInt(bitPattern: lens.top)); 1 to 100 are possible")
    }
    guard lens.temperature >= 0, lens.temperature.isFinite else {
      throw .usage("must be above 0", .temperature)
    }
    self = lens
  }

  /// Writes cells, `[layers + 1][tokens]`.
  fileprivate func set(_ cells: [[Lens.Cell]]) {
    for (row, layer) in cells.enumerated() {
      for (column, cell) in layer.enumerated() {
        let place = row * layer.count + column
        entropies?[place] = cell.entropy
        divergences?[place] = cell.divergence
        for (rank, token) in cell.top.enumerated() {
          let index = place * top + rank
          ids?[index] = token.id
          values?[index] = token.value
          probabilities?[index] = token.probability
        }
      }
    }
  }
}

@c @implementation
public func vdsq_analyzer_open(
  _ model: OpaquePointer!, _ options: UnsafePointer<vdsq_run_options>!,
  _ analyzer: UnsafeMutablePointer<OpaquePointer?>!
) -> vdsq_status {
  Handle.open(analyzer) { () throws(VDSQError) in try AnalyzerHandle(model, options) }
}

@c @implementation
public func vdsq_analyzer_close(_ analyzer: OpaquePointer!) { AnalyzerHandle.close(analyzer) }

@c @implementation
public func vdsq_analyzer_get_shape(
  _ analyzer: OpaquePointer!, _ shape: UnsafeMutablePointer<vdsq_analyzer_shape>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    try Sized.write(
      try AnalyzerHandle.find(analyzer).shape, to: shape, "vdsq_analyzer_shape")
  }
}

@c @implementation
public func vdsq_vocabulary_scores(
  _ analyzer: OpaquePointer!, _ view: UInt32, _ texts: UnsafePointer<UnsafePointer<CChar>?>!,
  _ lengths: UnsafePointer<Int>!, _ count: Int, _ values: UnsafeMutablePointer<Float>!,
  _ capacity: Int
) -> vdsq_status {
  call { () throws(VDSQError) in
    try AnalyzerHandle.find(analyzer).score(
      try Texts(texts, lengths, count, "texts"), view: view, into: values, capacity)
  }
}

@c @implementation
public func vdsq_hidden_states(
  _ analyzer: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ length: Int,
  _ ids: UnsafeMutablePointer<Int32>!, _ states: UnsafeMutablePointer<Float>!, _ capacity: Int,
  _ tokens: UnsafeMutablePointer<Int>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    try AnalyzerHandle.find(analyzer).states(
      of: try Texts.one(text, length, "text"), ids: ids, states, capacity, tokens)
  }
}

@c @implementation
public func vdsq_lens_run(
  _ analyzer: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ length: Int, _ view: UInt32,
  _ lens: UnsafePointer<vdsq_lens>!, _ tokens: UnsafeMutablePointer<Int>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    try AnalyzerHandle.find(analyzer).see(
      try Texts.one(text, length, "text"), view: view, try vdsq_lens(lens), tokens)
  }
}
