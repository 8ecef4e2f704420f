/// The down projections that repairs and gradients change.
package enum DownProjections {
  /// The layers by default, from 0: the last four, or a quarter of all if that is less.
  package static func defaultLayers(of count: Int) -> [Int] {
    Array(max(0, count - min(4, max(1, count / 4)))..<count)
  }
}
