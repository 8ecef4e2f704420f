/// The number of queries whose products with four rows one inner loop keeps in registers.
public enum QueryTile: Sendable {
  /// Four queries, for instruction sets with more registers; otherwise two.
  case queries4, queries2
}
