import VDSQFormat

/// Second moments of keys over texts that a repair should not change.
struct KeyMoments {
  /// For each layer the mean square of each neuron's key, `[layers][neurons]`.
  let squares: [[Float]]

  /// - Parameter reader: its layers are meant.
  /// - Throws: `badInput` if the model's weights cannot be read.
  init(
    _ texts: some Collection<[Int32]>, _ reader: KeyReader, neurons: Int
  ) throws(VDSQError) {
    var sums = reader.layers.map { _ in [Float](repeating: 0, count: neurons) }
    var tokens = 0
    for ids in texts {
      _ = try reader.read(ids) { place, _, keys in
        for k in 0..<neurons { sums[place][k] += keys[k] * keys[k] }
      }
      tokens += ids.count
    }
    squares = sums.map { $0.map { $0 / Float(max(1, tokens)) } }
  }

  /// The mean products of some neurons' keys, `[layers][chosen, chosen]`.
  ///
  /// - Parameter chosen: the neurons of each layer.
  static func products(
    _ texts: some Collection<[Int32]>, _ reader: KeyReader, chosen: [[Int32]]
  ) throws(VDSQError) -> [[Float]] {
    var sums = chosen.map { [Float](repeating: 0, count: $0.count * $0.count) }
    var tokens = 0
    for ids in texts {
      _ = try reader.read(ids) { place, _, keys in
        let own = chosen[place], n = own.count
        for i in 0..<n {
          let key = keys[Int(own[i])]
          for j in 0...i { sums[place][i * n + j] += key * keys[Int(own[j])] }
        }
      }
      tokens += ids.count
    }
    return sums.map { $0.map { $0 / Float(max(1, tokens)) } }
  }
}
