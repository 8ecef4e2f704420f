import CVDSQ
import VDSQ

/// Reads arguments of callers.
enum Arguments {
  /// A name, a path or a template.
  ///
  /// - Throws: `usage` if it is NULL or not UTF-8.
  static func string(
    _ pointer: UnsafePointer<CChar>?, _ name: StaticString
  ) throws(VDSQError) -> String {
    guard let string = try optionalString(pointer, name) else { throw .usage("\(name) is NULL") }
    return string
  }

  /// The same, or nil for NULL.
  static func optionalString(
    _ pointer: UnsafePointer<CChar>?, _ name: StaticString
  ) throws(VDSQError) -> String? {
    guard let pointer else { return nil }
    guard let string = String(validatingCString: pointer) else {
      throw .usage("\(name) is not UTF-8")
    }
    return string
  }

  /// Strings with a NUL at their ends.
  static func strings(
    _ pointers: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int, _ name: StaticString
  ) throws(VDSQError) -> [String] {
    let texts = try Texts(pointers, nil, count, name)
    var strings: [String] = []
    for index in 0..<texts.count { strings.append(texts.string(index)) }
    return strings
  }

  /// A member that is 0 or 1.
  static func flag(_ value: UInt32, _ name: StaticString) throws(VDSQError) -> Bool {
    guard value <= 1 else { throw .usage("\(name) is \(value); 0 and 1 are possible") }
    return value == 1
  }

  /// Checks that a caller's buffer has room for rows.
  ///
  /// - Parameter capacity: the number of elements that it has room for.
  static func check(
    _ capacity: Int, holds rows: Int, of columns: Int, _ name: StaticString
  ) throws(VDSQError) {
    let (needed, isTooLarge) = rows.multipliedReportingOverflow(by: columns)
    // What does not fit Int is negative here.
    guard !isTooLarge, capacity < 0 || capacity >= needed else {
      throw .usage(
        "\(name): the capacity is \(capacity), but \(rows) x \(columns) elements are needed")
    }
  }

  /// Gives an array to a caller.
  ///
  /// - Parameters:
  ///   - buffer: nil if only the count is wanted.
  ///   - count: receives the number of elements, also if they do not fit.
  /// - Throws: `usage` if the buffer has no room for them, or `count` is NULL.
  static func give<Element: BitwiseCopyable>(
    _ elements: [Element], to buffer: UnsafeMutablePointer<Element>?, _ capacity: Int,
    _ count: UnsafeMutablePointer<Int>?, _ name: StaticString
  ) throws(VDSQError) {
    guard let count else { throw .usage("the pointer for the number of \(name) is NULL") }
    count.pointee = elements.count
    guard let buffer else { return }
    try check(capacity, holds: elements.count, of: 1, name)
    for (place, element) in elements.enumerated() { buffer[place] = element }
  }
}
