import Glibc
import VDSQ

/// What a connection of SQLite has open: a model, its embedder, and classifiers by their labels.
///
/// SQLite calls the functions of a connection from one thread at a time.
final class Connection {
  /// The name of the environment variable with the path of the model, for connections that name
  /// none.
  private static let variable = "VDSQ_MODEL"
  /// Classifiers are made again beyond this number.
  private static let mostClassifiers = 16
  private static let adapterSuffix = ".vdsa"

  private var model: Model?
  private var embedder: TextEmbedder?
  private var classifiers: [String: TextClassifier] = [:]
  /// The paths of adapters that the application opened. A view or a trigger opens no file.
  private var adapters: Set<String> = []

  /// Opens a model in place of the one before.
  ///
  /// - Returns: the number of dimensions of its vectors.
  func open(_ path: String) throws(VDSQError) -> Int {
    let next = try Model(path: path)
    let embedder = try TextEmbedder(model: next)
    (model, self.embedder, classifiers) = (next, embedder, [:])
    return embedder.dimensions
  }

  /// Opens an adapter, so that functions may name it.
  ///
  /// - Returns: the number of its labels.
  func openAdapter(_ path: String) throws(VDSQError) -> Int {
    guard path.hasSuffix(Self.adapterSuffix) else {
      throw .usage("\(path): the name of an adapter ends in \(Self.adapterSuffix)")
    }
    adapters.insert(path)
    do throws(VDSQError) {
      return try classifier(path).labels.count
    } catch {
      adapters.remove(path)
      throw error
    }
  }

  private func current() throws(VDSQError) -> (model: Model, embedder: TextEmbedder) {
    if model == nil {
      guard let path = getenv(Self.variable) else {
        throw .usage("no model is open; call vdsq_model('model.vdsq'), or set \(Self.variable)")
      }
      _ = try open(String(cString: path))
    }
    return (model!, embedder!)
  }

  /// The vector of a text.
  func embed(_ text: String) throws(VDSQError) -> [Float] {
    try current().embedder.embed(text)
  }

  /// The vector of a value: its own, or that of its text.
  func vector(_ value: SQLiteValue) throws(VDSQError) -> [Float] {
    if let vector = try value.vector() { return vector }
    return try embed(value.text)
  }

  /// The cosine of two vectors; 0 if one has no length.
  static func cosine(_ a: [Float], _ b: [Float]) throws(VDSQError) -> Double {
    guard a.count == b.count else {
      throw .usage("vectors of \(a.count) and of \(counted(b.count, "dimension"))")
    }
    var (product, first, second) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
      product += Double(x * y)
      first += Double(x * x)
      second += Double(y * y)
    }
    let lengths = (first * second).squareRoot()
    return lengths > 0 ? product / lengths : 0
  }

  /// The labels of a text.
  ///
  /// - Parameters:
  ///   - labels: a list as on the command line, or the path of an adapter that is open, or nil for
  ///     the model's own head.
  ///   - top: the maximum number of labels; nil for all.
  func classify(
    _ text: String, _ labels: String?, top: Int?
  ) throws(VDSQError) -> Prediction {
    let classifier = try classifier(labels)
    let count = classifier.labels.count
    return try classifier.classify(text, top: min(max(1, top ?? count), count))
  }

  private func classifier(_ labels: String?) throws(VDSQError) -> TextClassifier {
    // No label list is empty.
    let key = labels ?? ""
    if let known = classifiers[key] { return known }
    let isAdapter = key.hasSuffix(Self.adapterSuffix)
    guard !isAdapter || adapters.contains(key) else {
      throw .usage("\(key): the adapter is not open; call vdsq_adapter('\(key)') before")
    }
    let model = try current().model
    let made =
      if let labels, isAdapter {
        // It follows the file, so that what is learned counts at once.
        try TextClassifier(model: model, adapterFile: labels)
      } else if let labels {
        try TextClassifier(model: model, labels: try Label.parse(list: labels))
      } else {
        try TextClassifier(model: model)
      }
    if classifiers.count >= Self.mostClassifiers { classifiers = [:] }
    classifiers[key] = made
    return made
  }
}
