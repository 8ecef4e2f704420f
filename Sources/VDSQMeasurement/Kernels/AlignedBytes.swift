import CShims
import VDSQKernels

/// Anonymous memory, aligned to pages, on large pages if the system provides them.
final class AlignedBytes {
  let pointer: UnsafeMutableRawPointer
  let count: Int

  init(_ count: Int) {
    self.count = count
    guard let p = vdsq_map_memory(Int64(count)) else { fatalError("no memory for \(count) bytes") }
    pointer = p
    vdsq_want_large_pages(p, Int64(count))
  }

  deinit { vdsq_unmap(pointer, Int64(count)) }

  /// Fills the memory with a fixed sequence of bytes.
  func fill() {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    var i = 0
    while i < count {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      let n = min(8, count - i)
      withUnsafeBytes(of: state) { (pointer + i).copyMemory(from: $0.baseAddress!, byteCount: n) }
      i += 8
    }
  }

  /// Fills the memory with floats between -1 and 1.
  func fillFloats() {
    fill()
    let floats = pointer.assumingMemoryBound(to: Float.self)
    let bits = pointer.assumingMemoryBound(to: UInt32.self)
    for i in 0..<count / 4 { floats[i] = Float(bits[i] >> 8) / 8_388_608 - 1 }
  }
}
