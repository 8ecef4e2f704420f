/// An argument that names a file of directions, or one of them: `FILE.vdsd` or `FILE.vdsd#2`.
package struct DirectionArgument: Sendable {
  package let path: String
  /// From 0 on; nil if none is named.
  package let index: Int?

  /// Nil if the argument is no such name.
  package init?(_ argument: String) {
    if argument.hasSuffix(".vdsd") {
      (path, index) = (argument, nil)
      return
    }
    guard let mark = argument.lastIndex(of: "#"), argument[..<mark].hasSuffix(".vdsd"),
      let number = Int(argument[argument.index(after: mark)...]), number >= 1
    else { return nil }
    (path, index) = (String(argument[..<mark]), number - 1)
  }
}
