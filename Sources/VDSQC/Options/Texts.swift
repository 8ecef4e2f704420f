import Glibc
import VDSQ

/// Texts of a caller, as pointers to UTF-8.
struct Texts {
  private let pointers: UnsafePointer<UnsafePointer<CChar>?>?
  private let lengths: UnsafePointer<Int>?
  /// The number of texts.
  let count: Int

  /// - Parameters:
  ///   - pointers: `count` pointers.
  ///   - lengths: in bytes; nil if all texts end with a NUL.
  ///   - name: of the argument, for messages.
  /// - Throws: `usage` if a pointer is NULL.
  init(
    _ pointers: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: UnsafePointer<Int>?,
    _ count: Int, _ name: StaticString
  ) throws(VDSQError) {
    guard count >= 0 else { throw .usage("\(name): \(UInt(bitPattern: count)) are too many") }
    guard count == 0 || pointers != nil else { throw .usage("\(name) is NULL") }
    for index in 0..<count {
      guard pointers![index] != nil else { throw .usage("\(name)[\(index)] is NULL") }
      try Self.check(lengths?[index] ?? Self.terminated, name, index)
    }
    (self.pointers, self.lengths, self.count) = (pointers, lengths, count)
  }

  /// The length of a text that ends with a NUL: `SIZE_MAX`.
  static let terminated = -1

  private static func check(
    _ length: Int, _ name: StaticString, _ index: Int?
  ) throws(VDSQError) {
    guard length >= terminated else {
      let place = index.map { "\(name)[\($0)]" } ?? "\(name)"
      throw .usage("\(place) cannot have \(UInt(bitPattern: length)) bytes")
    }
  }

  /// The bytes of a text.
  subscript(index: Int) -> UnsafeRawBufferPointer {
    Self.bytes(pointers![index]!, lengths?[index] ?? Self.terminated)
  }

  /// A copy of a text. Invalid UTF-8 becomes U+FFFD.
  func string(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }

  /// The bytes of one text.
  ///
  /// - Throws: `usage` if it is NULL.
  static func one(
    _ pointer: UnsafePointer<CChar>?, _ length: Int, _ name: StaticString
  ) throws(VDSQError) -> UnsafeRawBufferPointer {
    guard let pointer else { throw .usage("\(name) is NULL") }
    try check(length, name, nil)
    return bytes(pointer, length)
  }

  private static func bytes(
    _ pointer: UnsafePointer<CChar>, _ length: Int
  ) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: pointer, count: length == terminated ? strlen(pointer) : length)
  }
}
