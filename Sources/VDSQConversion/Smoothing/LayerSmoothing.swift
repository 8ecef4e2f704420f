import VDSQFormat
import VDSQInference

/// Scales the columns of a model's activations by what a draft of it does with the calibration
/// text.
struct LayerSmoothing {
  /// The number of rows of each tensor that represent it.
  private static let sampledRows = 512

  private let architecture: Architecture
  private let smoothing: Smoothing
  private let folds: [SmoothingFold]
  /// The type in which a tensor is stored.
  private let storage: (_ tensor: String) -> Converter.Weights
  /// The columns of a group of four-bit weights.
  private let groups: Int

  /// - Parameters:
  ///   - groups: the columns of a group of four-bit weights.
  ///   - storage: the type in which a tensor is stored. An exponent that is given is obeyed for
  ///     floats too, although it changes nothing but how they are rounded.
  init(
    _ architecture: Architecture, _ smoothing: Smoothing, groups: Int,
    storage: @escaping (_ tensor: String) -> Converter.Weights
  ) {
    self.architecture = architecture
    self.smoothing = smoothing
    self.groups = groups
    self.storage = storage
    switch smoothing {
    case .none: folds = []
    // In an encoder whose norms follow linear layers, little can be scaled, and nothing is gained.
    case .automatic where architecture.normPlacement == .post: folds = []
    // The inputs of layers that share weights differ.
    case _ where architecture.layersPerGroup > 1: folds = []
    case .automatic, .exponent: folds = SmoothingFold.all(of: architecture)
    }
  }

  /// Whether the input of weights is scaled.
  private func isScaled(_ tensor: String) -> Bool {
    smoothing == .automatic ? [.int8, .int4].contains(storage(tensor)) : true
  }

  /// Whether anything is scaled.
  var isWanted: Bool {
    (0..<architecture.layers).contains { layer in
      folds.contains { isScaled("layer.\(layer).\($0.consumer)") }
    }
  }

  /// Scales the tensors of all layers.
  ///
  /// - Parameters:
  ///   - draft: the path of the model as it is without scales.
  ///   - streams: whether memory is small.
  /// - Throws: `badInput` if the model fails, or produces states that are not finite.
  func scale(
    _ layers: inout [[ModelSource.Tensor]], draft path: String, threads: Int, streams: Bool
  ) throws(VDSQError) -> SmoothingReport {
    let inputs = try CalibrationInputs(
      draft: path, architecture, for: .scales, streams: streams)
    var report = SmoothingReport()
    var first = 0
    while first < layers.count {
      let range = first..<min(first + inputs.layersTogether, layers.count)
      try scale(&layers, range, try inputs.sample(range), threads, &report)
      first = range.upperBound
    }
    return report
  }

  /// Scales the tensors of some layers.
  private func scale(
    _ layers: inout [[ModelSource.Tensor]], _ range: Range<Int>, _ sample: InputSample,
    _ threads: Int, _ report: inout SmoothingReport
  ) throws(VDSQError) {
    var items: [(layer: Int, fold: SmoothingFold, rows: RowSource)] = []
    for layer in range {
      // Where the norm before is missing, nothing can absorb the scales.
      for fold in folds
      where isScaled("layer.\(layer).\(fold.consumer)")
        && fold.canBeAbsorbed(by: layers[layer], named: "layer.\(layer).")
      {
        guard
          let tensor = layers[layer].first(where: {
            $0.rows.name == "layer.\(layer).\(fold.consumer)"
          })
        else { continue }
        items.append((layer, fold, tensor.rows))
      }
    }
    let (smoothing, storage, groups) = (smoothing, storage, groups)
    let work = ScaleSearch(count: items.count) { (index) throws(VDSQError) in
      let (layer, fold, rows) = items[index]
      let search = SmoothingScales(
        inputs: sample.rows(fold.input, layer: layer),
        weights: try rows.sample(atMost: Self.sampledRows), scales: fold.scales,
        count: fold.count)
      if smoothing == .automatic, rows.columns % 8 == 0,
        storage("layer.\(layer).\(fold.consumer)") == .int4
      {
        return search.minimizing(fourBits: groups)
      }
      let scales =
        if case .exponent(let exponent) = smoothing { search.scales(exponent: exponent) } else {
          search.minimizing()
        }
      let before = search.error([Float](repeating: 1, count: fold.count))
      return (scales, before > 0 ? search.error(scales) / before : 1)
    }
    for (item, found) in zip(items, try work.results(threads: threads)) {
      item.fold.apply(found.scales, to: &layers[item.layer], named: "layer.\(item.layer).")
      report.add(error: found.error)
    }
  }
}

/// Searches on several threads. Results do not depend on their number.
private final class ScaleSearch: SharedWork {
  typealias Found = (scales: [Float], error: Double)

  private let find: (Int) throws(VDSQError) -> Found
  private let found: UnsafeMutablePointer<Result<Found, VDSQError>?>
  private let count: Int

  init(count: Int, find: @escaping (Int) throws(VDSQError) -> Found) {
    self.find = find
    self.count = count
    found = .allocate(capacity: count)
    found.initialize(repeating: nil, count: count)
    super.init()
  }

  deinit {
    found.deinitialize(count: count)
    found.deallocate()
  }

  override func run(_ worker: ThreadPool.Worker) {
    for index in stride(from: worker.index, to: count, by: worker.count) {
      found[index] = Result { () throws(VDSQError) in try find(index) }
    }
  }

  func results(threads: Int) throws(VDSQError) -> [Found] {
    let width = max(1, min(threads, count))
    ThreadPool(count: width).together(width, self)
    var results: [Found] = []
    for index in 0..<count { results.append(try found[index]!.get()) }
    return results
  }
}
