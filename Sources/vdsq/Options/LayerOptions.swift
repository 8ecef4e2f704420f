import ArgumentParser
import VDSQFormat
import VDSQTraining

/// Layers of a causal model whose down projections are meant.
struct LayerOptions: ParsableArguments {
  @Option(
    help: """
      The layers whose down projections are meant, from 1: 28,29,30. The default is the last four, \
      or a quarter of all if that is less.
      """)
  var layers: String?

  /// Nil if they are not numbers.
  private var numbers: [Int]? {
    guard let layers else { return [] }
    let numbers = layers.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard !numbers.isEmpty, !numbers.contains(where: { ($0 ?? 0) < 1 }) else { return nil }
    return Array(Set(numbers.compactMap { $0 })).sorted()
  }

  func validate() throws {
    guard numbers != nil else {
      throw ValidationError("--layers: numbers from 1 up, separated by commas, such as 28,29,30")
    }
  }

  /// The layers, from 0, in ascending order.
  ///
  /// - Throws: `usage` if the model does not have one of them.
  func places(in c: Architecture) throws(VDSQError) -> [Int] {
    guard let numbers, !numbers.isEmpty else { return DownProjections.defaultLayers(of: c.layers) }
    for number in numbers where number > c.layers {
      throw .usage("the model has no layer \(number); layers are 1 to \(c.layers)")
    }
    return numbers.map { $0 - 1 }
  }
}
