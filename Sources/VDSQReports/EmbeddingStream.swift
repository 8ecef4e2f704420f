package import VDSQ
import VDSQFiles
package import VDSQFormat
package import VDSQInference
import VDSQStreams

/// Writes the vectors of a stream of texts, the states of their layers, or their token ids: JSON
/// Lines, or a NumPy file.
package final class EmbeddingStream {
  /// What is written of a text.
  package enum Content: Sendable, Equatable {
    /// The model's vector.
    case vector
    /// The ids of the tokens.
    case tokens
    /// The pooled state behind each of some layers (`TextEncoder.pooledStates`), `[layers,
    /// dimensions]`; nil for all layers.
    case layers([Int]?)
    /// The states behind each of some layers at each token, `[tokens, layers, dimensions]`.
    case tokenLayers([Int]?)

    /// - Parameters:
    ///   - tokens: whether ids of tokens are written.
    ///   - layers: `all`, or numbers of layers as `0,6,12`; nil for no layers.
    ///   - perToken: whether layers have a state for each token.
    /// - Throws: `usage` if a number is none.
    package init(tokens: Bool, layers: String?, perToken: Bool) throws(VDSQError) {
      guard let layers else {
        self = tokens ? .tokens : .vector
        return
      }
      let wanted = try Self.layers(layers)
      self = perToken ? .tokenLayers(wanted) : .layers(wanted)
    }

    private static func layers(_ list: String) throws(VDSQError) -> [Int]? {
      if list == "all" { return nil }
      var layers: [Int] = []
      for part in list.split(separator: ",", omittingEmptySubsequences: false) {
        guard let layer = Int(part), layer >= 0 else {
          throw .usage("--layers \(list): write all, or numbers with commas in between, as 0,6,12")
        }
        layers.append(layer)
      }
      return layers
    }

    /// The member of a JSON answer.
    package var member: StaticString {
      switch self {
      case .vector: "embedding"
      case .layers: "layers"
      case .tokens, .tokenLayers: "tokens"
      }
    }
  }

  private let records: RecordStream
  private let encoder: TextEncoder
  private let content: Content
  /// The layers that are written.
  private let layers: [Int]
  private let matrix: NPYWriter?

  /// - Parameters:
  ///   - output: the path of a .npy file; nil for JSON Lines.
  ///   - replace: whether that file may be replaced.
  /// - Throws: `usage` for a layer that the model does not have, or a file that cannot be written.
  package init(
    _ records: RecordStream, encoder: TextEncoder, content: Content, output: String?,
    replace: Bool
  ) throws(VDSQError) {
    self.records = records
    self.encoder = encoder
    self.content = content
    switch content {
    case .layers(let wanted), .tokenLayers(let wanted):
      layers = wanted ?? Array(0...encoder.layers)
    default: layers = []
    }
    for layer in layers where layer > encoder.layers {
      throw .usage(
        "--layers: the model has no layer \(layer); layers are 1 to \(encoder.layers), and 0 the "
          + "embeddings")
    }
    let shape = layers.isEmpty ? [encoder.dimensions] : [layers.count, encoder.hiddenSize]
    if let output {
      matrix = try NPYWriter(path: output, rowShape: shape, replace: replace)
    } else {
      matrix = nil
    }
  }

  /// Writes all texts.
  ///
  /// - Throws: the errors of the stream, of the model, and of writing.
  package func run() throws(VDSQError) {
    // A file of vectors is written completely or not at all.
    if matrix == nil { StreamSignals.watch(reloads: false) }
    try records.forEach(
      { (record) throws(VDSQError) in
        switch content {
        case .vector:
          if !encoder.hasRoom || records.tags.isLong { try flush() }
          records.tags.add(record)
          if encoder.add(record.text).truncated || record.isCut { records.counts.truncated += 1 }
        default:
          if record.isCut || !encoder.fits(record.text) { records.counts.truncated += 1 }
          records.tags.add(record)
          try write(record.text)
          records.tags.removeAll()
          if matrix == nil { try records.output.flushIfLong() }
        }
      }, pause: flush,
      failed: { () throws(VDSQError) in
        guard let matrix else { return }
        // Rows must be those of the records.
        let unknown = [Float](repeating: .nan, count: matrix.rowCount)
        try unknown.withUnsafeBufferPointer { (row) throws(VDSQError) in try matrix.append(row) }
      })
    try matrix?.finish()
  }

  private func flush() throws(VDSQError) {
    if encoder.count > 0 {
      try encoder.encode { (index, vector) throws(VDSQError) in
        let values = UnsafeBufferPointer(start: vector, count: encoder.dimensions)
        if let matrix { return try matrix.append(values) }
        writeLine(of: index, "embedding") { records.json.write(Array(values)) }
        try records.output.flushIfLong()
      }
      records.tags.removeAll()
    }
    if matrix == nil { try records.output.flush() }
  }

  /// Writes what is no vector of a batch.
  private func write(_ text: UnsafeRawBufferPointer) throws(VDSQError) {
    switch content {
    case .vector: return
    case .tokens:
      writeLine(of: 0, "tokens") { records.json.write(encoder.tokens(of: text)) }
    case .layers:
      let states = try encoder.pooledStates(of: text)
      if matrix != nil { return try append(states, tokens: 1) }
      writeLine(of: 0, "layers") { writeLayers(states, token: 0, of: 1) }
    case .tokenLayers:
      let (ids, states) = try encoder.hiddenStates(of: text)
      if matrix != nil { return try append(states, tokens: ids.count) }
      writeLine(of: 0, "tokens") {
        records.json.array {
          for token in ids.indices { writeLayers(states, token: token, of: ids.count) }
        }
      }
    }
  }

  private func writeLine(of index: Int, _ name: String, _ value: () -> Void) {
    records.json.object {
      records.tags.writeMembers(of: index, to: records.json)
      records.json.key(name)
      value()
    }
    records.output.write("\n")
  }

  /// The states behind the wanted layers at a token.
  ///
  /// - Parameter states: `[layers, tokens, dimensions]`.
  private func writeLayers(_ states: [Float], token: Int, of tokens: Int) {
    let d = encoder.hiddenSize
    records.json.array {
      for layer in layers {
        let start = (layer * tokens + token) * d
        records.json.write(Array(states[start..<start + d]))
      }
    }
  }

  /// Appends a row for each token.
  private func append(_ states: [Float], tokens: Int) throws(VDSQError) {
    let d = encoder.hiddenSize
    var row: [Float] = []
    for token in 0..<tokens {
      row.removeAll(keepingCapacity: true)
      for layer in layers {
        let start = (layer * tokens + token) * d
        row.append(contentsOf: states[start..<start + d])
      }
      try row.withUnsafeBufferPointer { (row) throws(VDSQError) in try matrix?.append(row) }
    }
  }
}
