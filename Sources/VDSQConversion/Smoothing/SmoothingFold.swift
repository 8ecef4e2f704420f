import VDSQFormat
import VDSQInference

/// An input of a linear layer whose columns can be scaled, because what computes it can absorb the
/// inverse scales.
struct SmoothingFold {
  /// Tensors whose rows from `first` on, one per scale, are divided by the scales.
  struct Producer {
    /// The name within the layer.
    let name: String
    let first: Int
  }

  let input: LinearInput
  /// The name, within the layer, of the weights that read the input.
  let consumer: String
  /// The scale of each column of the consumer.
  let scales: [Int]
  /// The number of scales.
  let count: Int
  let producers: [Producer]

  /// The folds of a layer of an architecture.
  ///
  /// The output of a norm that is part of the residual stream is read by more than linear layers,
  /// so it is not scaled. Neither is what passes through an activation function that is not
  /// homogeneous.
  static func all(of c: Architecture) -> [SmoothingFold] {
    var folds: [SmoothingFold] = []
    func norm(_ name: String, _ input: LinearInput, _ consumer: String) -> SmoothingFold {
      SmoothingFold(
        input: input, consumer: consumer, scales: Array(0..<c.hiddenSize), count: c.hiddenSize,
        producers: ["\(name).weight", "\(name).bias"].map { Producer(name: $0, first: 0) })
    }
    func linear(
      _ name: String, _ first: Int, _ input: LinearInput, _ consumer: String, _ scales: [Int],
      _ count: Int
    ) -> SmoothingFold {
      SmoothingFold(
        input: input, consumer: consumer, scales: scales, count: count,
        producers: ["\(name).weight", "\(name).bias"].map { Producer(name: $0, first: first) })
    }
    if c.normPlacement == .pre || c.normPlacement == .around {
      folds.append(norm("attention.norm", .attention, "attention.qkv.weight"))
      folds.append(norm("feed_forward.norm", .feedForward, "feed_forward.up.weight"))
    }
    // All heads of queries that share a head of values share its scales.
    let group = c.heads / c.keyValueHeads
    folds.append(
      linear(
        "attention.qkv", c.queryWidth + c.keyValueWidth, .attentionOutput,
        "attention.output.weight",
        (0..<c.queryWidth).map { $0 / c.headSize / group * c.headSize + $0 % c.headSize },
        c.keyValueWidth))
    if c.isGated || c.activation == .relu {
      folds.append(
        linear(
          "feed_forward.up", c.isGated ? c.intermediateSize : 0, .feedForwardDown,
          "feed_forward.down.weight", Array(0..<c.intermediateSize), c.intermediateSize))
    }
    return folds
  }
}

extension SmoothingFold {
  /// Whether a layer has what computes the input.
  func canBeAbsorbed(by layer: [ModelSource.Tensor], named prefix: String) -> Bool {
    layer.contains { tensor in producers.contains { tensor.rows.name == prefix + $0.name } }
  }

  /// Divides the rows of the producers by the scales, and multiplies the columns of the consumer by
  /// them.
  func apply(_ scales: [Float], to layer: inout [ModelSource.Tensor], named prefix: String) {
    for (index, tensor) in layer.enumerated() {
      var rows = tensor.rows
      if rows.name == prefix + consumer { rows.scaleColumns(by: self.scales.map { scales[$0] }) }
      for producer in producers where rows.name == prefix + producer.name {
        rows.scaleRows(from: producer.first, by: scales.map { 1 / $0 })
      }
      layer[index] = ModelSource.Tensor(rows: rows, role: tensor.role, shape: tensor.shape)
    }
  }
}
