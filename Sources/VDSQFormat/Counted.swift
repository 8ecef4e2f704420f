/// A number with its noun: `1 text`, `2 texts`.
///
/// - Parameter noun: in the singular; its plural has an `s`.
package func counted(_ count: Int, _ noun: String) -> String {
  count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
}
