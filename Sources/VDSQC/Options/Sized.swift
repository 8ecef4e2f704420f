import VDSQ

/// Structures that begin with their size, so that later versions can have more members.
enum Sized {
  /// Larger ones are taken for memory that was not initialized.
  private static let largest = 4096

  /// Reads a caller's structure.
  ///
  /// - Parameters:
  ///   - pointer: nil for the defaults.
  ///   - type: the name of the structure, for messages.
  /// - Returns: nil for the defaults.
  /// - Throws: `usage` if its size is wrong, or a member is set that this version does not have.
  static func read<Structure: BitwiseCopyable>(
    _ pointer: UnsafePointer<Structure>?, _ type: StaticString
  ) throws(VDSQError) -> Structure? {
    guard let pointer else { return nil }
    let raw = UnsafeRawPointer(pointer)
    let size = try check(raw, MemoryLayout<Structure>.stride, type)
    for offset in MemoryLayout<Structure>.stride..<size
    where raw.load(fromByteOffset: offset, as: UInt8.self) != 0 {
      throw .usage("\(type): byte \(offset) belongs to a member that this library does not know")
    }
    return pointer.pointee
  }

  /// Fills in a caller's structure, except its size.
  ///
  /// - Parameter value: its first member is ignored.
  /// - Throws: `usage` if the caller's size is wrong.
  static func write<Structure: BitwiseCopyable>(
    _ value: Structure, to pointer: UnsafeMutablePointer<Structure>?, _ type: StaticString
  ) throws(VDSQError) {
    guard let pointer else { throw .usage("\(type) is NULL") }
    _ = try check(pointer, MemoryLayout<Structure>.stride, type)
    let head = MemoryLayout<Int>.size
    withUnsafeBytes(of: value) {
      (UnsafeMutableRawPointer(pointer) + head).copyMemory(
        from: $0.baseAddress! + head, byteCount: $0.count - head)
    }
  }

  /// The size that a caller set.
  private static func check(
    _ pointer: UnsafeRawPointer, _ least: Int, _ type: StaticString
  ) throws(VDSQError) -> Int {
    let size = pointer.load(as: Int.self)
    guard size >= least, size <= largest else {
      throw .usage("\(type): struct_size is \(UInt(bitPattern: size)); set it to sizeof(\(type))")
    }
    return size
  }
}
